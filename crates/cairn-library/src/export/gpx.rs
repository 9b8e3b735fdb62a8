//! GPX 1.1.

use std::io::{self, Write};

use super::Export;
use super::xml::xml;

/// A waypoint for each landmark that marked photos show.
pub(super) fn write(export: &Export<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<gpx version="1.1" creator="cairn" xmlns="http://www.topografix.com/GPX/1/1">"#)?;
    for (landmark, rows) in export.by_landmark() {
        let Some(place) = rows.iter().find_map(|row| row.place.as_ref()) else { continue };
        let (latitude, longitude) = (place.latitude.degrees(), place.longitude.degrees());
        let photos = if rows.len() == 1 { "1 photo".to_owned() } else { format!("{} photos", rows.len()) };
        writeln!(
            out,
            r#"<wpt lat="{latitude}" lon="{longitude}"><name>{}</name><desc>{photos}</desc><type>{}</type></wpt>"#,
            xml(landmark),
            xml(&place.kind)
        )?;
    }
    writeln!(out, "</gpx>")
}
