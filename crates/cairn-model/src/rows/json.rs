//! Rows as JSON.

use std::io;

use cairn_dataset::escape::json_text;

use super::brief::BriefRow;
use super::row::{Detail, Row};

impl Row<'_> {
    /// The row as a JSON object on one line, without its end. Control characters are escaped.
    ///
    /// # Errors
    /// None that is known: a row is always JSON.
    pub fn json(&self, detail: Detail) -> io::Result<String> {
        let json = match detail {
            Detail::Whole => serde_json::to_string(self)?,
            Detail::Brief => serde_json::to_string(&BriefRow::of(self))?,
        };
        Ok(json_text(&json).into_owned())
    }
}
