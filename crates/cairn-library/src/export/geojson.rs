//! GeoJSON (RFC 7946).

use std::io::{self, Write};

use cairn_dataset::path_text;
use serde_json::json;

use super::Export;

/// A point for each marked photo, where its landmark is; the camera's own position is a property.
pub(super) fn write(export: &Export<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, r#"{{"type":"FeatureCollection","features":["#)?;
    let mut separator = "";
    for row in export.marked() {
        let Some(place) = &row.place else { continue };
        let feature = json!({
            "type": "Feature",
            "geometry": { "type": "Point", "coordinates": [place.longitude, place.latitude] },
            "properties": {
                "photo": path_text(&row.path),
                "landmark": row.assessed.landmark,
                "wikidata": row.assessed.wikidata,
                "country": place.country,
                "probability": row.assessed.probability,
                "confirmed": row.assessed.confirmed,
                "taken": row.taken(),
                "camera": row.position().map(|own| [own.longitude, own.latitude]),
            },
        });
        write!(out, "{separator}{feature}")?;
        separator = ",\n";
    }
    writeln!(out, "\n]}}")
}
