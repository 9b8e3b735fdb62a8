//! Writing a photo.

use std::io::{BufWriter, Write};
use std::path::Path;

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
    // The parent of a bare file name is the empty path.
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".cairn-");
    // Temporary files are for their owner alone; a picture is for whomever the umask says.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    let mut buffered = BufWriter::new(file.as_file_mut());
    PngEncoder::new(&mut buffered).write_image(
        photo.pixels(),
        photo.width(),
        photo.height(),
        image::ExtendedColorType::Rgb8,
    )?;
    buffered.flush()?;
    drop(buffered);
    file.persist(path)?;
    Ok(())
}
