//! Which photos the arguments mean.

use std::path::{Path, PathBuf};

use cairn_photo::is_photo_name;
use walkdir::WalkDir;

/// The photos that `arguments` name: a file as it is, a folder as all photos in it by name, in path order.
///
/// A path that is not there stays in: opening it gives the error that belongs to it.
pub(crate) fn photo_files(arguments: &[PathBuf]) -> Vec<PathBuf> {
    arguments
        .iter()
        .flat_map(|path| if path.is_dir() { photos_in(path) } else { vec![path.clone()] })
        .collect()
}

fn photos_in(folder: &Path) -> Vec<PathBuf> {
    WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.'))
        .filter_map(|entry| match entry {
            Ok(entry) => {
                (entry.file_type().is_file() && is_photo_name(entry.path())).then(|| entry.into_path())
            }
            // What cannot be entered stays in as it is: opening it as a photo gives the error that belongs to it.
            Err(error) => error.path().map(Path::to_owned),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_its_photos_in_order_and_a_missing_file_stays_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("b")).unwrap();
        for name in ["z.JPG", "a.png", "notes.txt", "b/c.webp", ".hidden.jpg"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let missing = PathBuf::from("nowhere.jpg");
        let found = photo_files(&[missing.clone(), folder.path().to_owned()]);
        let expected = ["a.png", "b/c.webp", "z.JPG"].map(|name| folder.path().join(name));
        assert_eq!(found, [&[missing], expected.as_slice()].concat());
    }
}
