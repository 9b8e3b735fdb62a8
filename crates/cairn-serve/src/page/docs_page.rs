//! The page that tells how programs ask.

use maud::{Markup, html};
use serde_json::Value;

use super::components::frame::{Frame, Here};
use crate::description::{Operation, operations};
use crate::state::AppState;

/// The groups of operations, in the order of the page.
const TAGS: [&str; 4] = ["Photos", "Model", "Other services", "Operation"];

/// The page of a server.
pub(super) fn docs_page(state: &AppState) -> Markup {
    let (served, config, operations) = (state.served(), state.config(), operations());
    let content = html! {
        div.docs {
            h1 { "For programs" }
            p.lead {
                "Send a photo, get its landmark. The model " b { (served.identity.name) } " knows "
                (served.model.classes().len()) " landmarks (" code { (served.identity.digest) } "). "
                a href="openapi.json" { "openapi.json" } " is this page for programs."
            }
            pre tabindex="0" {
                "curl --data-binary @photo.jpg http://" (config.address) (config.base_path) "/v1/predict"
            }
            @if !config.keys.is_empty() {
                p {
                    "This server wants a key: " code { "Authorization: Bearer KEY" } ", " code { "x-api-key: KEY" } " or "
                    code { "?key=KEY" } "."
                }
            }
            @for tag in TAGS {
                section {
                    h2 { (tag) }
                    @for operation in operations.iter().filter(|operation| operation.tag == tag) { (described(operation)) }
                }
            }
            section {
                h2 { "Errors" }
                p {
                    "An error is " code { r#"{"error": "text", "error_type": "kind"}"# } "; 429 and 503 say by "
                    code { "Retry-After" } " when to try again."
                }
            }
        }
    };
    let title = "The API – cairn";
    Frame { title, root: "", script: None, here: Here::Docs, photos: config.page, footer: html! {} }
        .around(&content)
}

/// Text in which code is between backticks.
fn prose(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn described(operation: &Operation) -> Markup {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parameters = operation.what["parameters"].as_array().cloned().unwrap_or_default();
    let answers = operation.what["responses"]["200"]["content"].as_object();
    html! {
        h3 { span.method { (operation.method.to_uppercase()) } " " code { (operation.path) } }
        p { (prose(&text(&operation.what["summary"]))) "." @if let Some(more) = operation.what["description"].as_str() { " " (prose(more)) } }
        @if !parameters.is_empty() {
            table {
                tbody {
                    @for parameter in &parameters {
                        tr {
                            th scope="row" { code { (text(&parameter["name"])) } }
                            td { (prose(&text(&parameter["description"]))) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_backticks_is_code() {
        let shown = prose("for `cairn learn` & `cairn train`").into_string();
        assert_eq!(shown, "for <code>cairn learn</code> &amp; <code>cairn train</code>");
    }

    #[test]
    fn every_operation_is_of_a_group_of_the_page() {
        for Operation { tag, path, .. } in operations() {
            assert!(TAGS.contains(&tag), "{path}: {tag}");
        }
    }
}
