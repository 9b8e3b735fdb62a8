//! Requests as PhotoPrism sends them to a vision service, by its published schema.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_serve::{ModelSource, ServeConfig};
use serde_json::{Value, json};

use crate::native::{Answer, post, row};
use crate::support::{Photos, Shipped, TestServer};

const LABELS: &str = "/api/v1/vision/labels";
const ID: &str = "d2684be3-1a80-4137-980e-07a2cbe2a96f";

fn view(photos: &Photos, name: &str) -> String {
    format!("data:image/jpeg;base64,{}", STANDARD.encode(std::fs::read(photos.path(name)).unwrap()))
}

fn request(images: &[String]) -> Value {
    json!({"id": ID, "model": "cairn", "version": "latest", "suffix": "", "stream": false, "images": images})
}

fn ask(server: &TestServer, path: &str, request: &Value) -> Answer {
    post(&server.url(path), "application/json", request.to_string().as_bytes())
}

#[test]
fn one_view_gets_the_landmark_as_a_label_and_as_a_caption() {
    let server = TestServer::start(ServeConfig::default(), Shipped::ALL_LANDMARKS);
    let photos = Photos::draw();
    let expected = row(&server, &photos.path("castle.png"), 1)["landmarks"][0].clone();
    let mut asked = request(&[view(&photos, "castle.png")]);
    // What newer versions may send besides.
    asked["options"] = json!({"temperature": 0.1});
    asked["schema"] = json!({"labels": []});
    asked["think"] = json!("low");
    asked["context"] = json!([1, 2]);
    for path in [LABELS, "/api/v1/vision/labels/cairn/latest"] {
        let Answer { status, json } = ask(&server, path, &asked);
        assert_eq!((status, &json["code"], &json["id"]), (200, &json!(200), &json!(ID)), "{json}");
        assert_eq!(json["model"]["type"], "labels");
        let label = &json["result"]["labels"][0];
        assert_eq!(label["name"], expected["name"]);
        let apart = label["confidence"].as_f64().unwrap() - expected["probability"].as_f64().unwrap();
        assert!(apart.abs() < 1e-5, "{label} {expected}");
        assert_eq!(label["categories"][0], "landmark");
    }
    let caption = ask(&server, "/api/v1/vision/caption", &asked).json["result"]["caption"].clone();
    let place = &expected["place"];
    let text = [&expected["name"], &place["locality"], &place["country"]].map(|part| part.as_str().unwrap());
    assert_eq!(caption["text"], text.join(", "));
}

#[test]
fn three_views_are_one_photo_whose_probabilities_are_averaged() {
    let server = TestServer::start(ServeConfig::default(), Shipped::ALL_LANDMARKS);
    let photos = Photos::draw();
    let names = ["castle.png", "dome.png", "tower.png"];
    // By hand: the mean of the views' softmax, of which the temperature is the root. What a row has is of that temperature.
    let temperature = Shipped::ALL_LANDMARKS.open().unwrap().0.info().temperature;
    let mut means = HashMap::<String, f64>::new();
    for name in names {
        let row = row(&server, &photos.path(name), 1000);
        let weights: Vec<(String, f64)> = crate::native::probabilities(&row)
            .into_iter()
            .map(|(class, probability)| (class, probability.powf(temperature)))
            .collect();
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        for (class, weight) in weights {
            *means.entry(class).or_default() += weight / sum / 3.0;
        }
    }
    let roots = means.into_iter().map(|(class, mean)| (class, mean.powf(temperature.recip())));
    let roots: Vec<(String, f64)> = roots.collect();
    let sum: f64 = roots.iter().map(|(_, root)| root).sum();
    let (name, root) = roots.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    let mean = root / sum;
    let views = names.map(|name| view(&photos, name));
    let answer = ask(&server, LABELS, &request(&views)).json;
    let labels = answer["result"]["labels"].as_array().unwrap();
    assert_eq!((labels.len(), labels[0]["name"].as_str()), (1, Some(name.as_str())), "{answer}");
    let confidence = labels[0]["confidence"].as_f64().unwrap();
    assert!((confidence - mean).abs() < 1e-4, "{confidence}, mean {mean}");
}

#[test]
fn no_landmark_is_an_empty_list_and_errors_name_the_request() {
    let server = TestServer::start(ServeConfig::default(), Shipped::NO_LANDMARKS);
    let photos = Photos::draw();
    let none = ask(&server, LABELS, &request(&[view(&photos, "castle.png")]));
    assert_eq!((none.status, &none.json["result"]), (200, &json!({"labels": []})), "{}", none.json);
    let caption = ask(&server, "/api/v1/vision/caption", &request(&[view(&photos, "castle.png")]));
    assert_eq!((caption.status, &caption.json["result"]["caption"]["text"]), (200, &json!("")));

    for (asked, word) in [
        (request(&[view(&photos, "castle.png"), view(&photos, "broken.jpg")]), ""),
        (request(&["castle.png".to_owned()]), "data URL"),
        (json!({"id": ID, "url": "https://photos.example.org/a.jpg", "images": []}), "--allow-urls"),
        (json!({"id": ID}), "images"),
    ] {
        let Answer { status, json } = ask(&server, LABELS, &asked);
        assert!((400..500).contains(&status), "{status} {json}");
        assert_eq!((&json["code"], &json["id"]), (&json!(status), &json!(ID)), "{json}");
        let error = json["error"].as_str().unwrap();
        assert!(!error.is_empty() && error.contains(word), "{error}");
    }
    let malformed = ask(&server, LABELS, &json!([1]));
    assert_eq!((malformed.status, &malformed.json["code"]), (400, &json!(400)), "{}", malformed.json);
}
