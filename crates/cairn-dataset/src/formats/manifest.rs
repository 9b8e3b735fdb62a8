//! Manifests: a data set as a table of `path,label[,split]`, in CSV or, with the Cargo feature `parquet`, in Parquet.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use super::listed::{Row, scan_of};
use super::table::{self, Place};
use crate::DatasetError;
use crate::index::{DatasetIndex, Part};
use crate::path_text::{path_of_text, path_text};

/// What the table's columns are called.
const PATH: &str = "path";
const LABEL: &str = "label";
const SPLIT: &str = "split";

/// Which photos a manifest may list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ManifestPaths {
    /// Those in its own folder: a table from somebody else reads no other file of this machine.
    #[default]
    WithinFolder,
    /// Those of any folder.
    Anywhere,
}

/// Whether this is a manifest, by its name, and no folder.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("csv" | "tsv" | "parquet" | "pq")) && !path.is_dir()
}

/// Reads the manifest at `path`. Photos are looked for from its own folder on, unless their paths are absolute.
///
/// # Errors
/// Where it cannot be read, lacks a column, lists no photo, or a row makes no sense.
pub(crate) fn scan(path: &Path, paths: ManifestPaths) -> Result<DatasetIndex, DatasetError> {
    let fault = |reason: String| DatasetError::Manifest { path: path.to_path_buf(), reason };
    let parquet = path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("parquet") || extension.eq_ignore_ascii_case("pq")
    });
    let records = if parquet { parquet_records(path)? } else { csv_records(path)? };
    let folder = Folder::of(path);
    let mut rows = Vec::with_capacity(records.len());
    let mut first_places: HashMap<PathBuf, usize> = HashMap::new();
    for (at, record) in records.iter().enumerate() {
        let at_place = |reason: String| fault(format!("{}: {reason}", record.place));
        let mut row = record.row(folder.path).map_err(at_place)?;
        if let Some(inner) = folder.inner(&row.path) {
            row.path = inner;
        } else if paths == ManifestPaths::WithinFolder {
            return Err(at_place(format!(
                "`{}` is outside of the table's folder; --allow-outside reads it all the same",
                record.path
            )));
        }
        let first = *first_places.entry(folder.whole(&row.path)).or_insert(at);
        if let Some(difference) = difference(rows.get(first), &row) {
            let there = records[first].place;
            return Err(at_place(format!("`{}` is listed on {there} already, {difference}", record.path)));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err(fault("it lists no photos, its header alone".to_owned()));
    }
    Ok(scan_of(folder.path, rows, Vec::new()))
}

/// How the row of a photo differs from an earlier one of the same photo.
fn difference(earlier: Option<&Row>, row: &Row) -> Option<String> {
    let earlier = earlier?;
    if earlier.label != row.label {
        return Some(format!("with the label `{}`; a photo has one label", earlier.label));
    }
    (earlier.part != row.part)
        .then(|| format!("for the split `{}`; a photo is in one part", earlier.part.name()))
}

/// A manifest's folder, to tell which paths leave it.
struct Folder<'a> {
    path: &'a Path,
    /// The same from the root of the file system on: as it is written, and with links resolved.
    roots: Vec<PathBuf>,
}

impl<'a> Folder<'a> {
    fn of(manifest: &'a Path) -> Folder<'a> {
        let path = manifest.parent().unwrap_or(Path::new(""));
        let named = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let whole = [std::path::absolute(named), named.canonicalize()];
        Folder { path, roots: whole.into_iter().flatten().map(|folder| plain(&folder)).collect() }
    }

    /// `path` from the root of the file system on, without `.` and `..`.
    fn whole(&self, path: &Path) -> PathBuf {
        plain(&self.roots.first().map_or_else(|| path.to_path_buf(), |root| root.join(path)))
    }

    /// `path` from this folder on, without `.` and `..`, by its text alone; `None` where it leaves the folder.
    fn inner(&self, path: &Path) -> Option<PathBuf> {
        if is_windows_absolute(path) && !cfg!(windows) {
            return None;
        }
        let within =
            |folder: &PathBuf| Some(plain(&folder.join(path)).strip_prefix(folder).ok()?.to_path_buf());
        self.roots.iter().find_map(within)
    }
}

/// `path` with each `..` taken together with the folder before it.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// Whether this begins with a drive, as absolute paths on Windows do. Other systems take the drive for a folder's name.
fn is_windows_absolute(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    matches!(bytes, [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic())
}

/// A row's cells as text.
struct Record {
    place: Place,
    path: String,
    label: String,
    split: Option<String>,
}

impl Record {
    /// What the cells mean, or what is wrong with them.
    fn row(&self, folder: &Path) -> Result<Row, String> {
        let Record { path, label, split, .. } = self;
        if path.is_empty() || label.is_empty() {
            return Err("a path and a label are needed".to_owned());
        }
        if let Some((what, text)) = [("path", path), ("label", label)]
            .into_iter()
            .find(|(_, text)| text.chars().any(char::is_control))
        {
            return Err(format!(
                "a line break or control character in the {what} {text:?}; is a quote not closed?"
            ));
        }
        let part = match split.as_deref().map(str::to_lowercase).as_deref() {
            None | Some("" | "train" | "training") => Part::Train,
            Some("valid" | "val" | "validation") => Part::Valid,
            Some("test") => Part::Test,
            Some(other) => return Err(format!("split `{other}`: it is `train`, `valid` or `test`")),
        };
        Ok(Row { path: photo_path(path, folder), label: label.clone(), part })
    }
}

/// The path that a cell means: that of which it is the [`path_text`], as it is written, or with `\` between folders, as
/// Windows writes it; the first of them that is there, else the last.
fn photo_path(cell: &str, folder: &Path) -> PathBuf {
    if !cell.contains('\\') || cfg!(windows) {
        return cell.into();
    }
    let read: [PathBuf; 2] = [path_of_text(cell), cell.into()];
    let there = |path: &&PathBuf| folder.join(path).symlink_metadata().is_ok();
    match read.iter().find(there) {
        Some(path) => path.clone(),
        None => cell.replace('\\', "/").into(),
    }
}

/// How a manifest writes the path of a photo, seen from the manifest's folder.
pub(crate) fn cell_of_path(path: &Path) -> String {
    let absolute = if path.is_absolute() { "/" } else { "" };
    let names = path.components().filter(|component| !matches!(component, Component::RootDir));
    let names: Vec<String> = names.map(|component| path_text(component.as_os_str())).collect();
    // On Windows an absolute path begins with its drive.
    if cfg!(windows) { names.join("/") } else { format!("{absolute}{}", names.join("/")) }
}

/// Whether a cell with this text is read as it is written: without spaces at its ends, which are trimmed, and without
/// control characters, which are refused.
pub(crate) fn is_written_whole(cell: &str) -> bool {
    cell.trim() == cell && !cell.chars().any(char::is_control)
}

fn csv_records(path: &Path) -> Result<Vec<Record>, DatasetError> {
    let table = table::read(path, &[PATH, LABEL])?;
    let column = |name: &str| table.column(name);
    let (path_column, label_column, split_column) = (column(PATH), column(LABEL), column(SPLIT));
    let cell = |cells: &[String], column: Option<usize>| -> Option<String> { cells.get(column?).cloned() };
    let records = table.rows.into_iter().map(|row| Record {
        place: row.place,
        path: cell(&row.cells, path_column).unwrap_or_default(),
        label: cell(&row.cells, label_column).unwrap_or_default(),
        split: cell(&row.cells, split_column),
    });
    Ok(records.collect())
}

#[cfg(not(feature = "parquet"))]
fn parquet_records(path: &Path) -> Result<Vec<Record>, DatasetError> {
    let reason = "Parquet is read by builds with `--features parquet`; rebuild, or write the table as CSV";
    Err(DatasetError::Manifest { path: path.to_path_buf(), reason: reason.to_owned() })
}

#[cfg(feature = "parquet")]
fn parquet_records(path: &Path) -> Result<Vec<Record>, DatasetError> {
    use std::fs::File;

    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let fault = |reason: String| DatasetError::Manifest { path: path.to_path_buf(), reason };
    let file = File::open(path).map_err(|source| DatasetError::Read { path: path.to_path_buf(), source })?;
    let reader = SerializedFileReader::new(file).map_err(|error| fault(error.to_string()))?;
    let table = reader.get_row_iter(None).map_err(|error| fault(error.to_string()))?;
    let mut records = Vec::new();
    for (number, record) in table.enumerate() {
        let record = record.map_err(|error| fault(error.to_string()))?;
        let cell = |name: &str| {
            let field = record.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field);
            field.map(|field| match field {
                Field::Null => String::new(),
                Field::Str(text) => text.clone(),
                // Numbers, such as landmark ids.
                other => other.to_string(),
            })
        };
        let needed = |name: &str| cell(name).ok_or_else(|| fault(format!("no column `{name}`")));
        let (path, label, split) = (needed(PATH)?, needed(LABEL)?, cell(SPLIT));
        records.push(Record { place: Place::Row(number + 1), path, label, split });
    }
    Ok(records)
}
