//! Reading a photo from a file, whatever its format.

mod allowance;
#[cfg(feature = "avif")]
mod avif;
mod colorimetry;
mod content;
mod decode;
mod decode_error;
mod format;
mod heic;
mod jpeg;
mod limits;
mod memory_budget;
mod panics;
mod png_metadata;
mod raw;
mod read_size;
mod reduced_jpeg;
mod regular_file;
mod rgb;
mod tiff;
mod upright;
mod watched;

use std::path::Path;

use image::ImageFormat;
use image::metadata::Orientation;

use crate::embedded::Embedded;
use crate::orientation::orientation;
use crate::{FileKind, Photo, PhotoError};
use allowance::Allowance;
use decode::finished;
use decode_error::DecodeError;
use format::Format;
pub use limits::Limits;
pub use memory_budget::{MemoryBudget, Reservation};
pub use read_size::{ReadSize, SizedPhoto};
use regular_file::{check_length, read_file};

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
    /// While it is decoded, its memory is taken from the [`MemoryBudget`] of the process: it waits until there is room.
    ///
    /// # Errors
    /// [`PhotoError`], which names the file: it is missing, empty, truncated, corrupt, too large, takes too long, is not a
    /// picture at all or of a kind that is not read. A decoder's panic is an error, too.
    pub fn open_at(path: impl AsRef<Path>, size: ReadSize, limits: &Limits) -> Result<Photo, PhotoError> {
        SizedPhoto::open(path, size, limits).map(|sized| sized.photo)
    }

    /// Decodes a photo from the bytes of its file as [`Photo::open_at`] does from the file: by the same limits and memory
    /// budget. `name` is what errors call it.
    ///
    /// # Errors
    /// As of [`Photo::open_at`].
    pub fn decode_at(
        bytes: &[u8],
        name: impl AsRef<Path>,
        size: ReadSize,
        limits: &Limits,
    ) -> Result<Photo, PhotoError> {
        SizedPhoto::decode(bytes, name, size, limits).map(|sized| sized.photo)
    }
}

impl SizedPhoto {
    /// [`Photo::open_at`], which says how large the picture in the file is too.
    ///
    /// # Errors
    /// As of [`Photo::open_at`].
    pub fn open(path: impl AsRef<Path>, size: ReadSize, limits: &Limits) -> Result<Self, PhotoError> {
        open_with_budget(path.as_ref(), size, limits, MemoryBudget::of_process())
    }

    /// [`Photo::decode_at`], which says how large the picture in the file is too.
    ///
    /// # Errors
    /// As of [`Photo::open_at`].
    pub fn decode(
        bytes: &[u8],
        name: impl AsRef<Path>,
        size: ReadSize,
        limits: &Limits,
    ) -> Result<Self, PhotoError> {
        check_length(bytes.len() as u64, name.as_ref(), limits)?;
        decode_with_budget(bytes, name.as_ref(), size, limits, MemoryBudget::of_process())
    }
}

fn open_with_budget(
    path: &Path,
    size: ReadSize,
    limits: &Limits,
    budget: &MemoryBudget,
) -> Result<SizedPhoto, PhotoError> {
    decode_with_budget(&read_file(path, limits)?, path, size, limits, budget)
}

fn decode_with_budget(
    bytes: &[u8],
    path: &Path,
    size: ReadSize,
    limits: &Limits,
    budget: &MemoryBudget,
) -> Result<SizedPhoto, PhotoError> {
    let allowance = Allowance::new(limits, budget, bytes.len() as u64);
    panics::caught(|| {
        let Some(format) = Format::of(bytes) else {
            let what = content::description(bytes);
            return Err(PhotoError::NotAPhoto { path: path.to_owned(), what });
        };
        decode(bytes, format, size, &allowance).map_err(|error| error.at(path, format.name(), limits))
    })
    .unwrap_or_else(|message| Err(PhotoError::Panicked { path: path.to_owned(), message }))
}

fn decode(
    bytes: &[u8],
    format: Format,
    size: ReadSize,
    allowance: &Allowance<'_>,
) -> Result<SizedPhoto, DecodeError> {
    let turned = || orientation(&Embedded::of(bytes)).unwrap_or(Orientation::NoTransforms);
    match format {
        Format::Common(ImageFormat::Tiff) => {
            let orientation = turned();
            let picture = tiff::decode(bytes, orientation, allowance)?;
            finished(picture.dimensions().into(), picture.into_raw(), orientation, size)
        }
        Format::Common(format) => decode::decode(bytes, format, turned(), size, allowance),
        Format::Raw => raw::decode(bytes, size, allowance),
        // Turned by the container, whatever EXIF says.
        Format::Heic => {
            let picture = heic::decode(bytes, allowance)?;
            finished(picture.dimensions().into(), picture.into_raw(), Orientation::NoTransforms, size)
        }
        Format::Avif => decode_avif(bytes, allowance).map(|photo| size.resized(photo)),
        Format::Unread(_) => Err(DecodeError::Unsupported("convert it to JPEG".into())),
    }
}

#[cfg(feature = "avif")]
use avif::decode as decode_avif;

#[cfg(not(feature = "avif"))]
fn decode_avif(_: &[u8], _: &Allowance<'_>) -> Result<Photo, DecodeError> {
    Err(DecodeError::Unsupported("rebuild with `--features avif`, or convert it to JPEG".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 x 100 pixels: 60,000 bytes once they are decoded.
    fn saved(folder: &Path) -> std::path::PathBuf {
        let path = folder.join("photo.png");
        Photo::filled(200, 100, [1, 2, 3]).save_png(&path).unwrap();
        path
    }

    #[test]
    fn a_photo_that_needs_more_than_the_whole_budget_is_an_error_that_says_so() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = saved(folder.path());
        let open =
            |total| open_with_budget(&path, ReadSize::Full, &Limits::default(), &MemoryBudget::new(total));
        assert!(open(70_000).is_ok());
        let error = open(60_000).unwrap_err();
        assert!(matches!(error, PhotoError::MoreThanBudget { budget: 60_000, .. }), "{error}");
        assert!(error.to_string().contains("CAIRN_DECODE_MEMORY"), "{error}");
    }

    #[test]
    fn bytes_are_decoded_by_the_rules_of_files() {
        let folder = tempfile::TempDir::new().unwrap();
        let bytes = std::fs::read(saved(folder.path())).unwrap();
        let decode = |bytes: &[u8], limits: &Limits| {
            Photo::decode_at(bytes, "upload.png", ReadSize::ShortSide(50), limits)
        };
        let limits = Limits::default();
        let photo = decode(&bytes, &limits).unwrap();
        assert_eq!((photo.width(), photo.height()), (100, 50));
        let error = decode(&[], &limits).unwrap_err();
        assert!(
            matches!(error, PhotoError::Empty { .. }) && error.to_string().contains("upload.png"),
            "{error}"
        );
        let error = decode(&bytes[..bytes.len() / 2], &limits).unwrap_err();
        assert!(error.to_string().contains("upload.png"), "{error}");
        let error = decode(&bytes, &Limits { max_bytes: 10, ..limits }).unwrap_err();
        assert!(matches!(error, PhotoError::TooMuchMemory { .. }), "{error}");
        let error = decode(b"no photo at all", &Limits::default()).unwrap_err();
        assert!(matches!(error, PhotoError::NotAPhoto { .. }), "{error}");
    }

    #[test]
    fn readers_wait_for_the_memory_of_others_and_all_are_served() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = saved(folder.path());
        let budget = MemoryBudget::new(140_000);
        let others = budget.reserve(100_000).unwrap();
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| open_with_budget(&path, ReadSize::Full, &Limits::default(), &budget)))
                .collect();
            std::thread::sleep(std::time::Duration::from_millis(100));
            assert!(readers.iter().all(|reader| !reader.is_finished()), "there is no room for 60,000 bytes");
            drop(others);
            for reader in readers {
                assert_eq!(reader.join().unwrap().unwrap().width, 200);
            }
        });
        assert_eq!(budget.used(), 0);
    }
}
