//! Google Landmarks v2 as it is published (Weyand et al. 2020, <https://github.com/cvdfoundation/google-landmark>):
//! tables of ids and landmarks, and photos at `a/b/c/abc....jpg` by the first three letters of their id.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::listed::{Row, scan_of};
use crate::DatasetError;
use crate::index::{DatasetIndex, Part};
use crate::skipped::{SkipReason, Skipped};

/// `id,url,landmark_id`: every photo.
const TRAIN: &str = "train.csv";
/// `landmark_id,images`: the photos that were found to show their landmark, ids with spaces between them.
const TRAIN_CLEAN: &str = "train_clean.csv";
/// `landmark_id,category`: the address of each landmark on Wikimedia Commons, which holds its name.
const CATEGORIES: &str = "train_label_to_category.csv";

#[derive(Deserialize)]
struct Photo {
    id: String,
    landmark_id: u64,
}

#[derive(Deserialize)]
struct CleanLandmark {
    landmark_id: u64,
    images: String,
}

#[derive(Deserialize)]
struct Category {
    landmark_id: u64,
    category: String,
}

/// Whether `root` holds the tables of Google Landmarks v2.
pub(crate) fn is_google_landmarks(root: &Path) -> bool {
    [TRAIN_CLEAN, TRAIN].into_iter().any(|table| names_landmarks(&root.join(table)))
}

/// Whether this is a table with a column `landmark_id`. A folder data set may hold a `train.csv` of another kind.
fn names_landmarks(table: &Path) -> bool {
    let reader = csv::Reader::from_path(table).ok();
    let header = reader.and_then(|mut reader| reader.headers().cloned().ok());
    header.is_some_and(|header| header.iter().any(|column| column == "landmark_id"))
}

/// Reads the tables in `root`: the cleaned list where it is there, else the whole.
///
/// Photos are in `train/` or in `root` itself. Those of the list that are not on disk are ignored: hardly anybody has
/// all five million. A class is called `138982.Taj_Mahal` where the landmarks' names are there, else `138982`.
///
/// # Errors
/// Where a table cannot be read.
pub(crate) fn scan(root: &Path) -> Result<DatasetIndex, DatasetError> {
    let names: HashMap<u64, String> = match root.join(CATEGORIES) {
        table if table.is_file() => rows::<Category>(&table)?
            .into_iter()
            .map(|Category { landmark_id, category }| (landmark_id, class_name(landmark_id, &category)))
            .collect(),
        _ => HashMap::new(),
    };
    let clean = root.join(TRAIN_CLEAN);
    let table = if clean.is_file() { clean } else { root.join(TRAIN) };
    let photos: Vec<Photo> = match table.ends_with(TRAIN_CLEAN) {
        true => rows::<CleanLandmark>(&table)?
            .iter()
            .flat_map(|CleanLandmark { landmark_id, images }| {
                images.split_whitespace().map(|id| Photo { id: id.to_owned(), landmark_id: *landmark_id })
            })
            .collect(),
        false => rows(&table)?,
    };
    let train = root.join("train");
    let folder = if train.is_dir() { train } else { root.to_path_buf() };
    let mut listed = Vec::new();
    let mut missing = Vec::new();
    for Photo { id, landmark_id } in photos {
        // An id is part of a path: nothing but letters, digits and dashes keeps it in the folder.
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            let reason = format!("`{id}` is no id of a photo; ids are letters and digits");
            return Err(DatasetError::Manifest { path: table, reason });
        }
        let path = photo_path(&id);
        if !folder.join(&path).is_file() {
            missing.push(Skipped { path: folder.join(path), reason: SkipReason::NotOnDisk });
            continue;
        }
        let label = names.get(&landmark_id).cloned().unwrap_or_else(|| landmark_id.to_string());
        listed.push(Row { path, label, part: Part::Train });
    }
    Ok(scan_of(&folder, listed, missing))
}

/// The path of the photo of this id.
fn photo_path(id: &str) -> PathBuf {
    let mut path: PathBuf = id.chars().take(3).map(String::from).collect();
    path.push(format!("{id}.jpg"));
    path
}

/// The class of a landmark: the id keeps two landmarks of one name apart.
fn class_name(landmark_id: u64, category: &str) -> String {
    let name = category.rsplit("Category:").next().unwrap_or_default();
    // No folder of that name could be, and classes are named like folders.
    format!("{landmark_id}.{}", name.trim().replace(['/', ' '], "_"))
}

fn rows<T: DeserializeOwned>(table: &Path) -> Result<Vec<T>, DatasetError> {
    let fault =
        |error: csv::Error| DatasetError::Manifest { path: table.to_path_buf(), reason: error.to_string() };
    let read = |source| DatasetError::Read { path: table.to_path_buf(), source };
    // Opening a named pipe waits for somebody at its other end.
    if !table.metadata().map_err(read)?.is_file() {
        return Err(DatasetError::Manifest {
            path: table.to_path_buf(),
            reason: "it is no regular file".to_owned(),
        });
    }
    let file = File::open(table).map_err(read)?;
    csv::Reader::from_reader(file).deserialize().collect::<Result<_, _>>().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_lies_where_its_first_three_letters_say() {
        assert_eq!(photo_path("6e158a47eb2ca3f6"), Path::new("6/e/1/6e158a47eb2ca3f6.jpg"));
    }

    #[test]
    fn a_class_is_named_after_its_page() {
        let page = "http://commons.wikimedia.org/wiki/Category:Happy_Valley_Racecourse";
        assert_eq!(class_name(1, page), "1.Happy_Valley_Racecourse");
        assert_eq!(class_name(7, "http://commons.wikimedia.org/wiki/Category:A/B"), "7.A_B");
    }
}
