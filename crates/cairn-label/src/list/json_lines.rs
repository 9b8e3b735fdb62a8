//! An object a line.

use std::io::{BufRead, BufReader, Read};

use serde::Deserialize;

use super::{Cut, ListedPhoto, Rows};
use crate::store::StoredFile;

/// A longer line is no row of a list.
const MOST_LINE: usize = 1 << 20;

/// What is read of a row.
#[derive(Deserialize)]
struct Row {
    photo: Option<String>,
    path: Option<String>,
}

/// Lines that are not blank, and how many bytes have been read.
struct Lines<R> {
    input: R,
    line: Vec<u8>,
    place: u64,
}

impl<R: BufRead> Lines<R> {
    fn new(input: R) -> Self {
        Self { input, line: Vec::new(), place: 0 }
    }

    /// The next line with its end; `None` after the last.
    fn next(&mut self) -> Result<Option<&[u8]>, String> {
        loop {
            self.line.clear();
            let mut limited = self.input.by_ref().take(MOST_LINE as u64 + 1);
            let bytes = limited.read_until(b'\n', &mut self.line).map_err(|error| error.to_string())?;
            self.place += bytes as u64;
            match bytes {
                0 => return Ok(None),
                bytes if bytes > MOST_LINE => {
                    return Err(format!("a line that ends after byte {} is longer than 1 MiB", self.place));
                }
                _ if self.line.trim_ascii().is_empty() => {}
                _ => return Ok(Some(&self.line)),
            }
        }
    }
}

pub(super) fn cut(file: &dyn StoredFile, most: u64, each: &mut dyn FnMut(Cut)) -> Result<(), String> {
    let input = file.read(0, file.size()).map_err(|error| error.to_string())?;
    let mut lines = Lines::new(BufReader::with_capacity(1 << 18, input));
    let (mut start, mut rows) = (0, 0);
    while lines.next()?.is_some() {
        rows += 1;
        if rows == most {
            each(Cut { start, end: lines.place, rows: Some(rows) });
            (start, rows) = (lines.place, 0);
        }
    }
    if rows > 0 {
        each(Cut { start, end: file.size(), rows: Some(rows) });
    }
    Ok(())
}

pub(super) fn rows(file: &dyn StoredFile, cut: Cut) -> Result<Rows, String> {
    let input = file.read(cut.start, cut.end).map_err(|error| error.to_string())?;
    let mut lines = Lines::new(BufReader::new(input));
    Ok(Box::new(std::iter::from_fn(move || {
        lines.next().map(|line| line.map(|line| listed(line.trim_ascii()))).transpose()
    })))
}

fn listed(line: &[u8]) -> ListedPhoto {
    // Of the file's beginning.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    match serde_json::from_slice(line) {
        Ok(Row { photo, path }) => match photo.or(path) {
            Some(name) => ListedPhoto::of_cell(name),
            None => ListedPhoto::unusable("", "the list's line has no `photo` and no `path`"),
        },
        Err(error) => ListedPhoto::unusable("", &format!("the list's line is no JSON object: {error}")),
    }
}
