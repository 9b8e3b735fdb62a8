//! Answers as GeoJSON (RFC 7946), for maps.

use cairn_map::geojson::{feature, place_feature};
use cairn_model::rows::Row;
use serde_json::{Value, json};

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
    if let Some(set) = row.set() {
        properties["set"] = json!(set);
    }
    if let Some(error) = row.error() {
        properties["error"] = json!(error);
    }
    feature
}
