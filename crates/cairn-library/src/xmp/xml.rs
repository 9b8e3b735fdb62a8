//! XML as a tree of elements that know where in the file they are.

use std::ops::Range;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::{Namespace, XmpError};

/// Deeper XML than this is no metadata.
const MAX_DEPTH: usize = 64;

/// An element.
#[derive(Debug)]
pub(super) struct Element {
    /// From the first byte of the start tag to the last of the end tag.
    pub(super) range: Range<usize>,
    /// The start tag; all of an element without content (`<a/>`).
    pub(super) open: Range<usize>,
    /// The end tag; empty for an element without content.
    pub(super) close: Range<usize>,
    pub(super) name: Name,
    pub(super) attributes: Vec<Attribute>,
    pub(super) children: Vec<Element>,
    /// The text directly in it, in one piece.
    pub(super) text: String,
}

/// A name and its namespace.
#[derive(Debug)]
pub(super) struct Name {
    /// As the file has it, without the colon; empty where there is none.
    pub(super) prefix: String,
    /// The namespace's address; empty where there is none.
    pub(super) namespace: String,
    pub(super) local: String,
}

/// An attribute, without declarations of namespaces.
#[derive(Debug)]
pub(super) struct Attribute {
    /// From the name to the closing quote.
    pub(super) range: Range<usize>,
    pub(super) name: Name,
    pub(super) value: String,
}

impl Name {
    pub(super) fn is(&self, namespace: Namespace, local: &str) -> bool {
        self.namespace == namespace.uri && self.local == local
    }
}

impl Element {
    /// `<a/>`
    pub(super) fn is_empty_tag(&self) -> bool {
        self.close.is_empty()
    }

    /// Whether it holds text other than white space.
    pub(super) fn has_text(&self) -> bool {
        !self.text.trim().is_empty()
    }
}

/// The outermost elements of a file; what stands around them is skipped.
pub(super) fn parse(text: &str) -> Result<Vec<Element>, XmpError> {
    // The reader passes over a byte order mark without counting it.
    let mark = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let mut reader = Reader::from_str(&text[mark..]);
    reader.config_mut().enable_all_checks(true);
    // The outermost level stands below the elements that are open.
    let mut done = Vec::new();
    let mut open: Vec<Element> = Vec::new();
    let mut scopes = Scopes::default();
    loop {
        let start = mark + position(&reader);
        let event = reader.read_event().map_err(malformed)?;
        let range = start..mark + position(&reader);
        match event {
            Event::Start(tag) => {
                if open.len() == MAX_DEPTH {
                    return Err(XmpError::Malformed(format!("deeper than {MAX_DEPTH} elements")));
                }
                open.push(scopes.enter(text, &tag, range)?);
            }
            Event::Empty(tag) => {
                let element = scopes.enter(text, &tag, range)?;
                scopes.leave();
                open.last_mut().map_or(&mut done, |parent| &mut parent.children).push(element);
            }
            // The names of tags were checked by the reader.
            Event::End(_) => {
                let Some(mut element) = open.pop() else { return Err(malformed("an end tag too many")) };
                element.range.end = range.end;
                element.close = range;
                scopes.leave();
                open.last_mut().map_or(&mut done, |parent| &mut parent.children).push(element);
            }
            Event::Text(piece) => add_text(&mut open, &piece.xml10_content())?,
            Event::CData(piece) => add_text(&mut open, &piece.xml10_content())?,
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(malformed)?;
                let content = reference.xml10_content();
                let meant = character
                    .map(String::from)
                    .or_else(|| quick_xml::escape::resolve_xml_entity(&content).map(str::to_owned));
                let Some(meant) = meant else { return Err(malformed(format!("the entity &{content};"))) };
                add_text(&mut open, &meant)?;
            }
            Event::DocType(_) => return Err(XmpError::UnknownForm("a document type".to_owned())),
            Event::Decl(declaration) => {
                let encoding = declaration.encoding().transpose().map_err(malformed)?;
                let known = ["utf-8", "utf8", "us-ascii", "ascii"];
                if encoding.is_some_and(|name| !known.contains(&name.to_ascii_lowercase().as_str())) {
                    return Err(XmpError::Encoding);
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if let Some(element) = open.last() {
        return Err(XmpError::Malformed(format!("<{}> does not end", element.name.local)));
    }
    Ok(done)
}

fn malformed(reason: impl ToString) -> XmpError {
    XmpError::Malformed(reason.to_string())
}

fn position(reader: &Reader<&[u8]>) -> usize {
    // No text in memory is longer.
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn add_text(open: &mut [Element], piece: &str) -> Result<(), XmpError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(piece),
        // White space, a byte order mark and zeros stand around packets.
        None if piece.chars().all(|c| c.is_whitespace() || c == '\u{feff}' || c == '\0') => {}
        None => return Err(malformed("text outside of all elements")),
    }
    Ok(())
}

/// The prefixes that each open element declares.
#[derive(Default)]
struct Scopes(Vec<Vec<(String, String)>>);

impl Scopes {
    /// The element of a start tag, whose declarations hold until [`Scopes::leave`].
    fn enter(&mut self, text: &str, tag: &BytesStart<'_>, open: Range<usize>) -> Result<Element, XmpError> {
        let mut declared = Vec::new();
        let mut others = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(malformed)?;
            let (key, raw) = (attribute.key.into_inner(), attribute.value.as_ref());
            if raw.contains('<') {
                return Err(malformed("`<` in an attribute"));
            }
            let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0).map_err(malformed)?;
            if key == "xmlns" {
                declared.push((String::new(), value.into_owned()));
            } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                declared.push((prefix.to_owned(), value.into_owned()));
            } else {
                // The closing quote follows the value.
                let range = offset(text, key)?..offset(text, raw)? + raw.len() + 1;
                others.push((range, key.to_owned(), value.into_owned()));
            }
        }
        self.0.push(declared);
        let mut attributes: Vec<Attribute> = Vec::new();
        for (range, key, value) in others {
            // Attributes without a prefix are in no namespace.
            let name = self.name(&key, false)?;
            let twin = |a: &Attribute| a.name.local == name.local && a.name.namespace == name.namespace;
            if attributes.iter().any(twin) {
                return Err(malformed(format!("the attribute {key} is there twice")));
            }
            attributes.push(Attribute { range, name, value });
        }
        Ok(Element {
            range: open.clone(),
            close: open.end..open.end,
            open,
            name: self.name(tag.name().into_inner(), true)?,
            attributes,
            children: Vec::new(),
            text: String::new(),
        })
    }

    fn leave(&mut self) {
        self.0.pop();
    }

    fn name(&self, qualified: &str, default: bool) -> Result<Name, XmpError> {
        let (prefix, local) = qualified.split_once(':').unwrap_or(("", qualified));
        let bound = self.0.iter().rev().flatten().find(|(declared, _)| declared == prefix);
        let namespace = match bound {
            _ if prefix.is_empty() && !default => "",
            Some((_, namespace)) => namespace,
            None if prefix == "xml" => Namespace::XML.uri,
            None if prefix.is_empty() => "",
            None => return Err(malformed(format!("the prefix of {qualified} is not declared"))),
        };
        Ok(Name { prefix: prefix.to_owned(), namespace: namespace.to_owned(), local: local.to_owned() })
    }
}

/// Where in `text` a part of it begins.
fn offset(text: &str, part: &str) -> Result<usize, XmpError> {
    let at = (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    // Only a copy lies elsewhere, and quick-xml copies no tag of a text in memory.
    let inside = text.get(at..at + part.len()).is_some_and(|found| found == part);
    if inside { Ok(at) } else { Err(malformed("an attribute whose place is not known")) }
}
