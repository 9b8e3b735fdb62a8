//! A row without all that most programs do not need.

use cairn_dataset::escape::csv_text;
use serde::Serialize;

use super::row::Row;

#[derive(Serialize)]
pub(super) struct BriefRow<'a> {
    photo: &'a str,
    /// Nothing here or below where the photo shows no landmark that the model knows.
    name: Option<&'a str>,
    probability: Option<f32>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// The columns of brief rows in CSV.
pub const BRIEF_CSV_COLUMNS: [&str; 6] = ["photo", "name", "probability", "latitude", "longitude", "error"];

impl<'a> BriefRow<'a> {
    pub(super) fn of(row: &'a Row<'_>) -> Self {
        let landmark = row.landmark();
        let place = landmark.and_then(|landmark| landmark.place.as_ref());
        Self {
            photo: &row.photo,
            name: landmark.map(|landmark| landmark.name.as_str()),
            probability: landmark.map(|landmark| landmark.probability.value()),
            latitude: place.map(|place| place.latitude.degrees()),
            longitude: place.map(|place| place.longitude.degrees()),
            error: row.error(),
        }
    }

    pub(super) fn record(&self) -> [String; BRIEF_CSV_COLUMNS.len()] {
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        [
            csv_text(self.photo).into_owned(),
            csv_text(self.name.unwrap_or_default()).into_owned(),
            self.probability.map(|value| value.to_string()).unwrap_or_default(),
            number(self.latitude),
            number(self.longitude),
            csv_text(self.error.unwrap_or_default()).into_owned(),
        ]
    }
}
