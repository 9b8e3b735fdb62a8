//! Which photos the arguments mean.

use std::path::{Path, PathBuf};

use cairn_photo::PHOTO_EXTENSIONS;
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
        // A folder that cannot be entered hides its photos; the walk goes on beside it.
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && is_photo_name(entry.path()))
        .map(walkdir::DirEntry::into_path)
        .collect()
}

fn is_photo_name(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    extension.is_some_and(|e| PHOTO_EXTENSIONS.contains(&e.as_str()))
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
