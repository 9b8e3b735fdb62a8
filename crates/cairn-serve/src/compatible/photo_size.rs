//! How large a photo is, by its header.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageReader, Limits};

/// A header needs little memory; profiles and EXIF data may stand before it.
const MOST_BYTES: u64 = 16 << 20;

/// Width and height of a photo once it is upright; `None` of formats whose header is not read here, such as HEIC.
pub(super) fn upright(photo: &[u8]) -> Option<[u32; 2]> {
    let mut reader = ImageReader::new(Cursor::new(photo)).with_guessed_format().ok()?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let on_its_side = matches!(
        decoder.orientation().ok()?,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    Some(if on_its_side { [height, width] } else { [width, height] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_photo::{Photo, PictureKind};

    #[test]
    fn the_size_is_that_of_the_photo_as_people_see_it() {
        let jpeg = Photo::filled(40, 30, [90, 120, 60]).encode(PictureKind::Jpeg).unwrap();
        assert_eq!(upright(&jpeg), Some([40, 30]));
        // The same with EXIF that says: turn it by 90 degrees.
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let length = (2 + 6 + tiff.len() as u16).to_be_bytes();
        let turned = [&jpeg[..2], b"\xff\xe1", &length, b"Exif\0\0", tiff, &jpeg[2..]].concat();
        assert_eq!(upright(&turned), Some([30, 40]));
        assert_eq!(upright(b"no photo"), None);
    }
}
