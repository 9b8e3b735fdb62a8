//! Reports and tables of what a library shows; nothing in the library is touched.

mod error;
mod exiftool;
mod geojson;
mod gpx;
mod kml;
#[cfg(feature = "parquet")]
mod parquet;
pub mod report;
mod row;
mod table;
mod xml;

pub use error::ExportError;
pub use row::{Export, ExportRow};

use std::io::Write;

/// A format of exports for other programs. (The report for people is [`report`].)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// A point for each marked photo, where its landmark is.
    GeoJson,
    /// A folder for each landmark, a placemark for each marked photo: Google Earth and others.
    Kml,
    /// A waypoint for each landmark that marked photos show.
    Gpx,
    /// A line for each photo that was considered.
    Csv,
    /// The same as an object a line.
    JsonLines,
    /// The same as a Parquet table.
    #[cfg(feature = "parquet")]
    Parquet,
    /// Arguments of exiftool (`exiftool -@ FILE`) that write the marks into the photos or their sidecars.
    Exiftool,
}

impl Export<'_> {
    /// Writes the export.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(&self, format: ExportFormat, out: &mut (impl Write + Send)) -> Result<(), ExportError> {
        match format {
            ExportFormat::GeoJson => geojson::write(self, out)?,
            ExportFormat::Kml => kml::write(self, out)?,
            ExportFormat::Gpx => gpx::write(self, out)?,
            ExportFormat::Csv => table::write_csv(self, out)?,
            ExportFormat::JsonLines => table::write_json_lines(self, out)?,
            #[cfg(feature = "parquet")]
            ExportFormat::Parquet => parquet::write(self, out)?,
            ExportFormat::Exiftool => exiftool::write(self, out)?,
        }
        Ok(())
    }
}
