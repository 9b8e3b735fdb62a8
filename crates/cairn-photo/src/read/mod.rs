//! Reading a photo from a file, whatever its format.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use crate::{Photo, PhotoError};

/// What the names of photos end in, in lower case: what a walk through a folder regards as a photo.
///
/// HEIC and AVIF are among them although they are not read (AVIF: not without the feature `avif`), so that somebody who
/// has such photos is told so.
pub const PHOTO_EXTENSIONS: &[&str] = &[
    "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif",
];

/// How much a photo may take, to be safe from files that are small but decode to gigabytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, checked against the header before any pixel is decoded.
    pub max_pixels: u64,
    /// Most bytes of a file, and most bytes that its decoder may ask for.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 200 megapixels and one gibibyte.
    fn default() -> Limits {
        Limits { max_pixels: 200_000_000, max_bytes: 1 << 30 }
    }
}

impl Photo {
    /// Reads a photo with the default [`Limits`]; see [`Photo::open_within`].
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Photo, PhotoError> {
        Photo::open_within(path, &Limits::default())
    }

    /// Reads a photo, turns it upright by its EXIF orientation and lays what is transparent on white.
    ///
    /// The format is told by the content; the name does not matter. Colour profiles are ignored.
    ///
    /// # Errors
    /// See [`PhotoError`].
    pub fn open_within(path: impl AsRef<Path>, limits: &Limits) -> Result<Photo, PhotoError> {
        let path = path.as_ref();
        let bytes = read_file(path, limits)?;
        decode(&bytes, path, limits)
    }
}

/// The whole file, no longer than the limit allows.
fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let io_error = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => PhotoError::NotFound { path: path.to_owned() },
        _ => PhotoError::Io { path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(io_error)?;
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(io_error)?;
    if bytes.is_empty() {
        return Err(PhotoError::Empty { path: path.to_owned() });
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(PhotoError::TooMuchMemory { path: path.to_owned(), max_bytes: limits.max_bytes });
    }
    Ok(bytes)
}

fn decode(bytes: &[u8], path: &Path, limits: &Limits) -> Result<Photo, PhotoError> {
    let corrupt = |error: ImageError| PhotoError::Corrupt {
        path: path.to_owned(),
        format: "picture",
        reason: error.to_string(),
    };
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|source| PhotoError::Io { path: path.to_owned(), source })?;
    if reader.format().is_none() {
        return Err(PhotoError::NotAPhoto { path: path.to_owned() });
    }
    let mut decoder = reader.into_decoder().map_err(corrupt)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(PhotoError::TooLarge {
            path: path.to_owned(),
            width,
            height,
            max_pixels: limits.max_pixels,
        });
    }
    let orientation = decoder.orientation().map_err(corrupt)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(corrupt)?;
    image.apply_orientation(orientation);
    let rgb = image.into_rgb8();
    Photo::from_pixels(rgb.width(), rgb.height(), rgb.into_raw())
        .ok_or_else(|| PhotoError::NotAPhoto { path: path.to_owned() })
}
