//! What is served, as an OpenAPI document.

use std::sync::LazyLock;

use serde_json::{Value, json};

/// The description without what depends on how the server was started. A test reads it, so it is JSON.
pub(crate) static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(include_str!("openapi.json")).unwrap_or_default();
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    document
});

/// One method of one path.
pub(crate) struct Operation {
    /// In small letters, such as `get`.
    pub(crate) method: &'static str,
    /// The pattern, such as `/v1/model`.
    pub(crate) path: &'static str,
    /// The group that it is of.
    pub(crate) tag: &'static str,
    /// What is said of it.
    pub(crate) what: &'static Value,
}

/// All that are described, in the order of the document's tags.
pub(crate) fn operations() -> Vec<Operation> {
    let paths = DESCRIPTION["paths"].as_object();
    let of_path = |(path, methods): (&'static String, &'static Value)| {
        let methods = methods.as_object().into_iter().flatten();
        methods.map(move |(method, what)| Operation {
            method,
            path,
            tag: what["tags"][0].as_str().unwrap_or_default(),
            what,
        })
    };
    paths.into_iter().flatten().flat_map(of_path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere_and_every_kind_of_error_is_named() {
        fn check(value: &Value, document: &Value) -> usize {
            let own = value.get("$ref").and_then(Value::as_str).map_or(0, |reference| {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
                1
            });
            let below = match value {
                Value::Object(map) => map.values().map(|value| check(value, document)).sum(),
                Value::Array(values) => values.iter().map(|value| check(value, document)).sum(),
                _ => 0,
            };
            own + below
        }
        assert!(check(&DESCRIPTION, &DESCRIPTION) > 15);
        let kinds =
            DESCRIPTION["components"]["schemas"]["Error"]["properties"]["error_type"]["enum"].to_string();
        for kind in crate::ErrorType::ALL {
            assert!(kinds.contains(&format!("\"{}\"", kind.name())), "{kind:?}");
        }
    }
}
