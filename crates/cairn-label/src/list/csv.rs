//! Tables of text.

use std::io::Read;

use csv::{ByteRecord, Reader, ReaderBuilder, Trim};

use super::{Cut, ListFormat, ListedPhoto, Rows};
use crate::store::StoredFile;

/// What may part the columns.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// Names of the column of photos; the first that is there.
const COLUMNS: [&str; 2] = ["photo", "path"];
/// A header is not longer.
const MOST_HEADER: u64 = 1 << 20;

fn reader(input: Box<dyn Read + Send>, delimiter: char, header: bool) -> Reader<Box<dyn Read + Send>> {
    let mut builder = ReaderBuilder::new();
    // All delimiters are ASCII.
    builder.delimiter(delimiter as u8).flexible(true).has_headers(header).buffer_capacity(1 << 18);
    builder.from_reader(input)
}

/// What parts the columns, and which of them names the photos.
pub(super) fn format(file: &dyn StoredFile) -> Result<ListFormat, String> {
    let mut start = Vec::new();
    let read = file.read(0, MOST_HEADER).and_then(|mut input| input.read_to_end(&mut start));
    read.map_err(|error| error.to_string())?;
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Err("it is UTF-16; save it as UTF-8 (in spreadsheets: \"CSV UTF-8\")".to_owned());
    }
    let header_by = |delimiter: char| {
        let mut builder = ReaderBuilder::new();
        let mut reader = builder.trim(Trim::All).delimiter(delimiter as u8).from_reader(start.as_slice());
        reader.byte_headers().cloned().unwrap_or_default()
    };
    for name in COLUMNS {
        for delimiter in DELIMITERS {
            let found =
                header_by(delimiter).iter().position(|cell| cell.eq_ignore_ascii_case(name.as_bytes()));
            if let Some(column) = found {
                return Ok(ListFormat::Csv { delimiter, column });
            }
        }
    }
    Err("its first row names no column `photo` or `path`".to_owned())
}

pub(super) fn cut(
    file: &dyn StoredFile,
    delimiter: char,
    most: u64,
    each: &mut dyn FnMut(Cut),
) -> Result<(), String> {
    let fault = |error: csv::Error| error.to_string();
    let input = file.read(0, file.size()).map_err(|error| error.to_string())?;
    let mut reader = reader(input, delimiter, true);
    reader.byte_headers().map_err(fault)?;
    let mut record = ByteRecord::new();
    let (mut start, mut rows) = (reader.position().byte(), 0);
    while reader.read_byte_record(&mut record).map_err(fault)? {
        rows += 1;
        if rows == most {
            let end = reader.position().byte();
            each(Cut { start, end, rows: Some(rows) });
            (start, rows) = (end, 0);
        }
    }
    if rows > 0 {
        each(Cut { start, end: file.size(), rows: Some(rows) });
    }
    Ok(())
}

pub(super) fn rows(file: &dyn StoredFile, delimiter: char, column: usize, cut: Cut) -> Result<Rows, String> {
    let input = file.read(cut.start, cut.end).map_err(|error| error.to_string())?;
    let records = reader(input, delimiter, false).into_byte_records();
    Ok(Box::new(records.map(move |record| {
        let record = record.map_err(|error| error.to_string())?;
        let cell = record.get(column).unwrap_or_default();
        Ok(match std::str::from_utf8(cell) {
            Ok(text) => ListedPhoto::of_cell(text.trim().to_owned()),
            Err(_) => {
                ListedPhoto::unusable(String::from_utf8_lossy(cell), "the list's text is no UTF-8 here")
            }
        })
    })))
}
