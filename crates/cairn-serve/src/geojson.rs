//! Answers as GeoJSON (RFC 7946), for maps.

use cairn_model::rows::Row;
use cairn_places::Place;
use serde_json::{Value, json};

/// The media type of GeoJSON.
pub(crate) const GEOJSON: &str = "application/geo+json";

/// A row as a feature: a point where the landmark stands that the photo is taken to show. A photo without one has no
/// geometry, as the standard has it of things that are nowhere.
pub(crate) fn photo_feature(row: &Row<'_>) -> Value {
    let landmark = row.landmark();
    let place = landmark.and_then(|landmark| landmark.place.as_ref());
    let mut feature = place.map_or_else(|| feature(Value::Null, json!({})), place_feature);
    let properties = &mut feature["properties"];
    properties["photo"] = json!(row.photo);
    if let Some(landmark) = landmark {
        properties["class"] = json!(landmark.class);
        properties["name"] = json!(landmark.name);
        properties["probability"] = json!(landmark.probability);
    }
    if let Some(error) = row.error() {
        properties["error"] = json!(error);
    }
    feature
}

/// A place as a feature.
pub(crate) fn place_feature(place: &Place) -> Value {
    let point =
        json!({"type": "Point", "coordinates": [place.longitude.degrees(), place.latitude.degrees()]});
    let properties = json!({
        "name": place.name,
        "locality": place.locality,
        "country": place.country,
        "wikidata": place.wikidata.as_ref().map(ToString::to_string),
    });
    feature(point, properties)
}

/// A feature.
pub(crate) fn feature(geometry: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": geometry, "properties": properties})
}

/// Features as one document.
pub(crate) fn collection(features: Vec<Value>) -> Value {
    json!({"type": "FeatureCollection", "features": features})
}
