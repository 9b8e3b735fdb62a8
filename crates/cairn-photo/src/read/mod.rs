//! Reading a photo from a file, whatever its format.

mod allowance;
#[cfg(feature = "avif")]
mod avif;
mod decode;
mod format;
mod jpeg;
mod limits;
mod memory_budget;
mod panics;
mod png_metadata;
mod read_size;
mod reduced_jpeg;
mod regular_file;
mod rgb;
mod upright;

use std::path::Path;

use crate::{FileKind, Photo, PhotoError};
use allowance::Allowance;
use decode::DecodeError;
use format::Format;
pub use limits::Limits;
pub use memory_budget::{MemoryBudget, Reservation};
pub use read_size::ReadSize;
use regular_file::read_file;

/// Whether a file of this name is regarded as a photo: [`FileKind::is_photo`] of its name.
pub fn is_photo_name(path: impl AsRef<Path>) -> bool {
    FileKind::of_name(path).is_photo()
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
    /// JPEG (also grey, CMYK, and the first picture of an MPO), PNG, WebP, GIF (first frame), BMP and TIFF are read,
    /// and AVIF with the Cargo feature `avif`. The content tells the format; the file's name does not matter. 16-bit
    /// colours are scaled to 8 bits. The EXIF orientation of JPEG, PNG, WebP and TIFF is applied. Colour profiles are
    /// ignored, as torchvision's loader ignores them.
    ///
    /// The photo is what [`Photo::resized`] makes of every pixel of the file; but a JPEG that is wanted much smaller is
    /// decoded at a fraction of its size first, which takes a third of the time and differs by less than two levels in
    /// the mean.
    ///
    /// While it is decoded, its memory is taken from the [`MemoryBudget`] of the process: it waits until there is room.
    ///
    /// # Errors
    /// [`PhotoError`], which names the file: it is missing, empty, truncated, corrupt, too large, takes too long, is not a
    /// picture at all or of a kind that is not read. A decoder's panic is an error, too.
    pub fn open_at(path: impl AsRef<Path>, size: ReadSize, limits: &Limits) -> Result<Photo, PhotoError> {
        open_with_budget(path.as_ref(), size, limits, MemoryBudget::of_process())
    }
}

fn open_with_budget(
    path: &Path,
    size: ReadSize,
    limits: &Limits,
    budget: &MemoryBudget,
) -> Result<Photo, PhotoError> {
    let bytes = read_file(path, limits)?;
    let Some(format) = Format::of(&bytes) else {
        return Err(PhotoError::NotAPhoto { path: path.to_owned() });
    };
    let allowance = Allowance::new(limits, budget, bytes.len() as u64);
    let decoded = panics::caught(|| {
        match format {
        Format::Common(format) => decode::decode(&bytes, format, size, &allowance),
        Format::Avif => decode_avif(&bytes, &allowance).map(|photo| size.resize(photo)),
        Format::Heic => Err(DecodeError::Unsupported(
            "convert it to JPEG, for example with `heif-convert photo.heic photo.jpg`, or set the phone's camera to \
             \"most compatible\" and export it again"
                .into(),
        )),
    }
    });
    let decoded = decoded.unwrap_or_else(|message| Err(DecodeError::Panicked(message)));
    decoded.map_err(|error| error.at(path, format.name(), limits))
}

#[cfg(feature = "avif")]
use avif::decode as decode_avif;

#[cfg(not(feature = "avif"))]
fn decode_avif(_: &[u8], _: &Allowance<'_>) -> Result<Photo, DecodeError> {
    Err(DecodeError::Unsupported("rebuild with `--features avif`, or convert it to JPEG".into()))
}
