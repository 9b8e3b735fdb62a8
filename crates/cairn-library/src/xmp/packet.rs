//! A packet read into its properties.

use std::collections::BTreeMap;
use std::ops::Range;

use super::error::MAX_BYTES;
use super::xml::{Attribute, Element, parse};
use super::{ArrayKind, Field, Namespace, Property, Value, XmpError};

/// An XMP packet: properties, and where they are.
#[derive(Debug)]
pub struct Packet<'a> {
    pub(super) text: &'a str,
    pub(super) rdf: Element,
    places: BTreeMap<(String, String), Vec<Place>>,
}

/// Where a property is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// `dc:format="image/jpeg"`, a range of bytes in the start tag of a Description.
    Attribute { range: Range<usize>, value: String },
    /// An element in a Description: which of its children, of which of the children of `rdf:RDF`.
    Element { description: usize, child: usize },
}

impl<'a> Packet<'a> {
    /// Reads a packet: a whole sidecar, or the XMP of a photo.
    ///
    /// # Errors
    ///
    /// [`XmpError`] if it is not UTF-8, not well-formed, or not RDF of the form that XMP has.
    pub fn parse(bytes: &'a [u8]) -> Result<Packet<'a>, XmpError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmpError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| XmpError::Encoding)?;
        // UTF-16 of ASCII text is valid UTF-8 with zeros in between.
        if text.trim_end_matches('\0').contains('\0') {
            return Err(XmpError::Encoding);
        }
        let mut found = Vec::new();
        parse(text)?.into_iter().for_each(|element| collect_rdf(element, &mut found));
        let count = found.len();
        let rdf = match found.pop() {
            Some(rdf) if count == 1 => rdf,
            _ => return Err(XmpError::NotOneRdf(count)),
        };
        let places = places(&rdf)?;
        Ok(Packet { text, rdf, places })
    }

    /// What a property holds; `None` where it is missing.
    ///
    /// # Errors
    ///
    /// [`XmpError::Twice`] if it is there twice.
    pub fn get(&self, property: Property) -> Result<Option<Value>, XmpError> {
        Ok(self.place(property)?.map(|place| self.value(place)))
    }

    /// The texts of an array's items; empty where the property is missing.
    ///
    /// # Errors
    ///
    /// [`XmpError::UnknownForm`] if it is no array of texts, [`XmpError::Twice`].
    pub fn texts(&self, property: Property) -> Result<Vec<String>, XmpError> {
        let unknown = || XmpError::UnknownForm(property.qualified());
        let Some(value) = self.get(property)? else { return Ok(Vec::new()) };
        let items = value.items().ok_or_else(unknown)?;
        items.iter().map(|item| item.as_text().map(str::to_owned).ok_or_else(unknown)).collect()
    }

    /// The text of a simple property, or of the first of its alternatives.
    ///
    /// # Errors
    ///
    /// [`XmpError::Twice`] if it is there twice.
    pub fn text(&self, property: Property) -> Result<Option<String>, XmpError> {
        let value = self.get(property)?;
        let first = |value: &Value| {
            value.items().map_or(value.as_text(), |items| items.first()?.as_text()).map(str::to_owned)
        };
        Ok(value.as_ref().and_then(first))
    }

    /// All properties by namespace and name, those that are there twice included.
    pub fn properties(&self) -> impl Iterator<Item = ((&str, &str), Vec<Value>)> {
        self.places.iter().map(|((namespace, name), places)| {
            ((namespace.as_str(), name.as_str()), places.iter().map(|place| self.value(place)).collect())
        })
    }

    /// Where a property is; `None` where it is missing.
    pub(super) fn place(&self, property: Property) -> Result<Option<&Place>, XmpError> {
        let key = (property.namespace.uri.to_owned(), property.name.to_owned());
        match self.places.get(&key).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([place]) => Ok(Some(place)),
            Some(_) => Err(XmpError::Twice(property.qualified())),
        }
    }

    pub(super) fn element(&self, description: usize, child: usize) -> &Element {
        &self.rdf.children[description].children[child]
    }

    fn value(&self, place: &Place) -> Value {
        match place {
            Place::Attribute { value, .. } => Value::Text(value.clone()),
            Place::Element { description, child } => value(self.text, self.element(*description, *child)),
        }
    }
}

fn collect_rdf(element: Element, found: &mut Vec<Element>) {
    if element.name.is(Namespace::RDF, "RDF") {
        found.push(element);
    } else {
        element.children.into_iter().for_each(|child| collect_rdf(child, found));
    }
}

/// The properties of all Descriptions. (All of them describe one photo.)
fn places(rdf: &Element) -> Result<BTreeMap<(String, String), Vec<Place>>, XmpError> {
    let mut places: BTreeMap<_, Vec<Place>> = BTreeMap::new();
    let unknown = |what: &str| XmpError::UnknownForm(what.to_owned());
    if rdf.has_text() {
        return Err(unknown("text in rdf:RDF"));
    }
    for (index, description) in rdf.children.iter().enumerate() {
        if !description.name.is(Namespace::RDF, "Description") {
            return Err(unknown(&format!("{} in rdf:RDF", description.name.local)));
        }
        if description.has_text() {
            return Err(unknown("text in rdf:Description"));
        }
        for attribute in &description.attributes {
            if is_property(attribute) {
                let place =
                    Place::Attribute { range: attribute.range.clone(), value: attribute.value.clone() };
                places.entry(key(&attribute.name.namespace, &attribute.name.local)).or_default().push(place);
            } else if attribute.name.namespace == Namespace::RDF.uri && attribute.name.local != "about" {
                return Err(unknown(&format!("rdf:{}", attribute.name.local)));
            }
        }
        for (child, element) in description.children.iter().enumerate() {
            let place = Place::Element { description: index, child };
            places.entry(key(&element.name.namespace, &element.name.local)).or_default().push(place);
        }
    }
    let abouts: Vec<&str> = rdf.children.iter().map(about).collect();
    if abouts.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(unknown("descriptions of several things"));
    }
    Ok(places)
}

/// What a Description describes: nothing or the empty name for the photo itself.
pub(super) fn about(description: &Element) -> &str {
    let names = |a: &&Attribute| {
        a.name.local == "about" && (a.name.namespace == Namespace::RDF.uri || a.name.namespace.is_empty())
    };
    description.attributes.iter().find(names).map_or("", |a| a.value.as_str())
}

fn key(namespace: &str, local: &str) -> (String, String) {
    (namespace.to_owned(), local.to_owned())
}

/// Whether an attribute is a property in the short form.
pub(super) fn is_property(attribute: &Attribute) -> bool {
    let namespace = attribute.name.namespace.as_str();
    !namespace.is_empty() && namespace != Namespace::RDF.uri && namespace != Namespace::XML.uri
}

/// What a property's element or an item holds.
pub(super) fn value(text: &str, element: &Element) -> Value {
    understood(text, element).unwrap_or_else(|| Value::Other(text[element.range.clone()].to_owned()))
}

fn understood(text: &str, element: &Element) -> Option<Value> {
    let of_rdf = element.attributes.iter().filter(|a| a.name.namespace == Namespace::RDF.uri);
    let kinds: Vec<(&str, &str)> = of_rdf.map(|a| (a.name.local.as_str(), a.value.as_str())).collect();
    let short: Vec<&Attribute> = element.attributes.iter().filter(|a| is_property(a)).collect();
    let content = (element.children.as_slice(), element.has_text());
    match (kinds.as_slice(), content) {
        ([("parseType", "Resource")], (fields, false)) if short.is_empty() => structure(text, &[], fields),
        ([("resource", address)], ([], false)) if short.is_empty() => Some(Value::text(*address)),
        ([], ([], false)) if !short.is_empty() => structure(text, &short, &[]),
        ([], ([], _)) if short.is_empty() => Some(Value::text(element.text.clone())),
        ([], ([only], false)) if short.is_empty() && only.name.namespace == Namespace::RDF.uri => {
            inner(text, only)
        }
        _ => None,
    }
}

/// The array or the structure in a property's element.
fn inner(text: &str, node: &Element) -> Option<Value> {
    if node.has_text() {
        return None;
    }
    if node.name.local == "Description" {
        let short: Vec<&Attribute> = node.attributes.iter().filter(|a| is_property(a)).collect();
        return structure(text, &short, &node.children);
    }
    let kind = ArrayKind::of_name(&node.name.local)?;
    let only_items =
        node.attributes.is_empty() && node.children.iter().all(|item| item.name.is(Namespace::RDF, "li"));
    only_items.then(|| Value::Array(kind, node.children.iter().map(|item| value(text, item)).collect()))
}

fn structure(text: &str, short: &[&Attribute], fields: &[Element]) -> Option<Value> {
    let of_attribute = |a: &&Attribute| Field {
        namespace: a.name.namespace.clone(),
        name: a.name.local.clone(),
        value: Value::text(a.value.clone()),
    };
    let of_element = |element: &Element| Field {
        namespace: element.name.namespace.clone(),
        name: element.name.local.clone(),
        value: value(text, element),
    };
    // rdf:value makes it a value with qualifiers, not a structure.
    let qualified = fields.iter().any(|field| field.name.namespace == Namespace::RDF.uri);
    (!qualified)
        .then(|| Value::Struct(short.iter().map(of_attribute).chain(fields.iter().map(of_element)).collect()))
}
