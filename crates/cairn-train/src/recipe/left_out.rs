//! Training photos that a recipe leaves out.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use cairn_dataset::{ImageFolder, read_text_file};

use super::error::RecipeError;

/// The data set without the training photos that the file `list` names, one a line by its path within the part:
/// `12.Eiffel_Tower/3.jpg`. Photos held back for validation stay.
///
/// # Errors
/// When the file cannot be read, or names none of the training photos.
pub(super) fn without_listed(data: &ImageFolder, list: &Path) -> Result<ImageFolder, RecipeError> {
    let bytes = read_text_file(list)
        .map_err(|source| RecipeError::Read { path: list.to_owned(), source: io::Error::other(source) })?;
    let text = String::from_utf8_lossy(&bytes);
    let listed: HashSet<&str> =
        text.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut kept = data.clone();
    kept.train.retain(|example| !listed.contains(example.relative_path.as_str()));
    RecipeError::check([(
        kept.train.len() < data.train.len() || listed.is_empty(),
        "photos.leave_out names none of the training photos; it takes paths such as 12.Eiffel_Tower/3.jpg, one a line"
            .to_owned(),
    )])?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use cairn_dataset::ValidSplit;

    use super::*;

    #[test]
    fn listed_training_photos_are_left_out_and_a_list_of_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["0.A/a.jpg", "0.A/b.jpg", "0.A/c.jpg", "1.B/a.jpg", "1.B/b.jpg", "1.B/c.jpg"] {
            let path = folder.path().join("train").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let data = ImageFolder::open(folder.path(), &ValidSplit::default()).unwrap();
        let list = folder.path().join("doubtful.txt");
        let (first, valid) = (&data.train[0].relative_path, &data.valid[0].relative_path);
        fs::write(&list, format!("\u{feff}{first}\r\n\n{valid}\n")).unwrap();
        let kept = without_listed(&data, &list).unwrap();
        assert_eq!(kept.train, data.train[1..]);
        assert_eq!(kept.valid, data.valid);
        assert_ne!(kept.fingerprint(), data.fingerprint());
        fs::write(&list, "9.Z/a.jpg\n").unwrap();
        let message = without_listed(&data, &list).unwrap_err().to_string();
        assert!(message.contains("leave_out"), "{message}");
    }
}
