//! What a property holds.

use serde::{Deserialize, Serialize};

/// The three arrays of RDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArrayKind {
    /// `rdf:Bag`: without order.
    Bag,
    /// `rdf:Seq`: in order.
    Seq,
    /// `rdf:Alt`: alternatives, such as languages.
    Alt,
}

impl ArrayKind {
    /// The element's name.
    pub fn name(self) -> &'static str {
        match self {
            ArrayKind::Bag => "Bag",
            ArrayKind::Seq => "Seq",
            ArrayKind::Alt => "Alt",
        }
    }

    pub(crate) fn of_name(name: &str) -> Option<ArrayKind> {
        [ArrayKind::Bag, ArrayKind::Seq, ArrayKind::Alt].into_iter().find(|kind| kind.name() == name)
    }
}

/// What a property holds.
///
/// Languages of alternatives are not kept here: cairn writes `x-default` alone. Values of a form that is not understood
/// are [`Value::Other`]. Structures are equal in any order of their fields: programs write them anew in their own.
#[derive(Clone, Debug, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// Text.
    Text(String),
    /// Items of an array.
    Array(ArrayKind, Vec<Value>),
    /// Fields of a structure: namespace's address, name, value. In the order of the file.
    Struct(Vec<Field>),
    /// A form that is not understood, as XML.
    Other(String),
}

/// A field of a structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The namespace's address.
    pub namespace: String,
    /// The name in it.
    pub name: String,
    /// What it holds.
    pub value: Value,
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Text(one), Value::Text(other)) | (Value::Other(one), Value::Other(other)) => one == other,
            (Value::Array(kind, one), Value::Array(other_kind, other)) => kind == other_kind && one == other,
            (Value::Struct(one), Value::Struct(other)) => {
                one.len() == other.len() && one.iter().all(|field| other.contains(field))
            }
            _ => false,
        }
    }
}

impl Value {
    /// Text.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is an array.
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Value::Array(_, items) => Some(items),
            _ => None,
        }
    }

    /// The value of a field of a structure.
    pub fn field(&self, namespace: &str, name: &str) -> Option<&Value> {
        let Value::Struct(fields) = self else { return None };
        fields
            .iter()
            .find(|field| field.namespace == namespace && field.name == name)
            .map(|field| &field.value)
    }
}
