//! Answers as JSON, JSON lines or CSV, written photo by photo; tables are [`RowTable`]'s.

use std::io::Write;

use anyhow::Result;
use cairn_dataset::escape::shown_lines;
use cairn_model::rows::{Detail, Row, csv_header, csv_lines};
use clap::ValueEnum;

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
                format!("{before}{}", row.json(*detail)?).into_bytes()
            }
            Layout::JsonLines(detail) => format!("{}\n", row.json(*detail)?).into_bytes(),
            Layout::Csv(detail) => {
                let mut lines = if first { csv_header(*detail)? } else { Vec::new() };
                lines.extend(csv_lines(row, *detail)?);
                match self.on_terminal {
                    true => shown_lines(&String::from_utf8_lossy(&lines)).into_owned().into_bytes(),
                    false => lines,
                }
            }
        };
        self.out.write_all(&bytes)?;
        Ok(self.out.flush()?)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        match &self.layout {
            Layout::Json(_) => self.out.write_all(if self.first { b"[]\n" } else { b"\n]\n" })?,
            Layout::Csv(detail) if self.first => self.out.write_all(&csv_header(*detail)?)?,
            Layout::Table(_) | Layout::JsonLines(_) | Layout::Csv(_) => {}
        }
        Ok(self.out.flush()?)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use cairn_model::rows::{Camera, FileStamp, ModelIdentity, RowOutcome};
    use cairn_model::{Landmark, Prediction, Probability};
    use cairn_places::Gazetteer;
    use std::io;

    pub(crate) fn landmark(name: &str, probability: f64) -> Landmark {
        // The softmax of these two is the probability, and what is left.
        let odds = (probability / (1.0 - probability)).ln() as f32;
        let place = Gazetteer::builtin().find(name).cloned();
        Landmark {
            class: format!("00.{}", name.replace(' ', "_")),
            name: place.as_ref().map_or(name, |place| &place.name).to_owned(),
            probability: Probability::softmax(&[odds, 0.0], 1.0)[0],
            place,
        }
    }

    pub(crate) fn model() -> ModelIdentity {
        ModelIdentity { name: "shipped".to_owned(), digest: "sha256:0123456789abcdef".to_owned() }
    }

    pub(crate) fn row<'a>(photo: &str, outcome: RowOutcome<'a>, model: &'a ModelIdentity) -> Row<'a> {
        let stamp = FileStamp { bytes: 48_213, modified: Some("2024-05-01T10:00:00Z".to_owned()) };
        let stamp = matches!(outcome, RowOutcome::Prediction(_)).then_some(stamp);
        Row { photo: photo.to_owned(), outcome, camera: None, stamp, model: Some(model) }
    }

    fn written(format: Format, detail: Detail) -> String {
        let landmarks = vec![landmark("Eiffel Tower", 0.875), landmark("Our \"old\" mill", 0.125)];
        let known = Prediction {
            is_landmark: Some(true),
            sure: Some(true),
            landmark_score: 0.875,
            landmarks: landmarks.clone(),
            ..Prediction::default()
        };
        let unknown = Prediction {
            is_landmark: Some(false),
            sure: Some(false),
            landmark_score: 0.25,
            landmarks,
            ..Prediction::default()
        };
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
