//! Rows as lines of CSV.

use std::io;

use cairn_dataset::escape::csv_text;
use cairn_places::Place;

use super::brief::{BRIEF_CSV_COLUMNS, BriefRow};
use super::row::{Detail, Row, RowOutcome};
use crate::{Landmark, Prediction};

/// What a line of CSV holds. A photo that could not be read has its path, its error and what stands after that alone; a
/// landmark whose place is not known has nothing from `locality` to `wikidata`. New columns come last, so that the others
/// stay where they are.
pub const CSV_COLUMNS: [&str; 23] = [
    "photo",
    "rank",
    "class",
    "name",
    "probability",
    "is_landmark",
    "landmark_score",
    "locality",
    "country",
    "country_code",
    "latitude",
    "longitude",
    "wikidata",
    "error",
    "sure",
    "taken",
    "camera",
    "camera_latitude",
    "camera_longitude",
    "distance_km",
    "bytes",
    "modified",
    "model",
];

/// The first line: names of the columns.
///
/// # Errors
/// None that is known: it is written to memory.
pub fn csv_header(detail: Detail) -> io::Result<Vec<u8>> {
    match detail {
        Detail::Whole => lines([CSV_COLUMNS]),
        Detail::Brief => lines([BRIEF_CSV_COLUMNS]),
    }
}

/// The lines of a row: one, or in detail one for each landmark that is named. Text that a spreadsheet would take for a
/// formula is quoted; control characters stay.
///
/// # Errors
/// None that is known: they are written to memory.
pub fn csv_lines(row: &Row<'_>, detail: Detail) -> io::Result<Vec<u8>> {
    match (detail, &row.outcome) {
        (Detail::Brief, _) => lines([BriefRow::of(row).record()]),
        (Detail::Whole, RowOutcome::Prediction(prediction)) => {
            let ranked = (1..).zip(&prediction.landmarks);
            lines(ranked.map(|(rank, landmark)| record(row, Some((rank, landmark, prediction)))))
        }
        (Detail::Whole, RowOutcome::Unreadable { .. }) => lines([record(row, None)]),
    }
}

fn lines<const COLUMNS: usize, T: AsRef<[u8]>>(
    records: impl IntoIterator<Item = [T; COLUMNS]>,
) -> io::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    for record in records {
        csv.write_record(record)?;
    }
    csv.flush()?;
    csv.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn record(row: &Row<'_>, named: Option<(usize, &Landmark, &Prediction)>) -> [String; CSV_COLUMNS.len()] {
    let (landmark, prediction) = (named.map(|named| named.1), named.map(|named| named.2));
    let place = landmark.and_then(|landmark| landmark.place.as_ref());
    let text = |text: Option<&str>| csv_text(text.unwrap_or_default()).into_owned();
    let of_place = |field: fn(&Place) -> String| place.map(field).unwrap_or_default();
    let camera = row.camera.as_ref();
    let model = camera.and_then(|camera| camera.model.as_deref().or(camera.make.as_deref()));
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let yes_no = |value: Option<bool>| value.map(|value| value.to_string()).unwrap_or_default();
    let stamp = row.stamp.as_ref();
    [
        text(Some(&row.photo)),
        named.map(|named| named.0.to_string()).unwrap_or_default(),
        text(landmark.map(|landmark| landmark.class.as_str())),
        text(landmark.map(|landmark| landmark.name.as_str())),
        landmark.map(|landmark| landmark.probability.value().to_string()).unwrap_or_default(),
        yes_no(prediction.and_then(|prediction| prediction.is_landmark)),
        number(prediction.map(|prediction| prediction.landmark_score)),
        text(place.map(|place| place.locality.as_str())),
        text(place.map(|place| place.country.as_str())),
        of_place(|place| place.country_code.to_string()),
        of_place(|place| place.latitude.degrees().to_string()),
        of_place(|place| place.longitude.degrees().to_string()),
        of_place(|place| place.wikidata.as_ref().map(ToString::to_string).unwrap_or_default()),
        text(row.error()),
        yes_no(prediction.and_then(|prediction| prediction.sure)),
        text(camera.and_then(|camera| camera.taken.as_deref())),
        text(model),
        number(camera.and_then(|camera| camera.latitude)),
        number(camera.and_then(|camera| camera.longitude)),
        number(camera.and_then(|camera| camera.distance_km)),
        stamp.map(|stamp| stamp.bytes.to_string()).unwrap_or_default(),
        stamp.and_then(|stamp| stamp.modified.clone()).unwrap_or_default(),
        row.model.map(|model| model.digest.clone()).unwrap_or_default(),
    ]
}
