//! Small pictures in the page itself.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cairn_photo::{Limits, Photo, ReadSize};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

/// The shorter side of a thumbnail, and how good its JPEG is.
const SIDE: u32 = 180;
const QUALITY: u8 = 72;

/// The photo as a JPEG in a `data:` address; `None` where it cannot be read.
pub(super) fn data_uri(path: &Path) -> Option<String> {
    let photo = Photo::open_at(path, ReadSize::ShortSide(SIDE), &Limits::default()).ok()?;
    // No larger than the page shows it; the page itself cuts what is higher than wide.
    let photo = photo.center_cropped(photo.width().min(SIDE * 4 / 3), photo.height().min(SIDE));
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(photo.pixels(), photo.width(), photo.height(), ExtendedColorType::Rgb8)
        .ok()?;
    Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}
