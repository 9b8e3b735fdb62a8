//! Writing a photo.

use std::io::{BufWriter, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;
use image::ImageEncoder;
use image::codecs::png::PngEncoder;

use crate::{Photo, PhotoError};

impl Photo {
    /// Writes the photo as a PNG: to a temporary file in the same folder, then renamed, so that nobody ever sees half a
    /// picture.
    ///
    /// # Errors
    /// [`PhotoError::Write`] if the folder is missing, read-only or full.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<(), PhotoError> {
        let path = path.as_ref();
        write_png(self, path).map_err(|source| PhotoError::Write { path: path.to_owned(), source })
    }
}

fn write_png(photo: &Photo, path: &Path) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut file = AtomicWriteFile::open(path)?;
    let mut buffered = BufWriter::new(&mut file);
    PngEncoder::new(&mut buffered).write_image(
        photo.pixels(),
        photo.width(),
        photo.height(),
        image::ExtendedColorType::Rgb8,
    )?;
    buffered.flush()?;
    drop(buffered);
    file.commit()?;
    Ok(())
}
