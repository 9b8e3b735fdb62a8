//! `GET /openapi.json` and `GET /docs`: what is served, for programs and for people.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use serde_json::{Value, json};

use super::{Routes, json_response};
use crate::error::ApiError;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().get_open("/openapi.json", openapi).get_open("/docs", docs)
}

/// The description without what depends on how the server was started. A test reads it, so it is JSON.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut document: Value = serde_json::from_str(include_str!("../openapi.json")).unwrap_or_default();
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    document
});

async fn openapi(State(state): State<AppState>) -> Result<Response, ApiError> {
    let mut document = DESCRIPTION.clone();
    let base = state.config().base_path.as_str();
    document["servers"] = json!([{"url": if base.is_empty() { "/" } else { base }}]);
    if !state.config().keys.is_empty() {
        // Not without one.
        if let Some(ways) = document["security"].as_array_mut() {
            ways.retain(|way| way.as_object().is_none_or(|way| !way.is_empty()));
        }
    }
    json_response(&document)
}

/// What the page may load: nothing.
const POLICY: &str = "default-src 'none'; style-src 'sha256-HASH'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}\
h2{margin-top:2.5rem}h3{margin:1.75rem 0 .25rem;font-size:1.05rem}\
code,pre{font-family:ui-monospace,monospace;font-size:.92em}\
pre{overflow-x:auto;padding:.75rem;border:1px solid #8886;border-radius:.4rem}\
table{border-collapse:collapse;display:block;overflow-x:auto}\
td,th{text-align:left;vertical-align:top;padding:.2rem 1rem .2rem 0}\
.method{font-weight:600;margin-right:.5rem}";

/// SHA-256 of the style, in base64.
const STYLE_HASH: &str = "MBraoiegD2tCmaupue7J2Phqy5clYhjudwlRLJOZwgE=";

async fn docs(State(state): State<AppState>) -> Response {
    let page = page(&state).into_string();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy()),
        (HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")),
    ];
    (headers, page).into_response()
}

/// The policy, which lets the page's own style alone through.
fn policy() -> HeaderValue {
    // Base64 of SHA-256: of characters that headers have.
    HeaderValue::from_str(&POLICY.replace("HASH", STYLE_HASH))
        .unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn page(state: &AppState) -> Markup {
    let served = state.served();
    let operations = operations();
    let tags = ["Photos", "Model", "Operation"];
    let others: Vec<&str> = {
        let mut others: Vec<&str> =
            operations.iter().map(|operation| operation.tag).filter(|tag| !tags.contains(tag)).collect();
        others.dedup();
        others
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "cairn serve: the API" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body {
                h1 { "cairn serve" }
                p {
                    "Names the landmarks in photos. The model " b { (served.identity.name) } " answers ("
                    (served.model.classes().len()) " landmarks, " code { (served.identity.digest) } "). "
                    a href="openapi.json" { "openapi.json" } " is this page for programs."
                }
                pre { "curl --data-binary @photo.jpg http://" (state.config().address) (state.config().base_path) "/v1/predict" }
                @if !state.config().keys.is_empty() {
                    p { "This server wants a key: " code { "Authorization: Bearer KEY" } ", " code { "x-api-key: KEY" } " or " code { "?key=KEY" } "." }
                }
                @for tag in tags.iter().copied().chain(others) {
                    h2 { (tag) }
                    @for operation in operations.iter().filter(|operation| operation.tag == tag) { (operation.section()) }
                }
                h2 { "Errors" }
                p { "An error is " code { r#"{"error": "text", "error_type": "kind"}"# } "; 429 and 503 say by " code { "Retry-After" } " when to try again." }
            }
        }
    }
}

/// One method of one path.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    tag: &'a str,
    what: &'a Value,
}

/// All that are described, in the order of the document's tags.
fn operations() -> Vec<Operation<'static>> {
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

impl Operation<'_> {
    fn section(&self) -> Markup {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parameters = self.what["parameters"].as_array().cloned().unwrap_or_default();
        let answers = self.what["responses"]["200"]["content"].as_object();
        html! {
            h3 { span.method { (self.method.to_uppercase()) } code { (self.path) } }
            p { (text(&self.what["summary"])) "." @if let Some(more) = self.what["description"].as_str() { " " (more) } }
            @if !parameters.is_empty() {
                table {
                    tbody {
                        @for parameter in &parameters {
                            tr {
                                th scope="row" { code { (text(&parameter["name"])) } }
                                td { (text(&parameter["description"])) }
                            }
                        }
                    }
                }
            }
            @if let Some(answers) = answers {
                p { "Answers: " @for (index, kind) in answers.keys().enumerate() { @if index > 0 { ", " } code { (kind) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let mut described: Vec<String> = operations()
            .iter()
            .map(|operation| format!("{} {}", operation.method.to_uppercase(), operation.path))
            .collect();
        let mut served: Vec<String> = super::super::all(false)
            .listed()
            .iter()
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        described.sort();
        served.sort();
        assert_eq!(described, served);
    }

    #[test]
    fn routes_without_a_key_are_described_so() {
        for route in super::super::all(false).listed() {
            let method = route.method.as_str().to_lowercase();
            let open = DESCRIPTION["paths"][route.path][method]["security"] == json!([{}]);
            assert_eq!(open, route.open, "{}", route.path);
        }
    }

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

    #[test]
    fn the_policy_lets_the_pages_own_style_through() {
        use base64::Engine as _;
        use sha2::{Digest, Sha256};
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        assert_eq!(STYLE_HASH, hash);
    }
}
