//! Tables of text as spreadsheets and other programs write them: CSV by commas, semicolons, tabs or bars, in UTF-8 or UTF-16.

use std::fmt;
use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::DatasetError;
use crate::text_file::{LONGEST_LINE, TextFileError, read_text_file};

/// What may part the columns, the commonest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A table with a header.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    pub(crate) rows: Vec<TableRow>,
}

/// A row of a table, with as many cells as the header has.
#[derive(Debug)]
pub(crate) struct TableRow {
    pub(crate) place: Place,
    pub(crate) cells: Vec<String>,
}

/// Where a row is in its file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The line of the file at which it begins.
    Line(u64),
    /// The row of a table that has no lines.
    #[cfg_attr(not(feature = "parquet"), allow(dead_code))]
    Row(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "line {line}"),
            Place::Row(row) => write!(f, "row {row}"),
        }
    }
}

impl Table {
    /// The place of the column of this name, in upper or lower case.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column.eq_ignore_ascii_case(name))
    }
}

/// Reads the table at `path`, whose header must have the columns `needed`. They tell what parts the columns.
///
/// # Errors
/// [`DatasetError::Read`] where the file cannot be read; [`DatasetError::Manifest`] with the line where it is no text in UTF-8
/// or UTF-16, lacks a column, or a row is longer or shorter than the header.
pub(crate) fn read(path: &Path, needed: &[&str]) -> Result<Table, DatasetError> {
    let fault = |reason: String| DatasetError::Manifest { path: path.to_path_buf(), reason };
    let bytes = read_text_file(path).map_err(|error| match error {
        TextFileError::Io(source) => DatasetError::Read { path: path.to_path_buf(), source },
        other => fault(other.to_string()),
    })?;
    let text = text_of(bytes).map_err(fault)?;
    if text.trim().is_empty() {
        return Err(fault("the file is empty".to_owned()));
    }
    let delimiter = delimiter_of(&text, needed).map_err(fault)?;
    parse(&text, delimiter).map_err(fault)
}

/// The file's text, without its byte order mark; or why it is none.
fn text_of(bytes: Vec<u8>) -> Result<String, String> {
    let advice = "save it as UTF-8 (in spreadsheets: \"CSV UTF-8\")";
    let bytes = match bytes.as_slice() {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Err(format!("it is UTF-32; {advice}")),
        [0xff, 0xfe, text @ ..] => return utf16(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => return utf16(text, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => text.to_vec(),
        _ => bytes,
    };
    if bytes.contains(&0) {
        return Err(format!("it holds zero bytes, as UTF-16 without a byte order mark does; {advice}"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let (before, byte) = (&error.as_bytes()[..at], error.as_bytes()[at]);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!(
            "line {line}: the byte {byte:#04X} is no UTF-8; the table may be in Latin-1 or Windows-1252: {advice}, or use \
             `iconv -f WINDOWS-1252 -t UTF-8`"
        )
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, String> {
    let (units, rest) = bytes.as_chunks::<2>();
    let decoded = char::decode_utf16(units.iter().copied().map(unit)).collect::<Result<String, _>>();
    match (decoded, rest) {
        (Ok(text), []) => Ok(text),
        _ => Err("it begins as UTF-16 does, but is damaged or cut short; save it as UTF-8".to_owned()),
    }
}

/// What parts the columns: that under which the header has all columns that are `needed`.
fn delimiter_of(text: &str, needed: &[&str]) -> Result<u8, String> {
    let headers = DELIMITERS.map(|delimiter| (delimiter, header_of(text, delimiter)));
    let has = |header: &[String], name: &str| header.iter().any(|column| column.eq_ignore_ascii_case(name));
    if let Some((delimiter, _)) =
        headers.iter().find(|(_, header)| needed.iter().all(|name| has(header, name)))
    {
        return Ok(*delimiter);
    }
    // What parts the header into most columns is likely what is meant; of equals, the first.
    let (_, header) = headers.iter().rev().max_by_key(|(_, header)| header.len()).unwrap_or(&headers[0]);
    let missing: Vec<String> =
        needed.iter().filter(|name| !has(header, name)).map(|name| format!("`{name}`")).collect();
    let found: Vec<String> = header.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
    Err(format!(
        "no column {}; its first row must name the columns {}, but has {}",
        missing.join(" and "),
        needed.join(","),
        found.join(", ")
    ))
}

fn header_of(text: &str, delimiter: u8) -> Vec<String> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).delimiter(delimiter).from_reader(text.as_bytes());
    reader.headers().map(cells_of).unwrap_or_default()
}

fn parse(text: &str, delimiter: u8) -> Result<Table, String> {
    let mut reader =
        ReaderBuilder::new().trim(Trim::All).delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map(cells_of).map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    let mut lines = Lines { text, at: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let place = Place::Line(lines.of(&record));
        if record.iter().any(|cell| cell.len() > LONGEST_LINE) {
            return Err(format!(
                "{place}: a cell is longer than {} KiB; is a quote missing?",
                LONGEST_LINE >> 10
            ));
        }
        let cells = cells_of(&record);
        // Spreadsheets write rows of empty cells where there was something once.
        if cells.iter().all(String::is_empty) {
            continue;
        }
        if cells.len() != header.len() {
            let cells = if cells.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", cells.len()) };
            return Err(format!("{place}: {cells}, but the header has {}", header.len()));
        }
        rows.push(TableRow { place, cells });
    }
    Ok(Table { header, rows })
}

/// Counts lines on the way through a table.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line at which the record begins; records come in order.
    ///
    /// What the reader gives is where it began to look for the record, before empty lines.
    fn of(&mut self, record: &StringRecord) -> u64 {
        let bytes = self.text.as_bytes();
        let from = record.position().map_or(0, |position| position.byte() as usize).min(bytes.len());
        let empty = bytes[from..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let passed = bytes.get(self.at..from + empty).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = from + empty;
        self.line
    }
}

fn cells_of(record: &StringRecord) -> Vec<String> {
    record.iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, mark: [u8; 2], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect()
    }

    #[test]
    fn text_comes_in_utf8_and_utf16_with_or_without_a_mark() {
        let text = "path,label\nè.jpg,Chichén Itzá\n";
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            utf16_bytes(text, [0xff, 0xfe], u16::to_le_bytes),
            utf16_bytes(text, [0xfe, 0xff], u16::to_be_bytes),
        ] {
            assert_eq!(text_of(bytes).as_deref(), Ok(text));
        }
    }

    #[test]
    fn lines_are_counted_past_empty_ones_and_within_cells() {
        let text = "\r\npath,label\r\n\r\n\r\na,\"b\r\nc\"\r\nd,e\r\n\n,\nf,g";
        let rows = parse(text, b',').unwrap().rows;
        let lines: Vec<_> = rows.iter().map(|row| (row.cells[0].as_str(), row.place)).collect();
        assert_eq!(lines, [("a", Place::Line(5)), ("d", Place::Line(7)), ("f", Place::Line(10))]);
    }

    #[test]
    fn a_cell_of_many_lines_that_is_no_text_for_a_cell_is_refused_by_its_line() {
        let text = format!("path,label\na,b\nc,\"{}\"\n", "word\n".repeat(LONGEST_LINE / 4));
        let message = parse(&text, b',').unwrap_err();
        assert_eq!(message, "line 3: a cell is longer than 64 KiB; is a quote missing?");
    }

    #[test]
    fn other_encodings_are_refused_with_advice() {
        for (bytes, said) in [
            (b"path,label\na.jpg,Chich\xe9n\n".to_vec(), "line 2: the byte 0xE9 is no UTF-8"),
            (b"p\0a\0t\0h\0".to_vec(), "UTF-16 without a byte order mark"),
            (b"\xff\xfe\0\0p\0\0\0".to_vec(), "UTF-32"),
            (b"\xff\xfep\0a".to_vec(), "cut short"),
        ] {
            let message = text_of(bytes).unwrap_err();
            assert!(message.contains(said) && message.contains("UTF-8"), "{message}");
        }
    }

    #[test]
    fn the_header_tells_what_parts_the_columns() {
        for (header, delimiter) in [
            ("path,label", b','),
            ("path;label;split", b';'),
            ("label\tpath", b'\t'),
            ("path | label", b'|'),
            ("\"path\";\"label\"", b';'),
            ("path,label,a;b", b','),
            ("Path;LABEL", b';'),
        ] {
            assert_eq!(delimiter_of(header, &["path", "label"]), Ok(delimiter), "{header}");
        }
        let message = delimiter_of("file;label", &["path", "label"]).unwrap_err();
        assert!(message.contains("no column `path`;") && message.contains("`file`, `label`"), "{message}");
        let message = delimiter_of("path:label", &["path", "label"]).unwrap_err();
        assert!(message.contains("`path:label`"), "{message}");
    }
}
