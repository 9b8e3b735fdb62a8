//! Reading a photo from a file, whatever its format.

#[cfg(feature = "avif")]
mod avif;
mod colorimetry;
mod content;
mod decode;
mod format;
mod heic;
mod jpeg;
mod raw;
mod read_size;
mod reduced_jpeg;
mod tiff;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use image::ImageFormat;
use image::metadata::Orientation;

use crate::embedded::Embedded;
use crate::orientation::orientation;
use crate::{FileKind, Photo, PhotoError};
use decode::{DecodeError, upright};
use format::Format;
pub use read_size::ReadSize;

/// Whether a file of this name is regarded as a photo: [`FileKind::is_photo`] of its name.
pub fn is_photo_name(path: impl AsRef<Path>) -> bool {
    FileKind::of_name(path).is_photo()
}

/// How much a photo may take, to be safe from small files that decode to gigabytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, checked against the file's header before any pixel is decoded.
    pub max_pixels: u64,
    /// Most bytes of a file, of its decoded pixels in the file's own colour type, and of what its decoder asks for
    /// besides, where the decoder keeps account of that.
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
    /// As of [`Photo::open_at`].
    pub fn open(path: impl AsRef<Path>) -> Result<Photo, PhotoError> {
        Photo::open_within(path, &Limits::default())
    }

    /// Reads every pixel of a photo; see [`Photo::open_at`].
    ///
    /// # Errors
    /// As of [`Photo::open_at`].
    pub fn open_within(path: impl AsRef<Path>, limits: &Limits) -> Result<Photo, PhotoError> {
        Photo::open_at(path, ReadSize::Full, limits)
    }

    /// Reads a photo at the size at which it is wanted, turns it upright and lays what is transparent on white.
    ///
    /// JPEG (also grey, CMYK, and the first picture of an MPO), PNG, WebP, GIF (first frame), BMP, TIFF and BigTIFF
    /// (first picture), HEIC, and the largest JPEG in cameras' raw files are read, and AVIF with the Cargo feature
    /// `avif`. The content tells the format; the file's name does not matter. 16-bit colours are scaled to 8 bits. The
    /// orientation that EXIF or XMP names is applied, in HEIC and AVIF what the container says instead. Colour profiles
    /// are ignored, as torchvision's loader ignores them.
    ///
    /// The photo is what [`Photo::resized`] makes of every pixel of the file; but a JPEG that is wanted much smaller is
    /// decoded at a fraction of its size first, which takes a third of the time and differs by less than two levels in
    /// the mean.
    ///
    /// # Errors
    /// [`PhotoError`], which names the file: it is missing, empty, truncated, corrupt, too large, not a picture at all
    /// or of a kind that is not read.
    pub fn open_at(path: impl AsRef<Path>, size: ReadSize, limits: &Limits) -> Result<Photo, PhotoError> {
        let path = path.as_ref();
        let bytes = read_file(path, limits)?;
        let Some(format) = Format::of(&bytes) else {
            let what = content::description(&bytes);
            return Err(PhotoError::NotAPhoto { path: path.to_owned(), what });
        };
        let turned = || orientation(&Embedded::of(&bytes)).unwrap_or(Orientation::NoTransforms);
        let decoded = match format {
            Format::Common(ImageFormat::Tiff) => {
                tiff::decode(&bytes, limits).and_then(|picture| upright(picture, turned(), size))
            }
            Format::Common(format) => decode::decode(&bytes, format, turned(), size, limits),
            Format::Raw => raw::decode(&bytes, size, limits),
            // Turned by the container, whatever EXIF says.
            Format::Heic => heic::decode(&bytes, limits)
                .and_then(|picture| upright(picture, Orientation::NoTransforms, size)),
            Format::Avif => decode_avif(&bytes, limits).map(|photo| size.resize(photo)),
            Format::Unread(_) => Err(DecodeError::Unsupported("convert it to JPEG".into())),
        };
        decoded.map_err(|error| error.at(path, format.name(), limits))
    }
}

#[cfg(feature = "avif")]
use avif::decode as decode_avif;

#[cfg(not(feature = "avif"))]
fn decode_avif(_: &[u8], _: &Limits) -> Result<Photo, DecodeError> {
    Err(DecodeError::Unsupported("rebuild with `--features avif`, or convert it to JPEG".into()))
}

/// The whole file, as far as the limit allows.
fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let io_error = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => PhotoError::NotFound { path: path.to_owned() },
        _ => PhotoError::Io { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(io_error)?;
    let expected = file.metadata().map_err(io_error)?.len().min(limits.max_bytes);
    // One byte more than the file has: reading stops where there is room left. (On 32 bits a limit may not fit.)
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default().saturating_add(1));
    // One byte more than allowed tells a file that is too long; a device never ends, so its length can't be asked for.
    file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(io_error)?;
    if bytes.is_empty() {
        return Err(PhotoError::Empty { path: path.to_owned() });
    }
    if bytes.len() as u64 > limits.max_bytes {
        return Err(PhotoError::TooMuchMemory { path: path.to_owned(), max_bytes: limits.max_bytes });
    }
    Ok(bytes)
}
