//! Lists of training photos that recipes name.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use cairn_dataset::{Example, read_text_file};

use super::error::RecipeError;

/// Photos by their paths within their part: `12.Eiffel_Tower/3.jpg`.
#[derive(Debug)]
pub(super) struct PhotoList(HashSet<String>);

impl PhotoList {
    /// The photos that the file `path` names, one a line. `option` is what the recipe calls it.
    ///
    /// # Errors
    /// When the file cannot be read, or names none of the training `photos` and is not empty.
    pub(super) fn read(path: &Path, option: &str, photos: &[Example]) -> Result<Self, RecipeError> {
        let bytes = read_text_file(path).map_err(|source| RecipeError::Read {
            path: path.to_owned(),
            source: io::Error::other(source),
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let list = Self(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect());
        RecipeError::check([(
            list.0.is_empty() || photos.iter().any(|photo| list.names(photo)),
            format!(
                "{option} names none of the training photos; it takes paths such as 12.Eiffel_Tower/3.jpg, one a line"
            ),
        )])?;
        Ok(list)
    }

    /// Whether it names this photo.
    pub(super) fn names(&self, photo: &Example) -> bool {
        self.0.contains(&photo.relative_path())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use cairn_dataset::{ImageFolder, ValidSplit};

    use crate::recipe::{BUILT_IN_RECIPES, DownWeight, Recipe};

    #[test]
    fn listed_training_photos_are_left_out_or_count_less_and_a_list_of_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["0.A/a.jpg", "0.A/b.jpg", "0.A/c.jpg", "1.B/a.jpg", "1.B/b.jpg", "1.B/c.jpg"] {
            let path = folder.path().join("train").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let data = ImageFolder::open(folder.path(), &ValidSplit::default()).unwrap();
        let list = folder.path().join("doubtful.txt");
        let (first, valid) = (data.train[0].relative_path(), data.valid[0].relative_path());
        fs::write(&list, format!("\u{feff}{first}\r\n\n{valid}\n")).unwrap();
        let mut recipe = Recipe::parse(BUILT_IN_RECIPES[0].1, "the first").unwrap();
        assert!(recipe.kept(&data).unwrap().is_none());
        assert!(recipe.photo_weights(&data.train).unwrap().is_none());

        recipe.photos.leave_out = Some(list.clone());
        let kept = recipe.kept(&data).unwrap().unwrap();
        assert_eq!(kept.train, data.train[1..]);
        assert_eq!(kept.valid, data.valid);
        assert_ne!(kept.fingerprint(), data.fingerprint());

        recipe.photos.down_weight = Some(DownWeight { list: list.clone(), weight: 0.3 });
        let weights = recipe.photo_weights(&data.train).unwrap().unwrap();
        assert_eq!(weights.len(), data.train.len());
        assert!(weights[0] == 0.3 && weights[1..].iter().all(|&weight| weight == 1.0), "{weights:?}");

        fs::write(&list, "9.Z/a.jpg\n").unwrap();
        let message = recipe.kept(&data).unwrap_err().to_string();
        assert!(message.contains("photos.leave_out"), "{message}");
        let message = recipe.photo_weights(&data.train).unwrap_err().to_string();
        assert!(message.contains("photos.down_weight.list"), "{message}");
        recipe.photos.down_weight = Some(DownWeight { list, weight: 1.0 });
        assert!(recipe.validate().is_err());
    }
}
