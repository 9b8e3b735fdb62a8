//! Parquet tables. A shard's rows are read some at a time, so that photos in a table are not all in memory at once.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Type;
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};

use super::{Cut, ListFormat, Listed, ListedPhoto, Rows};
use crate::store::StoredFile;

/// Columns of names, and of files; the first that is there.
const NAMES: [&str; 3] = ["photo", "path", "image.path"];
const FILES: [&str; 2] = ["bytes", "image.bytes"];
/// Rows that are read at once.
const ROWS: usize = 16;

/// A stored file as Parquet's reader wants it.
#[derive(Clone)]
pub(crate) struct Chunks(Arc<dyn StoredFile>);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for Chunks {
    type T = Box<dyn Read + Send>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.0.read(start, self.0.size())?)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = Vec::with_capacity(length);
        self.0.read(start, start + length as u64)?.read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF("the file ends too soon".to_owned()));
        }
        Ok(bytes.into())
    }
}

/// Opens a table.
pub(crate) fn open(file: &Arc<dyn StoredFile>) -> Result<SerializedFileReader<Chunks>, String> {
    SerializedFileReader::new(Chunks(Arc::clone(file))).map_err(|error| error.to_string())
}

pub(super) fn format(file: &Arc<dyn StoredFile>) -> Result<ListFormat, String> {
    let reader = open(file)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let is_usable = |name: &&&str| {
        let column = schema.columns().iter().find(|column| column.path().string() == **name);
        column.is_some_and(|column| column.physical_type() == Type::BYTE_ARRAY && column.max_rep_level() == 0)
    };
    let first = |names: &[&str]| names.iter().find(is_usable).map(|name| (*name).to_owned());
    match (first(&NAMES), first(&FILES)) {
        (None, None) => Err("has no column `photo`, `path` or `bytes` of text or bytes".to_owned()),
        (photo, bytes) => Ok(ListFormat::Parquet { photo, bytes }),
    }
}

pub(super) fn cut(file: &Arc<dyn StoredFile>, most: u64, each: &mut dyn FnMut(Cut)) -> Result<(), String> {
    let rows = open(file)?.metadata().file_metadata().num_rows();
    let rows = u64::try_from(rows).map_err(|_| format!("its footer speaks of {rows} rows"))?;
    let mut start = 0;
    while start < rows {
        let end = start.saturating_add(most).min(rows);
        each(Cut { start, end, rows: Some(end - start) });
        start = end;
    }
    Ok(())
}

pub(super) fn rows(
    name: &str,
    file: &Arc<dyn StoredFile>,
    photo: Option<&str>,
    bytes: Option<&str>,
    cut: Cut,
) -> Result<Rows, String> {
    let reader = open(file)?;
    let columns = reader.metadata().file_metadata().schema_descr().columns();
    let place = |wanted: &str| columns.iter().position(|column| column.path().string() == wanted);
    let (names, files) = (photo.and_then(place), bytes.and_then(place));
    let mut group_start = 0;
    let mut groups = VecDeque::new();
    for (group, metadata) in reader.metadata().row_groups().iter().enumerate() {
        let rows = metadata.num_rows().max(0) as u64;
        let (from, to) = (cut.start.max(group_start), cut.end.min(group_start + rows));
        if from < to {
            groups.push_back(Stretch { group, skip: from - group_start, rows: to - from });
        }
        group_start += rows;
    }
    let rows = Stretches {
        list: name.to_owned(),
        reader,
        names,
        files,
        groups,
        row: cut.start,
        current: None,
        ready: VecDeque::new(),
    };
    Ok(Box::new(rows))
}

/// Rows of one row group.
struct Stretch {
    group: usize,
    skip: u64,
    rows: u64,
}

/// A row group whose rows are being read.
struct Current {
    names: Option<Column>,
    files: Option<Column>,
    left: u64,
}

struct Stretches {
    list: String,
    reader: SerializedFileReader<Chunks>,
    names: Option<usize>,
    files: Option<usize>,
    groups: VecDeque<Stretch>,
    /// The number of the next row to be read, for those without a name.
    row: u64,
    current: Option<Current>,
    ready: VecDeque<ListedPhoto>,
}

impl Stretches {
    /// Reads some more rows; false after the last.
    fn read(&mut self) -> Result<bool, ParquetError> {
        let current = match &mut self.current {
            Some(current) if current.left > 0 => current,
            _ => {
                let Some(stretch) = self.groups.pop_front() else { return Ok(false) };
                let group = self.reader.get_row_group(stretch.group)?;
                let open = |column: Option<usize>| -> Result<_, ParquetError> {
                    let Some(column) = column else { return Ok(None) };
                    let mut column = Column {
                        most: self
                            .reader
                            .metadata()
                            .file_metadata()
                            .schema_descr()
                            .column(column)
                            .max_def_level(),
                        reader: group.get_column_reader(column)?,
                    };
                    column.skip(stretch.skip)?;
                    Ok(Some(column))
                };
                let (names, files) = (open(self.names)?, open(self.files)?);
                self.current.insert(Current { names, files, left: stretch.rows })
            }
        };
        let count = current.left.min(ROWS as u64) as usize;
        let read = |column: &mut Option<Column>| match column {
            Some(column) => column.read(count),
            None => Ok(vec![None; count]),
        };
        let (names, files) = (read(&mut current.names)?, read(&mut current.files)?);
        current.left -= count as u64;
        for (name, file) in names.into_iter().zip(files) {
            self.ready.push_back(listed(&self.list, self.row, name, file));
            self.row += 1;
        }
        Ok(true)
    }
}

impl Iterator for Stretches {
    type Item = Result<ListedPhoto, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.ready.is_empty() {
            match self.read() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    (self.current, self.groups) = (None, VecDeque::new());
                    return Some(Err(error.to_string()));
                }
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

fn listed(list: &str, row: u64, name: Option<ByteArray>, file: Option<ByteArray>) -> ListedPhoto {
    let name = match name.as_ref().map(|name| name.as_utf8()) {
        Some(Ok(name)) if !name.is_empty() => Some(name.to_owned()),
        Some(Err(_)) => return ListedPhoto::unusable("", "the list's text is no UTF-8 here"),
        _ => None,
    };
    match (name, file) {
        (name, Some(file)) => ListedPhoto {
            name: name.unwrap_or_else(|| format!("{list}#{row}")),
            source: Listed::Bytes(file.data().to_vec()),
        },
        (name, None) => ListedPhoto::of_cell(name.unwrap_or_default()),
    }
}

/// A column of bytes.
struct Column {
    reader: ColumnReader,
    /// The definition level of a value that is there.
    most: i16,
}

impl Column {
    fn skip(&mut self, rows: u64) -> Result<(), ParquetError> {
        let ColumnReader::ByteArrayColumnReader(reader) = &mut self.reader else { return Err(other_type()) };
        reader.skip_records(rows as usize).map(drop)
    }

    /// The next `count` values.
    fn read(&mut self, count: usize) -> Result<Vec<Option<ByteArray>>, ParquetError> {
        let ColumnReader::ByteArrayColumnReader(reader) = &mut self.reader else { return Err(other_type()) };
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let mut records = 0;
        // A reader gives fewer at the end of a page.
        while records < count {
            let (read, ..) = reader.read_records(count - records, Some(&mut levels), None, &mut values)?;
            if read == 0 {
                return Err(ParquetError::EOF("a column has fewer rows than its footer says".to_owned()));
            }
            records += read;
        }
        let mut values = values.into_iter();
        if self.most == 0 {
            return Ok(values.map(Some).collect());
        }
        Ok(levels.into_iter().map(|level| if level == self.most { values.next() } else { None }).collect())
    }
}

fn other_type() -> ParquetError {
    ParquetError::General("a column of photos holds neither text nor bytes".to_owned())
}
