//! Answers as JSON, JSON lines or CSV, written photo by photo; tables are [`RowTable`]'s.

use std::io::{self, Write};

use anyhow::Result;
use cairn_dataset::escape::{csv_text, json_text, shown_lines};
use cairn_model::{Landmark, Prediction};
use cairn_places::Place;
use clap::ValueEnum;
use serde::Serialize;

use crate::camera::Camera;
use crate::file_stamp::FileStamp;
use crate::model_source::ModelIdentity;
use crate::row_table::RowTable;

/// How data is written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One JSON array of objects
    Json,
    /// A JSON object a line
    Jsonl,
    /// Comma-separated values, their names in the first line
    Csv,
}

/// What became of one photo.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    pub photo: String,
    #[serde(flatten)]
    pub outcome: RowOutcome<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<Camera>,
    #[serde(flatten)]
    pub stamp: Option<FileStamp>,
    pub model: &'a ModelIdentity,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum RowOutcome<'a> {
    Prediction(&'a Prediction),
    Unreadable { error: String },
}

impl Row<'_> {
    /// The landmark that the photo is taken to show.
    pub(crate) fn landmark(&self) -> Option<&Landmark> {
        match &self.outcome {
            RowOutcome::Prediction(prediction) => prediction.named(),
            RowOutcome::Unreadable { .. } => None,
        }
    }

    fn error(&self) -> Option<&str> {
        match &self.outcome {
            RowOutcome::Prediction(_) => None,
            RowOutcome::Unreadable { error } => Some(error),
        }
    }
}

/// A row without all that most programs do not need.
#[derive(Serialize)]
struct BriefRow<'a> {
    photo: &'a str,
    /// Nothing here or below where the photo shows no landmark that the model knows.
    name: Option<&'a str>,
    probability: Option<f32>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> BriefRow<'a> {
    fn of(row: &'a Row<'_>) -> Self {
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
}

/// What is written of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Photo, name, probability and coordinates.
    Brief,
    /// Everything.
    Whole,
}

/// Where and how rows are written.
enum Layout {
    Table(RowTable),
    Json(Detail),
    JsonLines(Detail),
    Csv(Detail),
}

/// Writes rows as they come, so that nothing piles up in memory, a reader sees the first at once, and none is lost
/// with those after it.
pub(crate) struct RowWriter<W: Write> {
    out: W,
    layout: Layout,
    /// Whether nothing stands before the next row.
    first: bool,
    /// Whether a terminal obeys control characters in what is written.
    on_terminal: bool,
}

impl<W: Write> RowWriter<W> {
    /// Writes data. [`Format::Table`] is a table as files get it.
    pub(crate) fn new(out: W, format: Format, detail: Detail) -> Self {
        let layout = match format {
            Format::Table => Layout::Table(RowTable::default()),
            Format::Json => Layout::Json(detail),
            Format::Jsonl => Layout::JsonLines(detail),
            Format::Csv => Layout::Csv(detail),
        };
        Self { out, layout, first: true, on_terminal: false }
    }

    /// The same on a terminal: control characters in CSV, which files keep, are escaped.
    pub(crate) fn on_terminal(self, on_terminal: bool) -> Self {
        Self { on_terminal, ..self }
    }

    /// Writes a table.
    pub(crate) fn table(out: W, table: RowTable) -> Self {
        Self { out, layout: Layout::Table(table), first: true, on_terminal: false }
    }

    /// The same below rows that are there.
    pub(crate) fn below_others(self) -> Self {
        Self { first: false, ..self }
    }

    pub(crate) fn write(&mut self, row: &Row<'_>) -> Result<()> {
        let first = std::mem::replace(&mut self.first, false);
        // A row is written as a whole, so that a run that is killed leaves whole rows.
        let bytes = match &self.layout {
            Layout::Table(table) => table.lines(row).into_bytes(),
            Layout::Json(detail) => {
                let before = if first { "[\n" } else { ",\n" };
                format!("{before}{}", json(row, *detail)?).into_bytes()
            }
            Layout::JsonLines(detail) => format!("{}\n", json(row, *detail)?).into_bytes(),
            Layout::Csv(detail) if self.on_terminal => {
                let lines = csv_lines(row, *detail, first)?;
                shown_lines(&String::from_utf8_lossy(&lines)).into_owned().into_bytes()
            }
            Layout::Csv(detail) => csv_lines(row, *detail, first)?,
        };
        self.out.write_all(&bytes)?;
        Ok(self.out.flush()?)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        if let Layout::Json(_) = self.layout {
            self.out.write_all(if self.first { b"[]\n" } else { b"\n]\n" })?;
        }
        Ok(self.out.flush()?)
    }
}

fn json(row: &Row<'_>, detail: Detail) -> Result<String> {
    let json = match detail {
        Detail::Whole => serde_json::to_string(row)?,
        Detail::Brief => serde_json::to_string(&BriefRow::of(row))?,
    };
    Ok(json_text(&json).into_owned())
}

/// What a line of CSV holds. A photo that could not be read has its path, its error and what stands after that alone; a
/// landmark whose place is not known has nothing from `locality` to `wikidata`. New columns come last, so that the others
/// stay where they are.
pub(crate) const CSV_COLUMNS: [&str; 23] = [
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

/// The same of brief rows.
pub(crate) const BRIEF_CSV_COLUMNS: [&str; 6] =
    ["photo", "name", "probability", "latitude", "longitude", "error"];

fn csv_lines(row: &Row<'_>, detail: Detail, first: bool) -> Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    if first {
        match detail {
            Detail::Whole => csv.write_record(CSV_COLUMNS)?,
            Detail::Brief => csv.write_record(BRIEF_CSV_COLUMNS)?,
        }
    }
    match (detail, &row.outcome) {
        (Detail::Brief, _) => csv.write_record(brief_record(&BriefRow::of(row)))?,
        (Detail::Whole, RowOutcome::Prediction(prediction)) => {
            for (rank, landmark) in (1..).zip(&prediction.landmarks) {
                csv.write_record(record(row, Some((rank, landmark, prediction))))?;
            }
        }
        (Detail::Whole, RowOutcome::Unreadable { .. }) => csv.write_record(record(row, None))?,
    }
    csv.flush()?;
    Ok(csv.into_inner().map_err(|error| io::Error::other(error.to_string()))?)
}

fn brief_record(row: &BriefRow<'_>) -> [String; BRIEF_CSV_COLUMNS.len()] {
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        csv_text(row.photo).into_owned(),
        csv_text(row.name.unwrap_or_default()).into_owned(),
        row.probability.map(|value| value.to_string()).unwrap_or_default(),
        number(row.latitude),
        number(row.longitude),
        csv_text(row.error.unwrap_or_default()).into_owned(),
    ]
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
        row.model.digest.clone(),
    ]
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use cairn_model::Probability;
    use cairn_places::Gazetteer;

    pub(crate) fn landmark(name: &str, probability: f64) -> Landmark {
        // The softmax of these two is the probability, and what is left.
        let odds = (probability / (1.0 - probability)).ln() as f32;
        Landmark {
            class: format!("00.{}", name.replace(' ', "_")),
            name: name.to_owned(),
            probability: Probability::softmax(&[odds, 0.0], 1.0)[0],
            place: Gazetteer::builtin().find(name).cloned(),
        }
    }

    pub(crate) fn model() -> ModelIdentity {
        ModelIdentity { name: "shipped".to_owned(), digest: "sha256:0123456789abcdef".to_owned() }
    }

    pub(crate) fn row<'a>(photo: &str, outcome: RowOutcome<'a>, model: &'a ModelIdentity) -> Row<'a> {
        let stamp = FileStamp { bytes: 48_213, modified: Some("2024-05-01T10:00:00Z".to_owned()) };
        let stamp = matches!(outcome, RowOutcome::Prediction(_)).then_some(stamp);
        Row { photo: photo.to_owned(), outcome, camera: None, stamp, model }
    }

    fn written(format: Format, detail: Detail) -> String {
        let landmarks = vec![landmark("Eiffel Tower", 0.875), landmark("Our \"old\" mill", 0.125)];
        let known = Prediction {
            is_landmark: Some(true),
            sure: Some(true),
            landmark_score: 0.875,
            landmarks: landmarks.clone(),
        };
        let unknown =
            Prediction { is_landmark: Some(false), sure: Some(false), landmark_score: 0.25, landmarks };
        let camera = Camera {
            latitude: Some(48.85),
            longitude: Some(2.29),
            taken: Some("2019-07-14T15:04:05+02:00".to_owned()),
            make: Some("Apple".to_owned()),
            model: Some("iPhone 12".to_owned()),
            distance_km: Some(0.991),
        };
        let mut out = Vec::new();
        let model = model();
        let mut rows = RowWriter::new(&mut out, format, detail);
        let of_camera =
            Row { camera: Some(camera), ..row("a,b.jpg", RowOutcome::Prediction(&known), &model) };
        rows.write(&of_camera).unwrap();
        rows.write(&row("=b.jpg", RowOutcome::Prediction(&unknown), &model)).unwrap();
        let error = "the file is empty".to_owned();
        rows.write(&row("c.jpg", RowOutcome::Unreadable { error }, &model)).unwrap();
        rows.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_formats_look_like_this() {
        for (name, format) in
            [("table", Format::Table), ("json", Format::Json), ("jsonl", Format::Jsonl), ("csv", Format::Csv)]
        {
            insta::assert_snapshot!(name, written(format, Detail::Whole));
        }
    }

    #[test]
    fn brief_rows_name_the_landmark_and_where_it_is_and_nothing_where_there_is_none() {
        insta::assert_snapshot!("brief_jsonl", written(Format::Jsonl, Detail::Brief));
        insta::assert_snapshot!("brief_csv", written(Format::Csv, Detail::Brief));
    }

    #[test]
    fn no_photos_at_all_are_an_empty_json_array() {
        let mut out = Vec::new();
        RowWriter::new(&mut out, Format::Json, Detail::Whole).finish().unwrap();
        assert_eq!(out, b"[]\n");
    }

    #[test]
    fn csv_on_a_terminal_has_no_control_characters_and_csv_in_a_file_has_the_name() {
        let model = model();
        let written = |on_terminal| {
            let mut out = Vec::new();
            let outcome = RowOutcome::Unreadable { error: "the file is empty".into() };
            let mut rows = RowWriter::new(&mut out, Format::Csv, Detail::Brief).on_terminal(on_terminal);
            rows.write(&row("a\u{1b}[2J\u{202e}.jpg", outcome, &model)).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert!(written(false).contains("a\u{1b}[2J\u{202e}.jpg"));
        assert!(written(true).contains(r"a\u{1b}[2J\u{202e}.jpg"), "{}", written(true));
    }

    #[test]
    fn each_row_is_written_and_flushed_in_one_piece() {
        /// What was written in each call, and how often it was flushed.
        #[derive(Default)]
        struct Pieces(Vec<Vec<u8>>, usize);
        impl Write for Pieces {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.to_vec());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                self.1 += 1;
                Ok(())
            }
        }
        let model = model();
        for format in [Format::Table, Format::Json, Format::Jsonl, Format::Csv] {
            let mut pieces = Pieces::default();
            let mut rows = RowWriter::new(&mut pieces, format, Detail::Whole);
            let prediction = Prediction { landmarks: vec![landmark("Petra", 0.9)], ..Prediction::default() };
            for photo in ["a.jpg", "b.jpg"] {
                rows.write(&row(photo, RowOutcome::Prediction(&prediction), &model)).unwrap();
            }
            assert_eq!((pieces.0.len(), pieces.1), (2, 2), "{format:?}");
        }
    }
}
