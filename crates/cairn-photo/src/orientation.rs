//! How a stored picture has to be turned to be upright, by its EXIF data or its XMP packet.

use image::metadata::Orientation;
use memchr::memmem;

use crate::embedded::Embedded;
use crate::ifd::Tiff;

/// EXIF's and TIFF's tag Orientation.
const ORIENTATION: u16 = 0x0112;

/// The orientation that a file's EXIF data names, else the one that its XMP packet names.
///
/// As in Pillow, the EXIF value may be of any integer type, though the standard allows SHORT alone.
pub(crate) fn orientation(embedded: &Embedded<'_>) -> Option<Orientation> {
    let in_exif = embedded.exif.as_deref().and_then(in_exif);
    in_exif.or_else(|| embedded.xmp.as_deref().and_then(in_xmp))
}

/// Of the first directory of a TIFF structure.
fn in_exif(exif: &[u8]) -> Option<Orientation> {
    let tiff = Tiff::of(exif)?;
    let value = tiff.directory(tiff.first()?)?.integer(ORIENTATION)?;
    Orientation::from_exif(u8::try_from(value).ok()?)
}

/// Of the property `tiff:Orientation`, which is an attribute (`tiff:Orientation="6"`) or an element
/// (`<tiff:Orientation>6</tiff:Orientation>`).
fn in_xmp(xmp: &[u8]) -> Option<Orientation> {
    const NAME: &[u8] = b"tiff:Orientation";
    memmem::find_iter(xmp, NAME).find_map(|at| {
        let rest = xmp[at + NAME.len()..].trim_ascii_start();
        let value = match rest.split_first()? {
            (b'=', value) => {
                value.trim_ascii_start().strip_prefix(b"\"").or(value.trim_ascii_start().strip_prefix(b"'"))
            }
            (b'>', value) => Some(value),
            _ => None,
        }?;
        let (digit, after) = value.trim_ascii_start().split_first()?;
        let ends = matches!(after.trim_ascii_start().first()?, b'"' | b'\'' | b'<');
        ends.then(|| Orientation::from_exif(digit.checked_sub(b'0')?)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_xmp(xmp: &str) -> Option<Orientation> {
        in_xmp(xmp.as_bytes())
    }

    #[test]
    fn xmp_names_the_orientation_as_attribute_or_element() {
        let six = Some(Orientation::Rotate90);
        assert_eq!(of_xmp(r#"<rdf:Description tiff:Orientation="6" tiff:Make="x"/>"#), six);
        assert_eq!(of_xmp("<rdf:Description tiff:Orientation = '6'/>"), six);
        assert_eq!(of_xmp("<tiff:Orientation>6</tiff:Orientation>"), six);
        assert_eq!(of_xmp("<tiff:Orientation>\n 6 \n</tiff:Orientation>"), six);
    }

    #[test]
    fn what_is_no_orientation_is_none() {
        for xmp in [
            "",
            "tiff:Orientation",
            "<tiff:Orientation>",
            "<tiff:Orientation/>",
            r#"tiff:Orientation="9""#,
            r#"tiff:Orientation="0""#,
            r#"tiff:Orientation="61""#,
            r#"tiff:Orientation="6"#,
            r#"tiff:Orientation=""#,
        ] {
            assert_eq!(of_xmp(xmp), None, "{xmp}");
        }
    }

    /// A directory of one entry: orientation in the bytes of a value of the given type.
    fn exif(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12".to_vec();
        bytes.extend(kind.to_be_bytes());
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(value);
        bytes.resize(26, 0);
        bytes
    }

    #[test]
    fn an_orientation_of_any_integer_type_counts() {
        let types: [(u16, &[u8]); 7] = [
            (1, &[6]),
            (3, &[0, 6]),
            (4, &[0, 0, 0, 6]),
            (6, &[6]),
            (7, &[6]),
            (8, &[0, 6]),
            (9, &[0, 0, 0, 6]),
        ];
        for (kind, value) in types {
            assert_eq!(in_exif(&exif(kind, value)), Some(Orientation::Rotate90), "type {kind}");
        }
        assert_eq!(in_exif(&exif(8, &[0xFF, 0xFA])), None, "-6");
        assert_eq!(in_exif(&exif(4, &[0, 1, 0, 6])), None, "65,542");
        assert_eq!(in_exif(&exif(2, b"6\0")), None, "text");
    }

    #[test]
    fn exif_counts_more_than_xmp() {
        let xmp = Some(b"<tiff:Orientation>3</tiff:Orientation>".as_slice().into());
        let both = Embedded { exif: Some(exif(3, &[0, 6]).into()), xmp, ..Embedded::default() };
        assert_eq!(orientation(&both), Some(Orientation::Rotate90));
        let damaged = Embedded { exif: Some(exif(3, &[0, 0]).into()), ..both };
        assert_eq!(orientation(&damaged), Some(Orientation::Rotate180));
        assert_eq!(orientation(&Embedded::default()), None);
    }
}
