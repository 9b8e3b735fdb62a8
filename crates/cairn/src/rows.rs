//! Predictions as table, JSON, JSON lines or CSV, written photo by photo.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use cairn_model::{Landmark, Prediction};
use cairn_places::Place;
use clap::ValueEnum;
use serde::Serialize;

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
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum RowOutcome<'a> {
    Prediction(&'a Prediction),
    Unreadable { error: String },
}

impl<'a> Row<'a> {
    pub(crate) fn new(path: &Path, outcome: RowOutcome<'a>) -> Self {
        Self { photo: path.display().to_string(), outcome }
    }
}

/// Writes rows as they come, so that nothing piles up in memory and a reader sees the first at once.
pub(crate) struct RowWriter<W: Write> {
    out: W,
    format: Format,
    rows: usize,
}

impl<W: Write> RowWriter<W> {
    pub(crate) fn new(out: W, format: Format) -> Self {
        Self { out, format, rows: 0 }
    }

    pub(crate) fn write(&mut self, row: &Row<'_>) -> Result<()> {
        let first = self.rows == 0;
        self.rows += 1;
        match self.format {
            Format::Table => self.write_table(row, first)?,
            Format::Json => {
                self.out.write_all(if first { b"[\n" } else { b",\n" })?;
                serde_json::to_writer(&mut self.out, row).map_err(io::Error::from)?;
            }
            Format::Jsonl => {
                serde_json::to_writer(&mut self.out, row).map_err(io::Error::from)?;
                self.out.write_all(b"\n")?;
            }
            Format::Csv => self.write_csv(row, first)?,
        }
        Ok(self.out.flush()?)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        if self.format == Format::Json {
            self.out.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        Ok(self.out.flush()?)
    }

    fn write_table(&mut self, row: &Row<'_>, first: bool) -> Result<()> {
        if !first {
            writeln!(self.out)?;
        }
        writeln!(self.out, "{}", row.photo)?;
        match &row.outcome {
            RowOutcome::Prediction(prediction) => {
                if prediction.is_landmark == Some(false) {
                    writeln!(self.out, "  not a landmark that the model knows; the closest:")?;
                }
                prediction.landmarks.iter().try_for_each(|landmark| write_landmark(&mut self.out, landmark))
            }
            RowOutcome::Unreadable { error } => Ok(writeln!(self.out, "  not read: {error}")?),
        }
    }

    fn write_csv(&mut self, row: &Row<'_>, first: bool) -> Result<()> {
        let mut csv = csv::Writer::from_writer(&mut self.out);
        if first {
            csv.write_record(CSV_COLUMNS).map_err(io::Error::from)?;
        }
        match &row.outcome {
            RowOutcome::Prediction(prediction) => {
                for (rank, landmark) in (1..).zip(&prediction.landmarks) {
                    let record = csv_record(&row.photo, rank, landmark, prediction);
                    csv.write_record(record).map_err(io::Error::from)?;
                }
            }
            RowOutcome::Unreadable { error } => {
                let mut record = [const { String::new() }; CSV_COLUMNS.len()];
                record[0].clone_from(&row.photo);
                record[CSV_COLUMNS.len() - 1].clone_from(error);
                csv.write_record(record).map_err(io::Error::from)?;
            }
        }
        Ok(csv.flush()?)
    }
}

/// What a line of CSV holds. A photo that could not be read has a line with its path and its error alone; a landmark
/// whose place is not known has nothing from `locality` to `wikidata`.
const CSV_COLUMNS: [&str; 14] = [
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
];

fn csv_record(
    photo: &str,
    rank: usize,
    landmark: &Landmark,
    prediction: &Prediction,
) -> [String; CSV_COLUMNS.len()] {
    let place = landmark.place.as_ref();
    let of_place = |field: fn(&Place) -> String| place.map(field).unwrap_or_default();
    [
        photo.to_owned(),
        rank.to_string(),
        landmark.class.clone(),
        landmark.name.clone(),
        landmark.probability.value().to_string(),
        prediction.is_landmark.map(|is_landmark| is_landmark.to_string()).unwrap_or_default(),
        prediction.landmark_score.to_string(),
        of_place(|place| place.locality.clone()),
        of_place(|place| place.country.clone()),
        of_place(|place| place.country_code.to_string()),
        of_place(|place| place.latitude.degrees().to_string()),
        of_place(|place| place.longitude.degrees().to_string()),
        of_place(|place| place.wikidata.as_ref().map(ToString::to_string).unwrap_or_default()),
        String::new(),
    ]
}

/// `  93.1%  Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)`
fn write_landmark(out: &mut impl Write, landmark: &Landmark) -> Result<()> {
    Ok(writeln!(out, "  {:>6}  {}", landmark.probability, landmark.summary())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_model::Probability;
    use cairn_places::Gazetteer;

    fn written(format: Format) -> String {
        let probabilities = Probability::softmax(&[2.0, 0.0], 1.0);
        let landmark = |name: &str, probability| Landmark {
            class: format!("00.{name}"),
            name: name.to_owned(),
            probability,
            place: Gazetteer::builtin().find(name).cloned(),
        };
        let landmarks =
            [landmark("Eiffel Tower", probabilities[0]), landmark("Our \"old\" mill", probabilities[1])];
        let mut out = Vec::new();
        let mut rows = RowWriter::new(&mut out, format);
        let known =
            Prediction { is_landmark: Some(true), landmark_score: 0.875, landmarks: landmarks.to_vec() };
        let unknown =
            Prediction { is_landmark: Some(false), landmark_score: 0.25, landmarks: landmarks.to_vec() };
        for (photo, outcome) in [
            ("a,b.jpg", RowOutcome::Prediction(&known)),
            ("b.jpg", RowOutcome::Prediction(&unknown)),
            ("c.jpg", RowOutcome::Unreadable { error: "the file is empty".into() }),
        ] {
            rows.write(&Row::new(Path::new(photo), outcome)).unwrap();
        }
        rows.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_four_formats_look_like_this() {
        for (name, format) in
            [("table", Format::Table), ("json", Format::Json), ("jsonl", Format::Jsonl), ("csv", Format::Csv)]
        {
            insta::assert_snapshot!(name, written(format));
        }
    }

    #[test]
    fn no_photos_at_all_are_an_empty_json_array() {
        let mut out = Vec::new();
        RowWriter::new(&mut out, Format::Json).finish().unwrap();
        assert_eq!(out, b"[]\n");
    }
}
