//! Text from outside (file names, class names, error texts), made safe for where it is written.
//!
//! Each output has one escaping: [`shown`] for text that people read, on a terminal, in a table, on a page or in a
//! picture, [`csv_text`] for cells of CSV files and [`json_text`] for JSON documents.

mod csv_text;
mod json_text;
mod shown;

pub use csv_text::{csv_text, csv_value};
pub use json_text::json_text;
pub use shown::{is_hidden, shown, shown_lines, shown_path};
