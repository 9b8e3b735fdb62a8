//! What is exported: photos that were considered, and which of them are marked.

use std::collections::HashMap;
use std::path::PathBuf;

use cairn_places::{Gazetteer, Place};

use crate::clock;
use crate::evidence::{Assessed, Assessment, Basis, Mark, MarkRules, marks};
use crate::state::{FileId, LibraryRow, Position, ReadingRow, State, StateError};

/// A photo that was considered.
#[derive(Clone, Debug)]
pub struct ExportRow<'a> {
    /// Its path in the library.
    pub path: PathBuf,
    /// What is known of its likeliest landmark.
    pub assessed: &'a Assessed,
    /// Whether it is marked, and why.
    pub marked: Option<Basis>,
    /// The landmark's place, where that is known.
    pub place: Option<Place>,
    /// What the photo says about itself.
    pub reading: ReadingRow,
}

impl ExportRow<'_> {
    /// When it was taken, by the camera's clock: `2019-07-14T15:04:05+02:00`, without an offset where none is known.
    pub fn taken(&self) -> Option<String> {
        self.reading.taken.map(|taken| clock::text(taken, self.reading.offset_minutes))
    }

    /// The photo's own position.
    pub fn position(&self) -> Option<Position> {
        self.reading.position
    }
}

/// What is exported of a library.
#[derive(Debug)]
pub struct Export<'a> {
    /// The library.
    pub library: &'a LibraryRow,
    /// All photos that were considered, in order of their paths.
    pub rows: Vec<ExportRow<'a>>,
    /// The expected number of wrong marks.
    pub expected_wrong: f64,
}

impl<'a> Export<'a> {
    /// Of a library.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(
        state: &State,
        library: &'a LibraryRow,
        assessment: &'a Assessment,
        rules: &MarkRules,
        gazetteer: &Gazetteer,
    ) -> Result<Export<'a>, StateError> {
        let found = marks(assessment, rules, gazetteer);
        let marked: HashMap<(FileId, &str), &Mark> =
            found.marks.iter().map(|mark| ((mark.file, mark.landmark.as_str()), mark)).collect();
        let mut rows = Vec::with_capacity(assessment.photos.len());
        for assessed in &assessment.photos {
            if !rules.wants(gazetteer, &assessed.landmark) {
                continue;
            }
            let Some(file) = state.file(assessed.file)? else { continue };
            rows.push(ExportRow {
                path: file.path,
                marked: marked.get(&(assessed.file, assessed.landmark.as_str())).map(|mark| mark.basis),
                place: gazetteer.find(&assessed.landmark).cloned(),
                reading: state.reading(assessed.file)?.unwrap_or_default(),
                assessed,
            });
        }
        rows.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Export { library, rows, expected_wrong: found.expected_wrong })
    }

    /// The photos that are marked.
    pub fn marked(&self) -> impl Iterator<Item = &ExportRow<'a>> {
        self.rows.iter().filter(|row| row.marked.is_some())
    }

    /// The photos that are marked, by landmark in order of names.
    pub(super) fn by_landmark(&self) -> Vec<(&str, Vec<&ExportRow<'a>>)> {
        let mut found: std::collections::BTreeMap<&str, Vec<&ExportRow<'a>>> = Default::default();
        for row in self.marked() {
            found.entry(&row.assessed.landmark).or_default().push(row);
        }
        found.into_iter().collect()
    }
}
