//! From a file's bytes to an upright photo on white, by the decoders of the `image` crate.

use std::cell::Cell;
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage, RgbaImage};

use super::{Limits, ReadSize, jpeg, reduced_jpeg};
use crate::{Photo, PhotoError};

/// A [`PhotoError`] that does not know yet of what file it speaks.
#[derive(Debug)]
pub(super) enum DecodeError {
    Truncated,
    Corrupt(String),
    TooLarge { width: u32, height: u32 },
    TooMuchMemory,
    Unsupported(String),
}

impl DecodeError {
    /// The error of the file at `path`, which is in `format`.
    pub(super) fn at(self, path: &Path, format: &'static str, limits: &Limits) -> PhotoError {
        let path = path.to_owned();
        let &Limits { max_pixels, max_bytes } = limits;
        match self {
            DecodeError::Truncated => PhotoError::Truncated { path, format },
            DecodeError::Corrupt(reason) => PhotoError::Corrupt { path, format, reason },
            DecodeError::TooLarge { width, height } => {
                PhotoError::TooLarge { path, width, height, max_pixels }
            }
            DecodeError::TooMuchMemory => PhotoError::TooMuchMemory { path, max_bytes },
            DecodeError::Unsupported(advice) => PhotoError::Unsupported { path, format, advice },
        }
    }
}

impl From<ImageError> for DecodeError {
    fn from(error: ImageError) -> DecodeError {
        match error {
            ImageError::Limits(_) => DecodeError::TooMuchMemory,
            ImageError::Unsupported(_) => {
                DecodeError::Unsupported(format!("convert it to JPEG or PNG ({error})"))
            }
            error => DecodeError::Corrupt(error.to_string()),
        }
    }
}

/// Refuses more pixels than allowed.
pub(super) fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), DecodeError> {
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(DecodeError::TooLarge { width, height });
    }
    Ok(())
}

/// A file's bytes, which take note when somebody wants more of them than there are. How decoders say so differs from
/// one to the next.
struct Watched<'a> {
    bytes: Cursor<&'a [u8]>,
    ran_out: &'a Cell<bool>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            self.ran_out.set(true);
        }
        Ok(count)
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        let available = self.bytes.fill_buf()?;
        if available.is_empty() {
            self.ran_out.set(true);
        }
        Ok(available)
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.consume(amount);
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(position)
    }
}

/// The photo in `bytes`, which are in `format`, turned by `orientation`, at `size`.
pub(super) fn decode(
    bytes: &[u8],
    format: ImageFormat,
    orientation: Orientation,
    size: ReadSize,
    limits: &Limits,
) -> Result<Photo, DecodeError> {
    let ran_out = Cell::new(false);
    if format == ImageFormat::Jpeg {
        if !jpeg::is_complete(bytes) {
            return Err(DecodeError::Truncated);
        }
        return decode_watched(bytes, format, orientation, size, limits, &ran_out);
    }
    decode_watched(bytes, format, orientation, size, limits, &ran_out).map_err(|error| match error {
        DecodeError::Corrupt(_) if ran_out.get() => DecodeError::Truncated,
        error => error,
    })
}

fn decode_watched(
    bytes: &[u8],
    format: ImageFormat,
    orientation: Orientation,
    size: ReadSize,
    limits: &Limits,
    ran_out: &Cell<bool>,
) -> Result<Photo, DecodeError> {
    let mut decoder_limits = image::Limits::no_limits();
    decoder_limits.max_alloc = Some(limits.max_bytes);

    let mut reader = ImageReader::with_format(Watched { bytes: Cursor::new(bytes), ran_out }, format);
    reader.limits(decoder_limits.clone());
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    decoder_limits.reserve(decoder.total_bytes())?;
    decoder.set_limits(decoder_limits)?;

    if format == ImageFormat::Jpeg
        && let Some(photo) = decode_reduced(bytes, [width, height], orientation, size)
    {
        return Ok(photo);
    }
    let image = DynamicImage::from_decoder(decoder)?;
    let rgb = if image.color().has_alpha() {
        DynamicImage::ImageRgba8(laid_on_white(image.into_rgba8())).into_rgb8()
    } else {
        image.into_rgb8()
    };
    upright(rgb, orientation, size)
}

/// A picture as it is stored, turned by `orientation`, at `size`.
pub(super) fn upright(
    picture: RgbImage,
    orientation: Orientation,
    size: ReadSize,
) -> Result<Photo, DecodeError> {
    let mut image = DynamicImage::ImageRgb8(picture);
    image.apply_orientation(orientation);
    let rgb = image.into_rgb8();
    Photo::from_pixels(rgb.width(), rgb.height(), rgb.into_raw())
        .map(|photo| size.resize(photo))
        .ok_or_else(|| DecodeError::Corrupt("it has no pixels".into()))
}

/// The JPEG in `bytes` at `size`, where that is so much less than its own size that not every pixel need be decoded.
fn decode_reduced(
    bytes: &[u8],
    [width, height]: [u32; 2],
    orientation: Orientation,
    size: ReadSize,
) -> Option<Photo> {
    // As stored, the picture may lie on its side; turning comes last, when least is left to turn.
    let target = if on_its_side(orientation) {
        let (upright_width, upright_height) = size.of(height, width);
        [upright_height, upright_width]
    } else {
        size.of(width, height).into()
    };
    let reduced = reduced_jpeg::decode(bytes, [width, height], target)?;
    let photo = reduced.photo.resized_part(reduced.bounds, reduced.part, target);
    if orientation == Orientation::NoTransforms {
        return Some(photo);
    }
    let mut image =
        DynamicImage::ImageRgb8(RgbImage::from_raw(photo.width(), photo.height(), photo.into_pixels())?);
    image.apply_orientation(orientation);
    let upright = image.into_rgb8();
    Photo::from_pixels(upright.width(), upright.height(), upright.into_raw())
}

/// Whether turning the picture upright exchanges its width and height.
fn on_its_side(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

/// The picture as it looks on white paper: every colour in proportion to its alpha, white for the rest.
pub(super) fn laid_on_white(mut picture: RgbaImage) -> RgbaImage {
    for image::Rgba([r, g, b, alpha]) in picture.pixels_mut() {
        let opacity = u32::from(*alpha);
        for value in [r, g, b] {
            // Rounded to the nearest; at most 255, since the two weights sum to 255.
            *value = ((u32::from(*value) * opacity + 255 * (255 - opacity) + 127) / 255) as u8;
        }
        *alpha = 255;
    }
    picture
}
