//! `--skip-done`: a file of rows that grows from run to run.

use cairn_model::rows::{BRIEF_CSV_COLUMNS, CSV_COLUMNS, Detail, FileStamp, ModelIdentity};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cairn_dataset::escape::csv_value;
use cairn_dataset::path_text;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::rows::Format;

/// A file of rows, and which photos have theirs in it.
#[derive(Debug)]
pub(crate) struct DoneRows {
    path: PathBuf,
    file: File,
    pub format: Format,
    /// Whether the file held nothing that counts.
    pub is_empty: bool,
    /// The last row of each photo.
    done: HashMap<String, Done>,
}

/// What a row says of when it was written; brief rows say nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Done {
    stamp: Option<FileStamp>,
    model: Option<String>,
    is_error: bool,
}

/// What the rows to come are, and those of the file must be to stand beside them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowKind<'a> {
    pub detail: Detail,
    pub model: &'a ModelIdentity,
    /// The score from which on the model takes a photo for a landmark.
    pub threshold: Option<f64>,
    /// How many landmarks the model names for each photo.
    pub named: usize,
}

impl DoneRows {
    /// Opens the file, or makes it. What a run that was killed left half-written at its end is cut off. `kind` is that of
    /// the rows to come in the file's format.
    ///
    /// # Errors
    /// When it is of another format or its rows of another kind, is written to by another process, or cannot be read.
    pub(crate) fn open<'a>(
        path: &Path,
        format: Option<Format>,
        kind: impl FnOnce(Format) -> RowKind<'a>,
    ) -> Result<Self> {
        let format = format_of(path, format)?;
        let kind = kind(format);
        let name = path_text(path);
        // Opening a named pipe waits for somebody at its other end.
        if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
            bail!("{name}: is no regular file, so rows cannot be added to it");
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(|| format!("{name}: cannot be opened"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("{name}: another process is writing to it"),
            // Some network disks have no locks.
            Err(TryLockError::Error(_)) => {}
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| format!("{name}: cannot be read"))?;
        let rows = match format {
            Format::Csv => rows_of_csv(&bytes, &kind),
            _ => rows_of_json_lines(&bytes, &kind),
        };
        let Rows { done, whole } = rows.with_context(|| name.clone())?;
        file.set_len(whole as u64).with_context(|| format!("{name}: cannot be written"))?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { path: path.to_owned(), file, format, is_empty: whole == 0, done })
    }

    /// Whether the photo of this name has a row by this model, and has not changed since. A row that does not say of which
    /// model and file it is (a brief one) counts unless it is an error's: the photo may have been mended.
    pub(crate) fn has(&self, name: &str, stamp: Option<&FileStamp>, model: &ModelIdentity) -> bool {
        self.done.get(name).is_some_and(|done| match &done.model {
            None => !done.is_error,
            Some(digest) => *digest == model.digest && done.stamp.as_ref() == stamp,
        })
    }

    /// The file, to write below what is there.
    pub(crate) fn file(&self) -> Result<File> {
        self.file.try_clone().with_context(|| format!("{}: cannot be written", path_text(&self.path)))
    }
}

/// What `format` says, else the file's name.
fn format_of(path: &Path, format: Option<Format>) -> Result<Format> {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let by_name = match extension.as_deref() {
        Some("csv") => Some(Format::Csv),
        Some("jsonl" | "ndjson") => Some(Format::Jsonl),
        _ => None,
    };
    match format.or(by_name) {
        Some(format @ (Format::Csv | Format::Jsonl)) => Ok(format),
        Some(_) => bail!("--skip-done adds rows to a file: it takes --format jsonl or csv"),
        None => bail!("{}: say which format it is of: --format jsonl or csv", path_text(path)),
    }
}

/// What a file holds.
#[derive(Debug, Default)]
struct Rows {
    done: HashMap<String, Done>,
    /// How many bytes are whole rows.
    whole: usize,
}

/// What is read of a row as JSON.
#[derive(Deserialize)]
struct JsonRow {
    photo: String,
    error: Option<String>,
    is_landmark: Option<bool>,
    landmark_score: Option<f64>,
    landmarks: Option<Vec<IgnoredAny>>,
    bytes: Option<u64>,
    modified: Option<String>,
    model: Option<JsonModel>,
}

#[derive(Deserialize)]
struct JsonModel {
    digest: String,
}

/// What a row says of how its photo was judged.
struct Judged<'a> {
    model: &'a str,
    is_landmark: Option<bool>,
    score: Option<f64>,
    /// How many landmarks it names.
    named: usize,
}

impl RowKind<'_> {
    /// Refuses a row of this model that another threshold or number of landmarks gave: rows beside each other must mean the
    /// same. Those of other models are superseded.
    fn check(&self, row: &Judged<'_>) -> Result<()> {
        if row.model != self.model.digest {
            return Ok(());
        }
        let now = row.score.and_then(|score| self.threshold.map(|threshold| score >= threshold));
        if row.score.is_some() && now != row.is_landmark {
            let threshold = self.threshold.map_or("none".to_owned(), |threshold| threshold.to_string());
            bail!(
                "a row was written with another threshold than {threshold}; use the same --threshold or --sure, or another file"
            );
        }
        if row.named != self.named {
            bail!("{}", self.other_count(row.named));
        }
        Ok(())
    }

    fn other_count(&self, named: usize) -> String {
        format!("a row names {named} landmarks, not {}; use the same -k, or another file", self.named)
    }
}

fn rows_of_json_lines(bytes: &[u8], kind: &RowKind<'_>) -> Result<Rows> {
    let mut rows = Rows::default();
    for (number, line) in (1..).zip(bytes.split_inclusive(|&byte| byte == b'\n')) {
        let Some(json) = line.strip_suffix(b"\n") else { break };
        let row: JsonRow = match serde_json::from_slice(json) {
            Ok(row) => row,
            Err(_) if json.trim_ascii().is_empty() => {
                rows.whole += line.len();
                continue;
            }
            Err(_) => bail!("line {number} is no row of `predict --format jsonl`; give another file"),
        };
        match (kind.detail, &row.model) {
            (Detail::Brief, Some(_)) => {
                bail!("line {number} is not brief; leave out --brief, or give another file")
            }
            (Detail::Whole, None) => bail!("line {number} is brief; add --brief, or give another file"),
            _ => {}
        }
        if let (Some(model), Some(landmarks)) = (&row.model, &row.landmarks) {
            let (model, named) = (model.digest.as_str(), landmarks.len());
            let judged = Judged { model, is_landmark: row.is_landmark, score: row.landmark_score, named };
            kind.check(&judged).with_context(|| format!("line {number}"))?;
        }
        let stamp = row.bytes.map(|bytes| FileStamp { bytes, modified: row.modified });
        let (model, is_error) = (row.model.map(|model| model.digest), row.error.is_some());
        rows.done.insert(row.photo, Done { stamp, model, is_error });
        rows.whole += line.len();
    }
    Ok(rows)
}

fn rows_of_csv(bytes: &[u8], kind: &RowKind<'_>) -> Result<Rows> {
    let (columns, others, advice): (&[&str], &[&str], _) = match kind.detail {
        Detail::Whole => (&CSV_COLUMNS, &BRIEF_CSV_COLUMNS, "its rows are brief; add --brief"),
        Detail::Brief => (&BRIEF_CSV_COLUMNS, &CSV_COLUMNS, "its rows are not brief; leave out --brief"),
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut record = csv::StringRecord::new();
    let place = |name: &str| columns.iter().position(|column| *column == name);
    let mut rows = Rows::default();
    // A photo has a line for each landmark that is named, and its row is whole with the last.
    let mut lines = 0;
    let mut end = 0;
    loop {
        let more = reader.read_record(&mut record);
        let begin = std::mem::replace(&mut end, usize::try_from(reader.position().byte())?.min(bytes.len()));
        // A record without its line end, or with columns missing, was being written when the run was killed.
        let is_whole = bytes[..end].ends_with(b"\n") && record.len() == columns.len();
        match more {
            Ok(false) => return Ok(rows),
            Ok(true) if begin == 0 => {
                let is_line = bytes[..end].ends_with(b"\n");
                if is_line && record.iter().eq(others.iter().copied()) {
                    bail!("{advice}, or give another file");
                }
                if is_line && record.iter().ne(columns.iter().copied()) {
                    bail!("its columns are not those of `predict --format csv`; give another file");
                }
                if !is_whole {
                    return Ok(rows);
                }
                rows.whole = end;
            }
            Ok(true) if is_whole => {
                let cell =
                    |name| place(name).and_then(|place| record.get(place)).filter(|cell| !cell.is_empty());
                let rank: usize = cell("rank").and_then(|cell| cell.parse().ok()).unwrap_or(0);
                let is_own = cell("model") == Some(&kind.model.digest);
                if is_own && rank <= 1 && lines > 0 {
                    bail!("after byte {}: {}", rows.whole, kind.other_count(lines));
                }
                if is_own && rank > 0 {
                    let judged = Judged {
                        model: &kind.model.digest,
                        is_landmark: cell("is_landmark").and_then(|cell| cell.parse().ok()),
                        score: cell("landmark_score").and_then(|cell| cell.parse().ok()),
                        named: rank.max(kind.named),
                    };
                    kind.check(&judged).with_context(|| format!("after byte {begin}"))?;
                }
                lines = if is_own && rank < kind.named { rank } else { 0 };
                if lines > 0 {
                    continue;
                }
                let stamp = cell("bytes").and_then(|bytes| bytes.parse().ok());
                let stamp =
                    stamp.map(|bytes| FileStamp { bytes, modified: cell("modified").map(str::to_owned) });
                let photo = csv_value(cell("photo").unwrap_or_default()).to_owned();
                let (model, is_error) = (cell("model").map(str::to_owned), cell("error").is_some());
                rows.done.insert(photo, Done { stamp, model, is_error });
                rows.whole = end;
            }
            // What is broken is cut off if nothing follows it.
            Ok(true) | Err(_) if end == bytes.len() => return Ok(rows),
            Ok(true) | Err(_) => bail!("it is not whole after byte {begin}; give another file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::RowWriter;
    use crate::rows::tests::{landmark, model, row};
    use cairn_model::Prediction;
    use cairn_model::rows::{Row, RowOutcome};
    use std::io::Write;

    const NAMES: [&str; 4] = ["a.jpg", "odd, \"quoted\"\nname.jpg", "=d.jpg", "broken.jpg"];

    /// The rows of [`NAMES`] as `predict` writes them.
    fn written(format: Format, detail: Detail, model: &ModelIdentity) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rows = RowWriter::new(&mut bytes, format, detail);
        let landmarks = vec![landmark("Petra", 0.9), landmark("Eiffel Tower", 0.05)];
        let prediction = Prediction { landmarks, ..Prediction::default() };
        for name in &NAMES[..3] {
            rows.write(&row(name, RowOutcome::Prediction(&prediction), model)).unwrap();
        }
        let error = "truncated".to_owned();
        let broken = Row { stamp: None, ..row(NAMES[3], RowOutcome::Unreadable { error }, model) };
        rows.write(&broken).unwrap();
        rows.finish().unwrap();
        bytes
    }

    fn opened(bytes: &[u8], format: Format, detail: Detail) -> (tempfile::TempDir, Result<DoneRows>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        std::fs::write(&path, bytes).unwrap();
        let model = model();
        let kind = RowKind { detail, model: &model, threshold: None, named: 2 };
        let rows = DoneRows::open(&path, Some(format), |_| kind);
        (folder, rows)
    }

    #[test]
    fn every_photo_with_a_row_is_done_unless_it_or_the_model_has_changed() {
        let model = model();
        let other = ModelIdentity { digest: "sha256:other".to_owned(), ..model.clone() };
        let prediction = Prediction::default();
        let stamp = row("", RowOutcome::Prediction(&prediction), &model).stamp.unwrap();
        let touched = FileStamp { modified: Some("2025-01-01T00:00:00Z".to_owned()), ..stamp };
        for format in [Format::Jsonl, Format::Csv] {
            let (_folder, rows) = opened(&written(format, Detail::Whole, &model), format, Detail::Whole);
            let rows = rows.unwrap();
            for name in &NAMES[..3] {
                assert!(rows.has(name, Some(&stamp), &model), "{format:?} {name}");
                assert!(!rows.has(name, Some(&touched), &model), "{format:?} {name}");
                assert!(!rows.has(name, Some(&stamp), &other), "{format:?} {name}");
            }
            // It was not there, and is now.
            assert!(rows.has(NAMES[3], None, &model) && !rows.has(NAMES[3], Some(&stamp), &model));
            assert!(!rows.has("new.jpg", Some(&stamp), &model));
            // Brief rows do not say of what they are.
            let (_folder, rows) = opened(&written(format, Detail::Brief, &model), format, Detail::Brief);
            let rows = rows.unwrap();
            assert!(NAMES[..3].iter().all(|name| rows.has(name, Some(&touched), &other)), "{format:?}");
            // What could not be read then may have been mended since.
            assert!(!rows.has(NAMES[3], Some(&stamp), &model), "{format:?}");
        }
    }

    #[test]
    fn wherever_a_run_was_killed_whole_rows_stay_and_the_half_one_is_cut_off() {
        let model = model();
        for (format, detail) in [
            (Format::Jsonl, Detail::Whole),
            (Format::Csv, Detail::Whole),
            (Format::Jsonl, Detail::Brief),
            (Format::Csv, Detail::Brief),
        ] {
            let bytes = written(format, detail, &model);
            for end in (0..bytes.len()).step_by(11).chain([bytes.len()]) {
                let (folder, rows) = opened(&bytes[..end], format, detail);
                let rows = rows.unwrap_or_else(|error| panic!("{format:?} cut at {end}: {error:#}"));
                let mut file = rows.file().unwrap();
                file.write_all(b"next\n").unwrap();
                let now = std::fs::read(folder.path().join("rows")).unwrap();
                let kept = now.strip_suffix(b"next\n").unwrap();
                assert!(bytes.starts_with(kept) && kept.len() <= end, "{format:?} cut at {end}");
                assert!(kept.is_empty() || kept.ends_with(b"\n"), "{format:?} cut at {end}");
                assert_eq!(rows.is_empty, kept.is_empty());
                // A second look at what was kept finds the same.
                let (_folder, again) = opened(kept, format, detail);
                assert_eq!(again.unwrap().done, rows.done, "{format:?} cut at {end}");
            }
        }
    }

    #[test]
    fn a_file_of_anything_else_is_refused_and_stays_as_it_is() {
        for (bytes, format) in [
            (&b"my notes\nmore\n"[..], Format::Jsonl),
            (b"{\"name\": 1}\n", Format::Jsonl),
            (b"a,b\n1,2\n", Format::Csv),
            (b"photo,name\nx,y\n", Format::Csv),
        ] {
            let (folder, rows) = opened(bytes, format, Detail::Whole);
            let error = format!("{:#}", rows.unwrap_err());
            assert!(error.contains("give another file"), "{error}");
            assert_eq!(std::fs::read(folder.path().join("rows")).unwrap(), bytes);
        }
    }

    #[test]
    fn rows_of_another_kind_are_refused_with_advice_and_stay_as_they_are() {
        let model = model();
        let refused = |bytes: &[u8], format, kind: RowKind<'_>| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows");
            std::fs::write(&path, bytes).unwrap();
            let error = DoneRows::open(&path, Some(format), |_| kind).map(|_| ()).unwrap_err();
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
            format!("{error:#}")
        };
        let prediction = Prediction {
            is_landmark: Some(true),
            sure: Some(false),
            landmark_score: 0.4,
            landmarks: vec![landmark("Petra", 0.9), landmark("Eiffel Tower", 0.05)],
            ..Prediction::default()
        };
        let written = |format, detail| {
            let mut bytes = Vec::new();
            let mut rows = RowWriter::new(&mut bytes, format, detail);
            for name in ["a.jpg", "b.jpg"] {
                rows.write(&row(name, RowOutcome::Prediction(&prediction), &model)).unwrap();
            }
            rows.finish().unwrap();
            bytes
        };
        let kind = RowKind { detail: Detail::Whole, model: &model, threshold: Some(0.3), named: 2 };
        let brief = RowKind { detail: Detail::Brief, ..kind };
        for format in [Format::Jsonl, Format::Csv] {
            let whole = written(format, Detail::Whole);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows");
            std::fs::write(&path, &whole).unwrap();
            assert_eq!(DoneRows::open(&path, Some(format), |_| kind).unwrap().done.len(), 2, "{format:?}");
            for (kind, said) in [
                (RowKind { threshold: Some(0.5), ..kind }, "use the same --threshold or --sure"),
                (RowKind { threshold: None, ..kind }, "use the same --threshold or --sure"),
                (RowKind { named: 1, ..kind }, "use the same -k"),
                (RowKind { named: 3, ..kind }, "use the same -k"),
                (brief, "leave out --brief"),
            ] {
                let error = refused(&whole, format, kind);
                assert!(error.contains(said), "{format:?} {kind:?}: {error}");
            }
            let error = refused(&written(format, Detail::Brief), format, kind);
            assert!(error.contains("add --brief"), "{format:?}: {error}");
            // Rows of another model are superseded, however they came about.
            let other = ModelIdentity { digest: "sha256:other".to_owned(), ..model.clone() };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows");
            std::fs::write(&path, &whole).unwrap();
            let kind = RowKind { model: &other, named: 1, threshold: Some(0.9), ..kind };
            assert!(DoneRows::open(&path, Some(format), |_| kind).is_ok(), "{format:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_unopened() {
        let model = model();
        let kind = RowKind { detail: Detail::Whole, model: &model, threshold: None, named: 1 };
        let error = DoneRows::open(Path::new("/dev/null"), Some(Format::Jsonl), |_| kind).unwrap_err();
        assert!(error.to_string().contains("no regular file"), "{error:#}");
    }

    #[test]
    fn the_format_is_that_of_the_files_name_unless_it_is_said() {
        for (name, format, expected) in [
            ("a.jsonl", None, Some(Format::Jsonl)),
            ("a.CSV", None, Some(Format::Csv)),
            ("a.txt", Some(Format::Csv), Some(Format::Csv)),
            ("a.txt", None, None),
            ("a.jsonl", Some(Format::Json), None),
            ("a.csv", Some(Format::Table), None),
        ] {
            assert_eq!(format_of(Path::new(name), format).ok(), expected, "{name} {format:?}");
        }
    }
}
