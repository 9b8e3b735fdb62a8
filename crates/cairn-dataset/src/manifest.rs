//! Manifests: a data set as a table of `path,label[,split]`, in CSV or, with the Cargo feature `parquet`, in Parquet.

use std::fs::File;
use std::path::Path;

use crate::DatasetError;
use crate::listed::{Row, scan_of};
use crate::scan::{DatasetScan, Part};

/// What the table's columns are called.
const PATH: &str = "path";
const LABEL: &str = "label";
const SPLIT: &str = "split";

/// Whether a file of this name is a manifest.
pub(crate) fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("csv" | "parquet" | "pq"))
}

/// Reads the manifest at `path`. Photos are looked for from its own folder on, unless their paths are absolute.
///
/// # Errors
/// Where it cannot be read, lacks a column, or a row makes no sense.
pub(crate) fn scan(path: &Path) -> Result<DatasetScan, DatasetError> {
    let csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let rows = if csv { csv_rows(path)? } else { parquet_rows(path)? };
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(scan_of(folder, rows, Vec::new()))
}

/// A row from its cells, as text; the error says what is wrong with them.
fn row(path: &str, label: &str, split: Option<&str>) -> Result<Row, String> {
    if path.is_empty() || label.is_empty() {
        return Err("a path and a label are needed".to_owned());
    }
    let part = match split.map(str::to_lowercase).as_deref() {
        None | Some("" | "train" | "training") => Part::Train,
        Some("valid" | "val" | "validation") => Part::Valid,
        Some("test") => Part::Test,
        Some(other) => return Err(format!("split `{other}`: it is `train`, `valid` or `test`")),
    };
    Ok(Row { path: path.into(), label: label.to_owned(), part })
}

fn csv_rows(path: &Path) -> Result<Vec<Row>, DatasetError> {
    let fault = |reason: String| DatasetError::Manifest { path: path.to_path_buf(), reason };
    let file = File::open(path).map_err(|source| DatasetError::Read { path: path.to_path_buf(), source })?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|error| fault(error.to_string()))?;
    let column = |name: &str| header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
    let needed = |name: &str| {
        column(name).ok_or_else(|| {
            fault(format!("no column `{name}`; its first row names the columns {PATH},{LABEL}[,{SPLIT}]"))
        })
    };
    let (path_column, label_column, split_column) = (needed(PATH)?, needed(LABEL)?, column(SPLIT));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| fault(error.to_string()))?;
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let line = record.position().map_or(0, csv::Position::line);
        let row = row(cell(path_column), cell(label_column), split_column.map(cell));
        rows.push(row.map_err(|reason| fault(format!("line {line}: {reason}")))?);
    }
    Ok(rows)
}

#[cfg(not(feature = "parquet"))]
fn parquet_rows(path: &Path) -> Result<Vec<Row>, DatasetError> {
    let reason = "Parquet is read by builds with `--features parquet`; rebuild, or write the table as CSV";
    Err(DatasetError::Manifest { path: path.to_path_buf(), reason: reason.to_owned() })
}

#[cfg(feature = "parquet")]
fn parquet_rows(path: &Path) -> Result<Vec<Row>, DatasetError> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    let fault = |reason: String| DatasetError::Manifest { path: path.to_path_buf(), reason };
    let file = File::open(path).map_err(|source| DatasetError::Read { path: path.to_path_buf(), source })?;
    let reader = SerializedFileReader::new(file).map_err(|error| fault(error.to_string()))?;
    let table = reader.get_row_iter(None).map_err(|error| fault(error.to_string()))?;
    let mut rows = Vec::new();
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
        let row = row(&needed(PATH)?, &needed(LABEL)?, cell(SPLIT).as_deref());
        rows.push(row.map_err(|reason| fault(format!("row {}: {reason}", number + 1)))?);
    }
    Ok(rows)
}
