//! The fields in which programs keep keywords.

use std::collections::BTreeMap;

use crate::embed::{EmbedError, Metadata};
use crate::xmp::{Packet, Property, XmpError};

/// A field in which programs keep keywords, in the order in which digiKam looks at them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeywordField {
    /// `digiKam:TagsList`, paths with `/`.
    TagsList,
    /// `MicrosoftPhoto:LastKeywordXMP`, paths with `/`.
    LastKeywordXmp,
    /// `lr:hierarchicalSubject`, paths with `|`.
    HierarchicalSubject,
    /// `dc:subject`, flat.
    Subject,
    /// IPTC-IIM 2:25, flat.
    Iim,
    /// EXIF's XPKeywords, flat.
    XpKeywords,
}

/// The texts of each field of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keywords(BTreeMap<KeywordField, Vec<String>>);

impl KeywordField {
    const IN_XMP: [(KeywordField, Property); 4] = [
        (KeywordField::TagsList, Property::TAGS_LIST),
        (KeywordField::LastKeywordXmp, Property::LAST_KEYWORD_XMP),
        (KeywordField::HierarchicalSubject, Property::HIERARCHICAL_SUBJECT),
        (KeywordField::Subject, Property::SUBJECT),
    ];
}

impl Keywords {
    /// Of a packet.
    ///
    /// # Errors
    ///
    /// [`XmpError::UnknownForm`] if a field is no array of texts, or is one that cairn does not merge
    /// (`mediapro:CatalogSets`, `acdsee:categories`); [`XmpError::Twice`].
    pub fn of_packet(packet: &Packet<'_>) -> Result<Keywords, XmpError> {
        for unmerged in [Property::CATALOG_SETS, Property::ACDSEE_CATEGORIES] {
            if packet.get(unmerged)?.is_some() {
                return Err(XmpError::UnknownForm(format!("keywords in {}", unmerged.qualified())));
            }
        }
        let mut keywords = Keywords::default();
        for (field, property) in KeywordField::IN_XMP {
            keywords.add(field, packet.texts(property)?);
        }
        Ok(keywords)
    }

    /// Of the blocks in a photo.
    ///
    /// # Errors
    ///
    /// [`EmbedError`] if a block that may hold keywords does not parse.
    pub fn of_photo(metadata: &Metadata) -> Result<Keywords, EmbedError> {
        let mut keywords = Keywords::default();
        for packet in metadata.xmp.iter().chain(&metadata.extended_xmp) {
            keywords.merge(&Keywords::of_packet(&Packet::parse(packet)?)?);
        }
        keywords.add(KeywordField::Iim, metadata.iim_keywords()?.unwrap_or_default());
        keywords.add(KeywordField::XpKeywords, metadata.xp_keywords()?);
        Ok(keywords)
    }

    /// The texts of a field.
    pub fn get(&self, field: KeywordField) -> &[String] {
        self.0.get(&field).map_or(&[], Vec::as_slice)
    }

    /// Adds texts to a field; blank ones are no keywords.
    pub fn add(&mut self, field: KeywordField, texts: impl IntoIterator<Item = String>) {
        let texts: Vec<String> = texts.into_iter().filter(|text| !text.trim().is_empty()).collect();
        if !texts.is_empty() {
            self.0.entry(field).or_default().extend(texts);
        }
    }

    /// Adds all of another file.
    pub fn merge(&mut self, other: &Keywords) {
        for (field, texts) in &other.0 {
            self.add(*field, texts.iter().cloned());
        }
    }

    /// Removes a text from a field, once.
    pub fn remove(&mut self, field: KeywordField, text: &str) {
        if let Some(texts) = self.0.get_mut(&field)
            && let Some(at) = texts.iter().rposition(|found| found == text)
        {
            texts.remove(at);
        }
    }

    /// The XMP field of a property.
    pub fn field_of(property: Property) -> Option<KeywordField> {
        KeywordField::IN_XMP.into_iter().find(|(_, of)| *of == property).map(|(field, _)| field)
    }

    /// The fields that hold something, in digiKam's order.
    pub fn fields(&self) -> impl Iterator<Item = (KeywordField, &[String])> {
        self.0.iter().map(|(field, texts)| (*field, texts.as_slice())).filter(|(_, texts)| !texts.is_empty())
    }
}
