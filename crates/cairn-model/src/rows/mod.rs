//! Rows: what became of each photo, as JSON and CSV, for programs. `cairn predict` and `cairn serve` write the same rows.

mod brief;
mod camera;
mod csv;
mod file_stamp;
mod identity;
mod json;
mod number;
mod row;

pub use brief::BRIEF_CSV_COLUMNS;
pub use camera::Camera;
pub use csv::{CSV_COLUMNS, csv_header, csv_lines};
pub use file_stamp::FileStamp;
pub use identity::ModelIdentity;
pub use number::grouped;
pub use row::{Detail, Row, RowOutcome};
