//! The description of the API, held against the routes that there are.

use cairn_serve::routes;
use serde_json::{Value, json};

use crate::support::*;

async fn description() -> Value {
    json_of(ask(&state(config()), get("/openapi.json")).await).await
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else_is() {
    let description = description().await;
    let paths = description["paths"].as_object().unwrap().iter();
    let mut described: Vec<String> = paths
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let routes = routes(false);
    let mut served: Vec<String> =
        routes.listed().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    described.sort();
    served.sort();
    assert_eq!(described, served);
}

#[tokio::test]
async fn routes_without_a_key_are_described_so() {
    let description = description().await;
    for route in routes(false).listed() {
        let method = route.method.as_str().to_lowercase();
        let open = description["paths"][route.path][method]["security"] == json!([{}]);
        assert_eq!(open, route.open, "{}", route.path);
    }
}
