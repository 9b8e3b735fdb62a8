//! Changes to a packet, made by replacing ranges of bytes.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::packet::{Place, is_property, value};
use super::xml::Element;
use super::{ArrayKind, Namespace, Packet, Property, Value, XmpError, layout};

/// A packet without properties, for a new sidecar or a photo without XMP.
pub const NEW_PACKET: &str = concat!(
    "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n",
    "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n",
    " <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n",
    " </rdf:RDF>\n",
    "</x:xmpmeta>\n",
    "<?xpacket end=\"w\"?>\n",
);

/// A change to a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Appends items to an array, which is created as this kind if it is missing. An array that is there keeps its kind.
    Append {
        /// The array.
        property: Property,
        /// Its kind if it is created.
        kind: ArrayKind,
        /// What is appended, in this order.
        items: Vec<Value>,
    },
    /// Sets a property that is missing.
    Create {
        /// The property.
        property: Property,
        /// Its value.
        value: Value,
    },
    /// Sets the text of a property that is there. One that is missing stays so.
    Replace {
        /// The property.
        property: Property,
        /// Its new text.
        text: String,
    },
    /// Removes the last item that equals each of these. Items that are not there are passed over; an array without items goes.
    RemoveItems {
        /// The array.
        property: Property,
        /// What is removed.
        items: Vec<Value>,
    },
    /// Removes a property if it holds this value.
    Remove {
        /// The property.
        property: Property,
        /// What it holds.
        value: Value,
    },
}

impl Change {
    /// The change that takes this one back by items, whatever another program did to the rest since. A replaced text stays.
    pub fn inverse(&self) -> Option<Change> {
        Some(match self.clone() {
            Change::Append { property, items, .. } => Change::RemoveItems { property, items },
            Change::Create { property, value } => Change::Remove { property, value },
            Change::Replace { .. } => return None,
            Change::RemoveItems { property, items } => {
                Change::Append { property, kind: ArrayKind::Bag, items }
            }
            Change::Remove { property, value } => Change::Create { property, value },
        })
    }
}

/// The packet after these changes, in this order. What is added is taken from the packet's padding as far as there is any.
///
/// # Errors
///
/// [`XmpError`] if the packet cannot be read or a property has a form that the change does not fit.
pub fn edit(packet: &[u8], changes: &[Change]) -> Result<Vec<u8>, XmpError> {
    let mut bytes = packet.to_vec();
    // Properties that are created together stand in one Description.
    let mut created: Vec<(Property, Value)> = Vec::new();
    for change in changes {
        let parsed = Packet::parse(&bytes)?;
        let splices = match change {
            Change::Append { items, .. } if items.is_empty() => Vec::new(),
            Change::Append { property, kind, items } => match parsed.place(*property)? {
                Some(place) => vec![append(&parsed, *property, place, items)?],
                None => {
                    match created.iter_mut().find(|(known, _)| known == property) {
                        Some((_, Value::Array(_, there))) => there.extend(items.iter().cloned()),
                        Some(_) => return Err(XmpError::Twice(property.qualified())),
                        None => created.push((*property, Value::Array(*kind, items.clone()))),
                    }
                    Vec::new()
                }
            },
            Change::Create { property, value } => {
                if parsed.place(*property)?.is_some() || created.iter().any(|(known, _)| known == property) {
                    return Err(XmpError::Twice(property.qualified()));
                }
                created.push((*property, value.clone()));
                Vec::new()
            }
            Change::Replace { property, text } => replace(&parsed, *property, text)?.into_iter().collect(),
            Change::RemoveItems { property, items } => remove_items(&parsed, *property, items)?,
            Change::Remove { property, value } => match parsed.place(*property)? {
                Some(place) if parsed.get(*property)?.as_ref() == Some(value) => {
                    vec![Splice::remove(removed_property(&parsed, place))]
                }
                _ => Vec::new(),
            },
        };
        bytes = spliced(&bytes, splices);
    }
    if !created.is_empty() {
        let parsed = Packet::parse(&bytes)?;
        let splice = description(&parsed, &created)?;
        bytes = spliced(&bytes, vec![splice]);
    }
    let bytes = take_from_padding(bytes, packet.len());
    // What is written must be readable.
    Packet::parse(&bytes)?;
    Ok(bytes)
}

/// A range of bytes and what takes its place.
struct Splice {
    range: Range<usize>,
    with: String,
}

impl Splice {
    fn insert(at: usize, with: String) -> Splice {
        Splice { range: at..at, with }
    }

    fn remove(range: Range<usize>) -> Splice {
        Splice { range, with: String::new() }
    }
}

fn spliced(bytes: &[u8], mut splices: Vec<Splice>) -> Vec<u8> {
    splices.sort_by_key(|splice| splice.range.start);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for splice in splices {
        out.extend_from_slice(&bytes[at..splice.range.start]);
        out.extend_from_slice(splice.with.as_bytes());
        at = splice.range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

/// The array of a property: its element (`rdf:Bag`).
fn array<'p>(packet: &'p Packet<'_>, property: Property, place: &Place) -> Result<&'p Element, XmpError> {
    let unknown = || XmpError::UnknownForm(property.qualified());
    let Place::Element { description, child } = place else { return Err(unknown()) };
    let element = packet.element(*description, *child);
    match value(packet.text, element) {
        Value::Array(..) => Ok(&element.children[0]),
        _ => Err(unknown()),
    }
}

fn append(
    packet: &Packet<'_>,
    property: Property,
    place: &Place,
    items: &[Value],
) -> Result<Splice, XmpError> {
    let array = array(packet, property, place)?;
    let rdf = array.name.prefix.as_str();
    if rdf.is_empty() {
        return Err(XmpError::UnknownForm("RDF's namespace without a prefix".to_owned()));
    }
    let indent = match array.children.last() {
        Some(item) => space_before(packet.text, item.range.start),
        None => "",
    };
    let mut added = String::new();
    for item in items {
        added.push_str(indent);
        added.push_str(&layout::item(rdf, item, true, indent)?);
    }
    if array.is_empty_tag() {
        // `<rdf:Bag/>`
        let slash = array.open.end - 2;
        let with = format!(">{added}</{rdf}:{}>", array.name.local);
        return Ok(Splice { range: slash..array.open.end, with });
    }
    Ok(Splice::insert(array.children.last().map_or(array.open.end, |item| item.range.end), added))
}

fn replace(packet: &Packet<'_>, property: Property, text: &str) -> Result<Option<Splice>, XmpError> {
    let Some(place) = packet.place(property)? else { return Ok(None) };
    let (range, with) = match place {
        Place::Attribute { range, .. } => {
            // From the opening quote; the closing one is the range's last byte.
            let quoted =
                packet.text[range.clone()].find(['"', '\'']).map_or(range.start, |at| range.start + at);
            (quoted..range.end, format!("\"{}\"", layout::attribute(text)?))
        }
        Place::Element { description, child } => {
            let element = packet.element(*description, *child);
            let simple =
                matches!(value(packet.text, element), Value::Text(_)) && element.attributes.is_empty();
            if !simple || element.is_empty_tag() {
                return Err(XmpError::UnknownForm(property.qualified()));
            }
            (element.open.end..element.close.start, layout::escaped(text)?)
        }
    };
    Ok(Some(Splice { range, with }))
}

fn remove_items(packet: &Packet<'_>, property: Property, items: &[Value]) -> Result<Vec<Splice>, XmpError> {
    let Some(place) = packet.place(property)? else { return Ok(Vec::new()) };
    let array = array(packet, property, place)?;
    let mut gone: Vec<usize> = Vec::new();
    for item in items {
        let same =
            |index: &usize| !gone.contains(index) && value(packet.text, &array.children[*index]) == *item;
        gone.extend((0..array.children.len()).rev().find(same));
    }
    if !gone.is_empty() && gone.len() == array.children.len() {
        return Ok(vec![Splice::remove(removed_property(packet, place))]);
    }
    let ranges =
        gone.iter().map(|&index| with_space_before(packet.text, array.children[index].range.clone()));
    Ok(ranges.map(Splice::remove).collect())
}

/// What goes with a property: white space before it, and its Description if that holds nothing else.
fn removed_property(packet: &Packet<'_>, place: &Place) -> Range<usize> {
    match place {
        Place::Attribute { range, .. } => with_space_before(packet.text, range.clone()),
        Place::Element { description, child } => {
            let whole = &packet.rdf.children[*description];
            let alone = whole.children.len() == 1 && !whole.attributes.iter().any(is_property);
            let element = if alone { whole } else { &whole.children[*child] };
            with_space_before(packet.text, element.range.clone())
        }
    }
}

/// A Description with these properties, after the last one.
fn description(packet: &Packet<'_>, properties: &[(Property, Value)]) -> Result<Splice, XmpError> {
    let rdf_element = &packet.rdf;
    let rdf = rdf_element.name.prefix.as_str();
    let mut namespaces: Vec<Namespace> = properties.iter().map(|(property, _)| property.namespace).collect();
    namespaces.extend(properties.iter().flat_map(|(_, value)| layout::namespaces(value)));
    namespaces.sort();
    namespaces.dedup();
    if rdf.is_empty() || namespaces.iter().any(|namespace| namespace.prefix == rdf) {
        return Err(XmpError::UnknownForm(format!("the prefix {rdf:?} of RDF's namespace")));
    }
    let last = rdf_element.children.last();
    let about = layout::attribute(last.map_or("", super::packet::about))?;
    let indent = match last {
        Some(description) => space_before(packet.text, description.range.start).to_owned(),
        None => format!("{} ", space_before(packet.text, rdf_element.range.start)),
    };
    let deeper = format!("{indent} ");
    let mut added =
        format!("{indent}<{rdf}:Description {rdf}:about=\"{about}\"{}>", layout::declarations(namespaces));
    for (property, value) in properties {
        added.push_str(&deeper);
        added.push_str(&layout::property(rdf, *property, value, &deeper)?);
    }
    added.push_str(&format!("{indent}</{rdf}:Description>"));
    if rdf_element.is_empty_tag() {
        let slash = rdf_element.open.end - 2;
        return Ok(Splice { range: slash..rdf_element.open.end, with: format!(">{added}</{rdf}:RDF>") });
    }
    Ok(Splice::insert(last.map_or(rdf_element.open.end, |description| description.range.end), added))
}

/// The white space before a place, from the last line break before it.
fn space_before(text: &str, at: usize) -> &str {
    let trimmed = text[..at].trim_end_matches([' ', '\t', '\r', '\n']);
    let space = &text[trimmed.len()..at];
    let line_break =
        space.rfind('\n').map(|found| if space[..found].ends_with('\r') { found - 1 } else { found });
    line_break.map_or(space, |found| &space[found..])
}

fn with_space_before(text: &str, range: Range<usize>) -> Range<usize> {
    range.start - space_before(text, range.start).len()..range.end
}

/// Takes what was added from the white space before `<?xpacket end`, so that the packet keeps its length if there is enough.
fn take_from_padding(mut bytes: Vec<u8>, length_before: usize) -> Vec<u8> {
    /// What stays, for the line break before the end.
    const KEPT: usize = 1;
    let Some(grown) = bytes.len().checked_sub(length_before).filter(|&grown| grown > 0) else { return bytes };
    let Some(end) = bytes.windows(13).rposition(|window| window == b"<?xpacket end") else { return bytes };
    let start = bytes[..end].iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    let taken = grown.min((end - start).saturating_sub(KEPT));
    // From the start of it: what stays ends as before.
    bytes.drain(start..start + taken);
    bytes
}
