//! KML (OGC 12-007r2).

use std::io::{self, Write};

use cairn_dataset::path_text;

use super::Export;
use super::xml::xml;

/// A folder for each landmark, a placemark for each marked photo: where the camera was if the photo says so, else where the
/// landmark is.
pub(super) fn write(export: &Export<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>Landmarks</name>"#)?;
    for (landmark, rows) in export.by_landmark() {
        writeln!(out, "<Folder><name>{}</name>", xml(landmark))?;
        for row in rows {
            let Some(place) = &row.place else { continue };
            let (latitude, longitude) =
                row.position().map_or((place.latitude.degrees(), place.longitude.degrees()), |own| {
                    (own.latitude, own.longitude)
                });
            let name = row.path.file_name().unwrap_or_default();
            writeln!(out, "<Placemark><name>{}</name>", xml(&path_text(name)))?;
            writeln!(
                out,
                "<description>{} ({})</description>",
                xml(&place.summary()),
                xml(&path_text(&row.path))
            )?;
            if let Some(taken) = row.taken() {
                writeln!(out, "<TimeStamp><when>{taken}</when></TimeStamp>")?;
            }
            writeln!(out, "<Point><coordinates>{longitude},{latitude}</coordinates></Point></Placemark>")?;
        }
        writeln!(out, "</Folder>")?;
    }
    writeln!(out, "</Document></kml>")
}
