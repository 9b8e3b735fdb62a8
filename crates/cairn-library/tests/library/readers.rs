//! How other programs read keywords, as functions: what a person would see there.
//!
//! Each follows what is known of the program's rules; none was checked against its current source. Immich `metadata.service.ts` (`getTagList`, sidecar before photo, field by
//! field), digiKam `DMetadata::getItemTagsPath` (the first field of its list that holds something), darktable
//! `exif.cc` (`lr:hierarchicalSubject`, else `dc:subject`), PhotoPrism `meta` (`Subject`, `Keywords`; sidecar before photo).

use std::collections::BTreeSet;

use cairn_library::keywords::{KeywordField, Keywords};

/// The names that a program shows, parts of hierarchies each by itself.
pub(crate) type Shown = BTreeSet<String>;

/// A photo: its own keywords and those of its sidecar.
pub(crate) struct Files<'a> {
    pub(crate) embedded: &'a Keywords,
    pub(crate) sidecar: &'a Keywords,
}

impl Files<'_> {
    /// A field of the sidecar stands for the same field of the photo.
    fn sidecar_first(&self, field: KeywordField) -> &[String] {
        let texts = self.sidecar.get(field);
        if texts.is_empty() { self.embedded.get(field) } else { texts }
    }
}

fn parts(texts: &[String], separator: Option<char>) -> Shown {
    let split = |text: &String| match separator {
        Some(separator) => text.split(separator).map(str::to_owned).collect(),
        None => vec![text.clone()],
    };
    texts.iter().flat_map(split).collect()
}

pub(crate) fn immich(files: &Files<'_>) -> Shown {
    let tags_list = files.sidecar_first(KeywordField::TagsList);
    let hierarchical = files.sidecar_first(KeywordField::HierarchicalSubject);
    if !tags_list.is_empty() {
        parts(tags_list, Some('/'))
    } else if !hierarchical.is_empty() {
        parts(hierarchical, Some('|')).into_iter().map(|part| part.replace('/', "|")).collect()
    } else {
        parts(files.embedded.get(KeywordField::Iim), Some('/'))
    }
}

pub(crate) fn digikam(files: &Files<'_>) -> Shown {
    let first = |keywords: &Keywords| {
        let (field, texts) = keywords.fields().next()?;
        let separator = match field {
            KeywordField::TagsList | KeywordField::LastKeywordXmp | KeywordField::Subject => '/',
            KeywordField::HierarchicalSubject => '|',
            KeywordField::Iim => '.',
            KeywordField::XpKeywords => ';',
        };
        Some(parts(texts, Some(separator)))
    };
    first(files.sidecar).or_else(|| first(files.embedded)).unwrap_or_default()
}

pub(crate) fn darktable(files: &Files<'_>) -> Shown {
    let of = |keywords: &Keywords| {
        let hierarchical = keywords.get(KeywordField::HierarchicalSubject);
        let texts = if hierarchical.is_empty() { keywords.get(KeywordField::Subject) } else { hierarchical };
        parts(texts, Some('|'))
    };
    let sidecar = of(files.sidecar);
    if sidecar.is_empty() { of(files.embedded) } else { sidecar }
}

pub(crate) fn photoprism(files: &Files<'_>) -> Shown {
    let subject = files.sidecar_first(KeywordField::Subject);
    let iim = files.embedded.get(KeywordField::Iim);
    parts(if subject.is_empty() { iim } else { subject }, None)
}
