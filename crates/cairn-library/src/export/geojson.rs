//! GeoJSON (RFC 7946).

use std::io::{self, Write};

use cairn_dataset::path_text;
use cairn_map::geojson::{feature, point, write_collection};
use serde_json::json;

use super::Export;

/// A point for each marked photo, where its landmark is; the camera's own position is a property.
pub(super) fn write(export: &Export<'_>, out: &mut impl Write) -> io::Result<()> {
    let features = export.marked().filter_map(|row| {
        let place = row.place.as_ref()?;
        let properties = json!({
            "photo": path_text(&row.path),
            "landmark": row.assessed.landmark,
            "wikidata": row.assessed.wikidata,
            "country": place.country,
            "probability": row.assessed.probability,
            "confirmed": row.assessed.confirmed,
            "taken": row.taken(),
            "camera": row.position().map(|own| [own.longitude, own.latitude]),
        });
        Some(feature(point(place.latitude.degrees(), place.longitude.degrees()), properties))
    });
    write_collection(features, out)
}
