//! The report for people: one HTML file that needs nothing from elsewhere.

mod map;
mod page;
mod thumbnail;

use std::io::Write;

pub use page::ReportOptions;

use super::{Export, ExportError};

/// Writes the report: figures, a map, contact sheets by landmark, conflicts, and photos that were not sure enough. Photos are read
/// again for their thumbnails; one that cannot be read has a grey one.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(export: &Export<'_>, options: &ReportOptions, out: &mut impl Write) -> Result<(), ExportError> {
    out.write_all(page::page(export, options).into_string().as_bytes())?;
    Ok(())
}
