//! Writing a photo.

use std::io::{BufWriter, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult};

use crate::{Photo, PhotoError};

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// Every pixel as it is.
    Png,
    /// Lossy, at quality 92.
    Jpeg,
    /// Lossless.
    WebP,
}

/// Quality of JPEG files, of 0 to 100.
const JPEG_QUALITY: u8 = 92;

/// The name of a picture's file ends in no kind that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a picture ends in .png, .jpg, .jpeg or .webp")]
struct UnknownKind;

impl PictureKind {
    /// The kind that the file's name ends in.
    ///
    /// # Errors
    /// [`PhotoError::Write`] when the name ends in no kind that is written.
    pub fn of(path: &Path) -> Result<PictureKind, PhotoError> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match ending.as_str() {
            "png" => Ok(PictureKind::Png),
            "jpg" | "jpeg" => Ok(PictureKind::Jpeg),
            "webp" => Ok(PictureKind::WebP),
            _ => Err(PhotoError::Write { path: path.to_owned(), source: Box::new(UnknownKind) }),
        }
    }
}

impl Photo {
    /// Writes the photo as what the file's name ends in: to a temporary file in the same folder, then renamed, so that
    /// no program ever sees half a picture.
    ///
    /// # Errors
    /// [`PhotoError::Write`] if the name ends in no [`PictureKind`], or the folder is missing, read-only or full.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PhotoError> {
        let path = path.as_ref();
        let kind = PictureKind::of(path)?;
        write(self, kind, path).map_err(|source| PhotoError::Write { path: path.to_owned(), source })
    }

    /// The bytes of the photo's file as a picture of this kind.
    ///
    /// # Errors
    /// [`PhotoError::Write`] if the picture is too large for its kind.
    pub fn encode(&self, kind: PictureKind) -> Result<Vec<u8>, PhotoError> {
        let mut bytes = Vec::new();
        encode(self, kind, &mut bytes)
            .map_err(|source| PhotoError::Write { path: "(memory)".into(), source: source.into() })?;
        Ok(bytes)
    }

    /// Writes the photo as a PNG, whatever the file's name; else as [`Photo::save`].
    ///
    /// # Errors
    /// [`PhotoError::Write`] if the folder is missing, read-only or full.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<(), PhotoError> {
        let path = path.as_ref();
        write(self, PictureKind::Png, path)
            .map_err(|source| PhotoError::Write { path: path.to_owned(), source })
    }
}

fn write(
    photo: &Photo,
    kind: PictureKind,
    path: &Path,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut file = AtomicWriteFile::open(path)?;
    let mut buffered = BufWriter::new(&mut file);
    encode(photo, kind, &mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.commit()?;
    Ok(())
}

fn encode(photo: &Photo, kind: PictureKind, mut out: impl Write) -> ImageResult<()> {
    let (pixels, width, height) = (photo.pixels(), photo.width(), photo.height());
    let color = ExtendedColorType::Rgb8;
    match kind {
        PictureKind::Png => PngEncoder::new(&mut out).write_image(pixels, width, height, color),
        PictureKind::Jpeg => {
            JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY).write_image(pixels, width, height, color)
        }
        PictureKind::WebP => WebPEncoder::new_lossless(&mut out).write_image(pixels, width, height, color),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_written_as_its_name_says_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let photo = Photo::filled(20, 10, [200, 100, 50]);
        for (name, magic) in [
            ("a.png", &b"\x89PNG"[..]),
            ("a.JPG", b"\xff\xd8\xff"),
            ("a.jpeg", b"\xff\xd8\xff"),
            ("a.webp", b"RIFF"),
        ] {
            let path = folder.path().join(name);
            photo.save(&path).unwrap();
            assert!(std::fs::read(&path).unwrap().starts_with(magic), "{name}");
            let read = Photo::open(&path).unwrap();
            let close = read.pixels().iter().zip(photo.pixels()).all(|(a, b)| a.abs_diff(*b) <= 4);
            assert!(close && (read.width(), read.height()) == (20, 10), "{name}");
            let in_memory = photo.encode(PictureKind::of(&path).unwrap()).unwrap();
            assert_eq!(in_memory, std::fs::read(&path).unwrap(), "{name}");
        }
        for name in ["a.gif", "a.npy", "png", "a"] {
            let error = photo.save(folder.path().join(name)).unwrap_err();
            assert!(matches!(error, PhotoError::Write { .. }), "{name}: {error}");
            assert!(!folder.path().join(name).exists(), "{name}");
        }
    }
}
