//! Google Landmarks v2 as it is published (Weyand et al. 2020, <https://github.com/cvdfoundation/google-landmark>):
//! tables of ids and landmarks, and photos at `a/b/c/abc....jpg` by the first three letters of their id.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::shards::tar_files;
use crate::DatasetError;
use crate::index::{ClassIndex, DatasetIndex, PartIndex};
use crate::photo_place::{HashedId, PhotoBase, PhotoPlace};
use crate::skipped::{SkipReason, Skipped};
use crate::tar_file::each_member_of_file;

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
/// Photos are in `train/` or in `root` itself, as files or in the tar files that they are delivered in. Those of the list that
/// are not on disk are ignored: hardly anybody has all five million. A class is called `138982.Taj_Mahal` where the landmarks'
/// names are there, else `138982`.
///
/// Rows are read one by one, and what is kept of each is its [`PhotoPlace`].
///
/// # Errors
/// Where a table or a tar file cannot be read.
pub(crate) fn scan(root: &Path) -> Result<DatasetIndex, DatasetError> {
    let mut names: HashMap<u64, String> = HashMap::new();
    let categories = root.join(CATEGORIES);
    if categories.is_file() {
        each_row(&categories, |Category { landmark_id, category }| {
            names.insert(landmark_id, class_name(landmark_id, &category));
            Ok(())
        })?;
    }
    let clean = root.join(TRAIN_CLEAN);
    let is_clean = clean.is_file();
    let table = if is_clean { clean } else { root.join(TRAIN) };
    let mut landmarks = Landmarks {
        table: &table,
        photos: Photos::of(root)?,
        found: Vec::new(),
        places: HashMap::new(),
        missing: Vec::new(),
    };
    if is_clean {
        each_row(&table, |CleanLandmark { landmark_id, images }| {
            images.split_whitespace().try_for_each(|id| landmarks.add(id, landmark_id))
        })?;
    } else {
        each_row(&table, |Photo { id, landmark_id }| landmarks.add(&id, landmark_id))?;
    }
    Ok(landmarks.into_index(&names))
}

/// The photos of a table that are on disk, by landmark.
struct Landmarks<'a> {
    table: &'a Path,
    photos: Photos,
    found: Vec<(u64, Vec<PhotoPlace>)>,
    /// Of each landmark in `found`.
    places: HashMap<u64, usize>,
    missing: Vec<Skipped>,
}

/// Photos of a table that are not on disk and are named one by one. The others are counted.
const NAMED_MISSING: usize = 1_000;

impl Landmarks<'_> {
    fn add(&mut self, id: &str, landmark: u64) -> Result<(), DatasetError> {
        // An id is part of a path: nothing but letters, digits and dashes keeps it in the folder.
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            let reason = format!("`{id}` is no id of a photo; ids are letters and digits");
            return Err(DatasetError::Manifest { path: self.table.to_path_buf(), reason });
        }
        let Some(photo) = self.photos.find(id) else {
            self.miss(id);
            return Ok(());
        };
        let next = self.found.len();
        let place = *self.places.entry(landmark).or_insert(next);
        if place == next {
            self.found.push((landmark, Vec::new()));
        }
        self.found[place].1.push(photo);
        Ok(())
    }

    fn miss(&mut self, id: &str) {
        if self.missing.len() < NAMED_MISSING {
            let path = self.photos.folder.join(photo_path(id));
            self.missing.push(Skipped { path, reason: SkipReason::NotOnDisk });
            return;
        }
        if let Some(Skipped { reason: SkipReason::OthersNotOnDisk(count), .. }) = self.missing.last_mut() {
            *count += 1;
            return;
        }
        let path = self.table.to_path_buf();
        self.missing.push(Skipped { path, reason: SkipReason::OthersNotOnDisk(1) });
    }

    fn into_index(self, names: &HashMap<u64, String>) -> DatasetIndex {
        let folder = self.photos.folder;
        let class = |(landmark, mut photos): (u64, Vec<PhotoPlace>)| {
            photos.shrink_to_fit();
            photos.sort_by_cached_key(PhotoPlace::relative_path);
            let name = names.get(&landmark).cloned().unwrap_or_else(|| landmark.to_string());
            ClassIndex { folder: folder.join(&name), name, photos }
        };
        let mut classes: Vec<ClassIndex> = self.found.into_iter().map(class).collect();
        classes.sort_by(|a, b| a.name.cmp(&b.name));
        let train = PartIndex::listed(&folder, classes, self.missing);
        DatasetIndex { train, valid: None, test: None }
    }
}

/// Where the photos of the tables are.
struct Photos {
    folder: PathBuf,
    base: Arc<PhotoBase>,
    /// Those in tar files, in order of their ids.
    members: Vec<Member>,
    tars: Vec<Arc<PhotoBase>>,
}

/// A photo in a tar file.
struct Member {
    id: HashedId,
    start: u64,
    bytes: u64,
    tar: u32,
}

impl Photos {
    fn of(root: &Path) -> Result<Self, DatasetError> {
        let train = root.join("train");
        let folder = if train.is_dir() { train } else { root.to_path_buf() };
        let base = Arc::new(PhotoBase::Folder(folder.clone()));
        let (mut members, mut tars) = (Vec::new(), Vec::new());
        let mut files = tar_files(&folder);
        if folder != root {
            files.extend(tar_files(root));
        }
        for (tar, file) in (0_u32..).zip(files) {
            let read = each_member_of_file(&file, |member| {
                let id = member.path.file_stem().and_then(|name| HashedId::parse(name.to_str()?));
                let (start, bytes) = (member.start, member.bytes);
                members.extend(id.filter(|_| member.is_photo()).map(|id| Member { id, start, bytes, tar }));
                Ok(ControlFlow::Continue(()))
            });
            read.map_err(|source| DatasetError::Read { path: file.clone(), source })?;
            // Ids are of one photo each, so that its name is that of the photo in a folder.
            tars.push(Arc::new(PhotoBase::Tar { file, named: false }));
        }
        members.sort_by_key(|member| (member.id, member.tar));
        Ok(Self { folder, base, members, tars })
    }

    /// The photo of this id: of the first tar file that has it, else its file.
    fn find(&self, id: &str) -> Option<PhotoPlace> {
        let path = photo_path(id);
        if let Some(id) = HashedId::parse(id) {
            let first = self.members.partition_point(|member| member.id < id);
            if let Some(member) = self.members.get(first).filter(|member| member.id == id) {
                let base = &self.tars[member.tar as usize];
                return Some(PhotoPlace::known(base, &path, member.start, member.bytes));
            }
        }
        let file = self.folder.join(&path).metadata().ok().filter(Metadata::is_file)?;
        Some(PhotoPlace::known(&self.base, &path, 0, file.len()))
    }
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

/// Hands the rows of a table on one by one.
fn each_row<T: DeserializeOwned>(
    table: &Path,
    mut each: impl FnMut(T) -> Result<(), DatasetError>,
) -> Result<(), DatasetError> {
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
    for row in csv::Reader::from_reader(file).into_deserialize() {
        each(row.map_err(fault)?)?;
    }
    Ok(())
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
