//! What a file says about itself: time, camera, position.

use rusqlite::{OptionalExtension, Row};

use super::words::words;
use super::{FileId, State, StateError};

/// Where a position was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PositionSource {
    /// The photo's own EXIF.
    Exif,
    /// XMP in the photo.
    Xmp,
    /// A sidecar in XMP.
    Sidecar,
    /// Takeout's `geoDataExif`, or its `geoData` where a person or Google set it.
    Takeout,
}

words!(PositionSource, "source of a position" {
    Exif = "exif",
    Xmp = "xmp",
    Sidecar = "sidecar",
    Takeout = "takeout",
});

/// A position on the Earth that a file claims.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Its error in metres (EXIF's GPSHPositioningError), if the file says so.
    pub error_m: Option<f64>,
    /// Where it was found.
    pub source: PositionSource,
}

/// What a file says about itself. Two copies of one picture may say different things.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadingRow {
    /// When it was taken, by the camera's own clock: seconds since 1970 as if that clock were UTC.
    pub taken: Option<i64>,
    /// Minutes that the clock was ahead of UTC, if the file says so.
    pub offset_minutes: Option<i16>,
    /// The camera's maker.
    pub make: Option<String>,
    /// The camera's model.
    pub model: Option<String>,
    /// The camera's serial number.
    pub serial: Option<String>,
    /// Where it was taken.
    pub position: Option<Position>,
}

impl ReadingRow {
    /// When it was taken, seconds since 1970 in UTC; `None` where the time or the offset is not known.
    pub fn taken_utc(&self) -> Option<i64> {
        Some(self.taken? - i64::from(self.offset_minutes?) * 60)
    }

    pub(crate) fn of(row: &Row<'_>) -> rusqlite::Result<ReadingRow> {
        let (latitude, longitude): (Option<f64>, Option<f64>) = (row.get("latitude")?, row.get("longitude")?);
        let source: Option<PositionSource> = row.get("position_source")?;
        let error_m = row.get("position_error_m")?;
        let position = match (latitude, longitude, source) {
            (Some(latitude), Some(longitude), Some(source)) => {
                Some(Position { latitude, longitude, error_m, source })
            }
            _ => None,
        };
        Ok(ReadingRow {
            taken: row.get("taken")?,
            offset_minutes: row.get("offset_minutes")?,
            make: row.get("make")?,
            model: row.get("model")?,
            serial: row.get("serial")?,
            position,
        })
    }
}

impl State {
    /// What this file says about itself.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn reading(&self, file: FileId) -> Result<Option<ReadingRow>, StateError> {
        let mut query = self.connection().prepare_cached("SELECT * FROM reading WHERE file = ?")?;
        Ok(query.query_row([file.0], ReadingRow::of).optional()?)
    }

    /// Stores what a file says about itself.
    pub(crate) fn put_reading(&self, file: FileId, reading: &ReadingRow) -> Result<(), StateError> {
        let position = reading.position;
        let mut statement = self.connection().prepare_cached(
            "INSERT OR REPLACE INTO reading (file, taken, offset_minutes, make, model, serial, latitude, longitude, \
             position_error_m, position_source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        statement.execute((
            file.0,
            reading.taken,
            reading.offset_minutes,
            &reading.make,
            &reading.model,
            &reading.serial,
            position.map(|position| position.latitude),
            position.map(|position| position.longitude),
            position.and_then(|position| position.error_m),
            position.map(|position| position.source),
        ))?;
        Ok(())
    }
}
