//! What a mark writes: the changes of XMP for one landmark in one photo.

use std::collections::BTreeSet;

use cairn_places::Place;

use crate::Splice;
use crate::embed::{self, EmbedError, Metadata};
use crate::evidence::EstimatedPosition;
use crate::keywords::{Items, KeywordPath, Keywords, Union};
use crate::xmp::{ArrayKind, Change, Field, NEW_PACKET, Namespace, Packet, Property, Value, XmpError, edit};

use super::{FieldChange, OpKind};

/// How much is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// What the picture shows: keywords, the machine's mark, `LocationShown`.
    #[default]
    Shown,
    /// And city, state, country and its code, where all four are empty.
    Place,
    /// And a position, where there is none.
    EstimatedGps,
}

/// The top of the keywords' hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// Of what nobody looked at, with `|`.
    pub auto: String,
    /// Of what a person confirmed, with `|`.
    pub confirmed: String,
}

impl Default for Roots {
    fn default() -> Self {
        Self { auto: "auto|landmark".to_owned(), confirmed: "Landmarks".to_owned() }
    }
}

/// The flat keyword beside an unreviewed mark: the landmark's name alone would look like a person's.
pub(super) const MARKER: &str = "auto-landmark";

/// What is known of a mark when it is written.
#[derive(Debug)]
pub(super) struct MarkText<'a> {
    pub(super) landmark: &'a str,
    pub(super) place: Option<&'a Place>,
    pub(super) probability: f64,
    pub(super) model: &'a str,
    pub(super) confirmed: bool,
    pub(super) plan: &'a str,
    pub(super) level: Level,
    pub(super) estimated: Option<EstimatedPosition>,
    pub(super) roots: &'a Roots,
}

/// Changes, apart by whose content they bring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MarkChanges {
    /// The landmark's.
    pub(super) wrote: Vec<Change>,
    /// The person's own keywords from other fields and files.
    pub(super) copied: Vec<Change>,
}

impl MarkText<'_> {
    /// The changes that write this mark into a packet. `union` is of all the photo's keywords, `has_place` and
    /// `has_position` say whether the photo or one of its sidecars has those fields.
    pub(super) fn changes(
        &self,
        packet: &Packet<'_>,
        union: &Union,
        has_place: bool,
        has_position: bool,
    ) -> Result<MarkChanges, XmpError> {
        let keywords = Keywords::of_packet(packet)?;
        let copied = append_keywords(union.items().missing_in(&keywords));
        let mut wrote = append_keywords(self.keywords().missing_in(&keywords));
        wrote.push(append(Property::LOCATION_SHOWN, ArrayKind::Bag, vec![self.location_shown()]));
        if self.level >= Level::Place && !has_place {
            wrote.extend(self.place_fields());
        }
        if self.level >= Level::EstimatedGps && !has_position {
            wrote.extend(self.estimated.iter().flat_map(position_fields));
        }
        let mark = self.mark(&wrote, &copied);
        wrote.push(append(Property::MARKS, ArrayKind::Bag, vec![mark]));
        Ok(MarkChanges { wrote, copied })
    }

    fn keywords(&self) -> Items {
        let root = if self.confirmed { &self.roots.confirmed } else { &self.roots.auto };
        let name = KeywordPath::part(self.landmark);
        let parts = root.split(['|', '/']).map(KeywordPath::part).chain([name.clone()]);
        let mut items = Items::default();
        if let Some(path) = KeywordPath::new(parts) {
            items.tags_list.push(path.tags_list());
            items.hierarchical_subject.push(path.hierarchical_subject());
        }
        items.subject.push(name);
        if !self.confirmed {
            items.subject.push(MARKER.to_owned());
        }
        items
    }

    /// IPTC's structure of a place that the picture shows (IPTC Photo Metadata Standard 2023.2).
    fn location_shown(&self) -> Value {
        let iptc = |name: &str, value: Value| field(Namespace::IPTC_EXTENSION, name, value);
        let name = Value::Array(ArrayKind::Alt, vec![Value::text(self.landmark)]);
        let mut fields = vec![iptc("LocationName", name)];
        let Some(place) = self.place else { return Value::Struct(fields) };
        if let Some(wikidata) = &place.wikidata {
            let address = format!("http://www.wikidata.org/entity/{wikidata}");
            fields.push(iptc("LocationId", Value::Array(ArrayKind::Bag, vec![Value::text(address)])));
        }
        let texts = [
            ("City", place.city.as_deref()),
            ("ProvinceState", place.region.as_deref()),
            ("CountryName", Some(place.country.as_str())),
            ("CountryCode", Some(place.country_code.as_str())),
        ];
        fields.extend(texts.into_iter().filter_map(|(name, text)| Some(iptc(name, Value::text(text?)))));
        let [latitude, longitude] = coordinates(place.latitude.degrees(), place.longitude.degrees(), 5);
        fields.push(field(Namespace::EXIF, "GPSLatitude", Value::text(latitude)));
        fields.push(field(Namespace::EXIF, "GPSLongitude", Value::text(longitude)));
        Value::Struct(fields)
    }

    fn place_fields(&self) -> Vec<Change> {
        let Some(place) = self.place else { return Vec::new() };
        let texts = [
            (Property::CITY, place.city.as_deref()),
            (Property::STATE, place.region.as_deref()),
            (Property::COUNTRY, Some(place.country.as_str())),
            (Property::COUNTRY_CODE, Some(place.country_code.as_str())),
        ];
        let create = |(property, text): (Property, Option<&str>)| Some(create(property, text?));
        texts.into_iter().filter_map(create).collect()
    }

    fn mark(&self, wrote: &[Change], copied: &[Change]) -> Value {
        let mut fields = Vec::new();
        let mut add =
            |name: &str, text: String| fields.push(field(Namespace::CAIRN, name, Value::Text(text)));
        add("landmark", self.landmark.to_owned());
        if let Some(wikidata) = self.place.and_then(|place| place.wikidata.as_ref()) {
            add("wikidata", wikidata.to_string());
        }
        add("probability", format!("{:.4}", self.probability));
        add("model", self.model.to_owned());
        add("review", if self.confirmed { "confirmed" } else { "auto" }.to_owned());
        add("plan", self.plan.to_owned());
        for (name, changes) in [("wrote", wrote), ("copied", copied)] {
            // As JSON, one change each: what is taken out must be known exactly.
            let texts =
                changes.iter().filter_map(|change| serde_json::to_string(change).ok()).map(Value::Text);
            let texts: Vec<Value> = texts.collect();
            if !texts.is_empty() {
                fields.push(field(Namespace::CAIRN, name, Value::Array(ArrayKind::Bag, texts)));
            }
        }
        Value::Struct(fields)
    }
}

fn field(namespace: Namespace, name: &str, value: Value) -> Field {
    Field { namespace: namespace.uri.to_owned(), name: name.to_owned(), value }
}

fn append(property: Property, kind: ArrayKind, items: Vec<Value>) -> Change {
    Change::Append { property, kind, items }
}

fn create(property: Property, text: impl Into<String>) -> Change {
    Change::Create { property, value: Value::text(text) }
}

fn append_keywords(items: Items) -> Vec<Change> {
    let all = [
        // As digiKam has it.
        (Property::TAGS_LIST, ArrayKind::Seq, items.tags_list),
        (Property::HIERARCHICAL_SUBJECT, ArrayKind::Bag, items.hierarchical_subject),
        (Property::SUBJECT, ArrayKind::Bag, items.subject),
    ];
    let change = |(property, kind, texts): (Property, ArrayKind, Vec<String>)| {
        append(property, kind, texts.into_iter().map(Value::Text).collect())
    };
    all.into_iter().filter(|(_, _, texts)| !texts.is_empty()).map(change).collect()
}

/// Degrees and minutes with so many decimals of a minute, as XMP has them (`48,51.50400N`).
fn coordinates(latitude: f64, longitude: f64, decimals: usize) -> [String; 2] {
    let text = |degrees: f64, [positive, negative]: [char; 2]| {
        let scale = 60.0 * 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
        let units = (degrees.abs() * scale).round();
        let (whole, rest) = ((units / scale).floor(), units % scale);
        let letter = if degrees < 0.0 { negative } else { positive };
        format!("{whole},{:.decimals$}{letter}", rest * 60.0 / scale)
    };
    [text(latitude, ['N', 'S']), text(longitude, ['E', 'W'])]
}

/// A position that nobody measured, rounded to its error.
fn position_fields(position: &EstimatedPosition) -> Vec<Change> {
    let decimals = match position.error_m {
        error if error >= 12_000.0 => 1,
        error if error >= 1_200.0 => 2,
        _ => 3,
    };
    let scale = 10_f64.powi(decimals);
    let rounded = |degrees: f64| (degrees * scale).round() / scale;
    let [latitude, longitude] = coordinates(rounded(position.latitude), rounded(position.longitude), 5);
    vec![
        create(Property::GPS_LATITUDE, latitude),
        create(Property::GPS_LONGITUDE, longitude),
        create(Property::GPS_ERROR, format!("{:.0}", position.error_m.max(1.0))),
        create(Property::GPS_METHOD, "MANUAL"),
        create(Property::GPS_DATUM, "WGS-84"),
    ]
}

/// A mark that a packet holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FoundMark {
    pub(super) landmark: String,
    pub(super) is_confirmed: bool,
    pub(super) plan: String,
    pub(super) changes: MarkChanges,
}

/// The marks in a packet.
pub(super) fn marks_in(packet: &Packet<'_>) -> Result<Vec<FoundMark>, XmpError> {
    let unknown = || XmpError::UnknownForm(Property::MARKS.qualified());
    let Some(marks) = packet.get(Property::MARKS)? else { return Ok(Vec::new()) };
    marks.items().ok_or_else(unknown)?.iter().map(|mark| FoundMark::of(mark).ok_or_else(unknown)).collect()
}

impl FoundMark {
    fn of(mark: &Value) -> Option<FoundMark> {
        let get = |name: &str| mark.field(Namespace::CAIRN.uri, name);
        let text = |name: &str| get(name).and_then(Value::as_text).map(str::to_owned);
        let changes = |name: &str| -> Option<Vec<Change>> {
            let Some(list) = get(name) else { return Some(Vec::new()) };
            list.items()?.iter().map(|item| serde_json::from_str(item.as_text()?).ok()).collect()
        };
        let mut wrote = changes("wrote")?;
        wrote.push(append(Property::MARKS, ArrayKind::Bag, vec![mark.clone()]));
        Some(FoundMark {
            landmark: text("landmark")?,
            is_confirmed: text("review")? == "confirmed",
            plan: text("plan")?,
            changes: MarkChanges { wrote, copied: changes("copied")? },
        })
    }

    /// Whether every keyword that was written is still there. One that a person removed is a rejection.
    pub(super) fn is_whole(&self, packet: &Packet<'_>) -> Result<bool, XmpError> {
        for change in &self.changes.wrote {
            if let Change::Append { property, items, .. } = change
                && Keywords::field_of(*property).is_some()
            {
                let texts = packet.texts(*property)?;
                let is_there =
                    |item: &Value| item.as_text().is_some_and(|text| texts.iter().any(|found| found == text));
                if !items.iter().all(is_there) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// The changes that take these out again. Copies go where nothing but copies would remain in a field; elsewhere they stay, or
/// the field would hide what they are copies of.
pub(super) fn taking_out(
    packet: &Packet<'_>,
    wrote: &[Change],
    copied: &[Change],
) -> Result<Vec<Change>, XmpError> {
    let mut changes: Vec<Change> = wrote.iter().rev().filter_map(Change::inverse).collect();
    for copy in copied {
        let Change::Append { property, items, .. } = copy else { continue };
        let mut rest: Vec<Value> =
            packet.get(*property)?.as_ref().and_then(Value::items).unwrap_or_default().to_vec();
        let ours = wrote.iter().filter_map(|change| match change {
            Change::Append { property: of, items, .. } if of == property => Some(items),
            _ => None,
        });
        for item in ours.flatten() {
            if let Some(at) = rest.iter().rposition(|found| found == item) {
                rest.remove(at);
            }
        }
        if rest.iter().all(|item| items.contains(item)) {
            changes.extend(copy.inverse());
        }
    }
    Ok(changes)
}

/// The packet of a file: a sidecar is one, a photo holds one.
fn packet_of(kind: OpKind, bytes: &[u8]) -> Result<Vec<u8>, EmbedError> {
    match kind {
        OpKind::Embed => Ok(Metadata::of(bytes)?.xmp.unwrap_or_else(|| NEW_PACKET.as_bytes().to_vec())),
        _ if bytes.is_empty() => Ok(NEW_PACKET.as_bytes().to_vec()),
        _ => Ok(bytes.to_vec()),
    }
}

/// A file after these changes, as replacements in it. An empty file becomes a new sidecar.
pub(super) fn changed(kind: OpKind, bytes: &[u8], changes: &[Change]) -> Result<Vec<Splice>, EmbedError> {
    if kind == OpKind::Embed {
        return embed::embed(bytes, changes);
    }
    let after = edit(&packet_of(kind, bytes)?, changes)?;
    Ok(Splice::between(bytes, &after).into_iter().collect())
}

/// A file without what was written into it, whatever else changed since.
pub(super) fn without_marks(
    kind: OpKind,
    bytes: &[u8],
    wrote: &[Change],
    copied: &[Change],
) -> Result<Vec<u8>, EmbedError> {
    let packet = packet_of(kind, bytes)?;
    let changes = taking_out(&Packet::parse(&packet)?, wrote, copied)?;
    let splices = changed(kind, bytes, &changes)?;
    Splice::apply(bytes, &splices).ok_or(EmbedError::Damaged("internal error: replacements that do not fit"))
}

/// What differs between two contents of a file, by field.
pub(super) fn fields_between(
    kind: OpKind,
    before: &[u8],
    after: &[u8],
) -> Result<Vec<FieldChange>, EmbedError> {
    let [before, after] = [packet_of(kind, before)?, packet_of(kind, after)?];
    let [before, after] = [Packet::parse(&before)?, Packet::parse(&after)?];
    let names: BTreeSet<(String, String)> = before
        .properties()
        .chain(after.properties())
        .map(|((namespace, name), _)| (namespace.to_owned(), name.to_owned()))
        .collect();
    let mut changes = Vec::new();
    for (namespace, name) in names {
        let [old, new] = [&before, &after].map(|packet| {
            packet
                .properties()
                .find(|(key, _)| *key == (&namespace, &name))
                .map(|(_, values)| values)
                .unwrap_or_default()
        });
        if old != new {
            let prefix =
                Namespace::ALL.iter().find(|known| known.uri == namespace).map_or("", |known| known.prefix);
            let [before, after] = [old, new].map(|values| values.iter().flat_map(shown).collect());
            changes.push(FieldChange { field: format!("{prefix}:{name}"), before, after });
        }
    }
    Ok(changes)
}

/// A value as people read it, an item a line.
fn shown(value: &Value) -> Vec<String> {
    match value {
        Value::Array(_, items) => items.iter().map(|item| shown(item).join(", ")).collect(),
        Value::Text(text) => vec![text.clone()],
        Value::Struct(fields) => {
            // What cairn notes for itself is long and no news.
            let own = |field: &&Field| {
                !(field.namespace == Namespace::CAIRN.uri
                    && ["wrote", "copied"].contains(&field.name.as_str()))
            };
            fields
                .iter()
                .filter(own)
                .map(|field| format!("{}={}", field.name, shown(&field.value).join("; ")))
                .collect()
        }
        Value::Other(xml) => vec![xml.clone()],
    }
}
