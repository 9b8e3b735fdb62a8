//! What XMP says of the place, and of the photo that a sidecar belongs to.

use std::fs;
use std::path::Path;

use crate::state::{Position, PositionSource};
use crate::xmp::{Packet, Property};

/// Sidecars are small; what is larger is none.
const MAX_SIDECAR_BYTES: u64 = 16 << 20;

/// The camera's position in an XMP packet. Not that of a place that is shown, and not cairn's own estimate.
pub(super) fn in_xmp(packet: &[u8], source: PositionSource) -> Option<Position> {
    let packet = Packet::parse(packet).ok()?;
    let text = |property| packet.text(property).ok().flatten();
    let is_estimate = text(Property::GPS_METHOD).as_deref() == Some("MANUAL")
        && packet.get(Property::MARKS).is_ok_and(|marks| marks.is_some());
    if is_estimate {
        return None;
    }
    let latitude = degrees(&text(Property::GPS_LATITUDE)?, ['N', 'S'])?;
    let longitude = degrees(&text(Property::GPS_LONGITUDE)?, ['E', 'W'])?;
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    let error_m = text(Property::GPS_ERROR).and_then(|text| number(&text)).filter(|metres| *metres > 0.0);
    (on_earth && (latitude, longitude) != (0.0, 0.0)).then_some(Position {
        latitude,
        longitude,
        error_m,
        source,
    })
}

/// The extension that a sidecar claims as its photo's (`photoshop:SidecarForExtension`).
pub(super) fn claimed_extension(sidecar: &Path) -> Option<String> {
    let is_small = fs::metadata(sidecar).is_ok_and(|file| file.is_file() && file.len() <= MAX_SIDECAR_BYTES);
    let bytes = fs::read(sidecar).ok().filter(|_| is_small)?;
    Packet::parse(&bytes).ok()?.text(Property::SIDECAR_FOR_EXTENSION).ok().flatten()
}

/// XMP's `48,51.5N` or `48,51,30N`; some programs write decimal degrees.
fn degrees(text: &str, [positive, negative]: [char; 2]) -> Option<f64> {
    let text = text.trim();
    let (numbers, sign) = match text.chars().next_back()?.to_ascii_uppercase() {
        letter if letter == positive => (&text[..text.len() - 1], 1.0),
        letter if letter == negative => (&text[..text.len() - 1], -1.0),
        _ => return text.parse().ok(),
    };
    let mut parts = numbers.split(',').map(|part| part.trim().parse::<f64>().ok());
    let degrees = parts.next()??;
    let [minutes, seconds] = [(); 2].map(|()| parts.next().unwrap_or(Some(0.0)));
    Some(sign * (degrees + minutes? / 60.0 + seconds? / 3600.0))
}

/// A number, or XMP's rational `47/10`.
fn number(text: &str) -> Option<f64> {
    match text.split_once('/') {
        Some((numerator, denominator)) => {
            let (numerator, denominator): (f64, f64) = (numerator.parse().ok()?, denominator.parse().ok()?);
            (denominator != 0.0).then(|| numerator / denominator)
        }
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(properties: &str) -> String {
        format!(
            r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
            <rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"
            xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">{properties}</rdf:Description></rdf:RDF></x:xmpmeta>"#
        )
    }

    fn position(properties: &str) -> Option<(f64, f64)> {
        in_xmp(packet(properties).as_bytes(), PositionSource::Sidecar)
            .map(|position| (position.latitude, position.longitude))
    }

    #[test]
    fn a_position_is_read_in_both_forms() {
        let of = |latitude: &str, longitude: &str| {
            position(&format!(
                "<exif:GPSLatitude>{latitude}</exif:GPSLatitude><exif:GPSLongitude>{longitude}</exif:GPSLongitude>"
            ))
        };
        assert_eq!(of("48,51.0N", "2,18.0W"), Some((48.85, -2.3)));
        assert_eq!(of("48,30,36S", "2,0,0E"), Some((-48.51, 2.0)));
        assert_eq!(of("0,0N", "0,0E"), None);
        assert_eq!(of("99,0N", "0,0E"), None);
        assert_eq!(of("x", ""), None);
    }

    #[test]
    fn the_place_that_a_photo_shows_is_not_where_the_camera_was() {
        let shown = "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li rdf:parseType=\"Resource\">\
             <exif:GPSLatitude>48,51N</exif:GPSLatitude><exif:GPSLongitude>2,18E</exif:GPSLongitude>\
             </rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>";
        assert_eq!(position(shown), None);
    }
}
