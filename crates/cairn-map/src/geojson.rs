//! Places and photos as GeoJSON (RFC 7946).

use std::io::{self, Write};

use cairn_places::Place;
use serde_json::{Value, json};

/// The media type of GeoJSON.
pub const MEDIA_TYPE: &str = "application/geo+json";

/// A feature. A thing that is nowhere has no geometry: `null`.
pub fn feature(geometry: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": geometry, "properties": properties})
}

/// A point of these degrees north and east, WGS 84.
pub fn point(latitude: f64, longitude: f64) -> Value {
    json!({"type": "Point", "coordinates": [longitude, latitude]})
}

/// A place as a feature.
pub fn place_feature(place: &Place) -> Value {
    let properties = json!({
        "name": place.name,
        "locality": place.locality,
        "country": place.country,
        "wikidata": place.wikidata.as_ref().map(ToString::to_string),
    });
    feature(point(place.latitude.degrees(), place.longitude.degrees()), properties)
}

/// Features as one document.
pub fn collection(features: Vec<Value>) -> Value {
    json!({"type": "FeatureCollection", "features": features})
}

/// Writes features as one document, a feature a line; only one is in memory at a time.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_collection(features: impl IntoIterator<Item = Value>, out: &mut impl Write) -> io::Result<()> {
    write!(out, r#"{{"type":"FeatureCollection","features":["#)?;
    let mut separator = "\n";
    for feature in features {
        write!(out, "{separator}{feature}")?;
        separator = ",\n";
    }
    writeln!(out, "\n]}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_that_is_written_line_by_line_is_the_same_document() {
        for count in 0..3 {
            let features: Vec<Value> =
                (0..count).map(|index| feature(point(48.8584, 2.2945), json!({"photo": index}))).collect();
            let mut out = Vec::new();
            write_collection(features.clone(), &mut out).unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), collection(features));
        }
    }

    #[test]
    fn longitude_comes_first() {
        assert_eq!(point(48.8584, 2.2945)["coordinates"], json!([2.2945, 48.8584]));
    }
}
