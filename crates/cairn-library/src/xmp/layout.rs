//! How cairn lays out what it adds.

use quick_xml::escape;

use super::value::Field;
use super::{ArrayKind, Namespace, Property, Value, XmpError};

/// Text as the content of an element.
pub(super) fn escaped(text: &str) -> Result<String, XmpError> {
    let writable =
        |c: char| (c >= ' ' || matches!(c, '\t' | '\n' | '\r')) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    if !text.chars().all(writable) {
        return Err(XmpError::Unwritable(text.to_owned()));
    }
    Ok(escape::partial_escape(text).replace('\r', "&#xD;"))
}

/// Text as an attribute's value, in double quotes.
pub(super) fn attribute(text: &str) -> Result<String, XmpError> {
    Ok(escaped(text)?.replace('"', "&quot;").replace('\n', "&#xA;").replace('\t', "&#x9;"))
}

/// A property as an element. `rdf` is the prefix that RDF's namespace has here.
pub(super) fn property(
    rdf: &str,
    property: Property,
    value: &Value,
    indent: &str,
) -> Result<String, XmpError> {
    let name = property.qualified();
    content(rdf, &name, "", value, indent)
}

/// An item of an array, with the declarations that its fields need if they are not in force.
pub(super) fn item(rdf: &str, value: &Value, declare: bool, indent: &str) -> Result<String, XmpError> {
    let declarations = if declare { declarations(namespaces(value)) } else { String::new() };
    content(rdf, &format!("{rdf}:li"), &declarations, value, indent)
}

/// `xmlns:dc="..."` for each, with a space before.
pub(super) fn declarations(namespaces: Vec<Namespace>) -> String {
    namespaces.iter().map(|namespace| format!(" xmlns:{}=\"{}\"", namespace.prefix, namespace.uri)).collect()
}

/// The namespaces of a value's fields, each once.
pub(super) fn namespaces(value: &Value) -> Vec<Namespace> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found.sort();
    found.dedup();
    found
}

fn collect(value: &Value, found: &mut Vec<Namespace>) {
    match value {
        Value::Text(_) | Value::Other(_) => {}
        Value::Array(_, items) => items.iter().for_each(|item| collect(item, found)),
        Value::Struct(fields) => fields.iter().for_each(|field| {
            found.extend(Namespace::ALL.iter().find(|namespace| namespace.uri == field.namespace));
            collect(&field.value, found);
        }),
    }
}

fn content(rdf: &str, name: &str, attributes: &str, value: &Value, indent: &str) -> Result<String, XmpError> {
    let deeper = format!("{indent} ");
    match value {
        Value::Text(text) => Ok(format!("<{name}{attributes}>{}</{name}>", escaped(text)?)),
        Value::Array(kind, items) => {
            let kind_name = format!("{rdf}:{}", kind.name());
            // The first of the alternatives is the default one.
            let language = if *kind == ArrayKind::Alt { " xml:lang=\"x-default\"" } else { "" };
            let deepest = format!("{deeper} ");
            let items: Result<String, XmpError> = items
                .iter()
                .map(|item| {
                    let item = content(rdf, &format!("{rdf}:li"), language, item, &deepest)?;
                    Ok(format!("{deepest}{item}"))
                })
                .collect();
            Ok(format!(
                "<{name}{attributes}>{deeper}<{kind_name}>{}{deeper}</{kind_name}>{indent}</{name}>",
                items?
            ))
        }
        Value::Struct(fields) => {
            let fields: Result<String, XmpError> = fields
                .iter()
                .map(|field| Ok(format!("{deeper}{}", structure_field(rdf, field, &deeper)?)))
                .collect();
            Ok(format!("<{name}{attributes} {rdf}:parseType=\"Resource\">{}{indent}</{name}>", fields?))
        }
        Value::Other(_) => Err(XmpError::UnknownForm(name.to_owned())),
    }
}

fn structure_field(rdf: &str, field: &Field, indent: &str) -> Result<String, XmpError> {
    let namespace = Namespace::ALL.iter().find(|namespace| namespace.uri == field.namespace);
    let namespace = namespace.ok_or_else(|| XmpError::UnknownForm(field.name.clone()))?;
    content(rdf, &format!("{}:{}", namespace.prefix, field.name), "", &field.value, indent)
}
