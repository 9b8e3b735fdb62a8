//! Text from outside (file names, class names, error texts), made safe for where it is written.
//!
//! Each output has one escaping: [`shown`] for text that people read, on a terminal, in a table, on a page or in a
//! picture, and [`csv_text`] for cells of CSV files. JSON keeps every character; its writer escapes them.

mod csv_text;
mod shown;

pub use csv_text::{csv_text, csv_value};
pub use shown::{is_hidden, shown, shown_lines, shown_path};
