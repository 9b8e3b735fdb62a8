//! What a person looks at to decide: photos by landmark, the least certain landmarks first.
//!
//! Pages and terminals are made elsewhere; they show [`Review::groups`] and call [`Review::decide`].

use std::collections::HashMap;
use std::path::PathBuf;

use cairn_places::Gazetteer;

use crate::decisions::{About, DecisionError, DecisionLine, Decisions};
use crate::evidence::{Assessment, Precision, assess};
use crate::state::{Decision, FileId, LibraryRow, PayloadHash, State, Verdict};

/// A photo whose landmark a person may decide about.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewPhoto {
    /// The file.
    pub file: FileId,
    /// Its path from the library's root.
    pub path: PathBuf,
    /// Its picture.
    pub payload: PayloadHash,
    /// How probable it shows the landmark, in this library.
    pub probability: f64,
    /// When it was taken, by its own clock: seconds since 1970 as if that were UTC.
    pub taken: Option<i64>,
    /// What the trip and its own position say.
    pub verdict: Verdict,
    /// Whether its own position contradicts the landmark.
    pub is_conflict: bool,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// The photos of one landmark.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewGroup {
    /// The landmark by its gazetteer's name.
    pub landmark: String,
    /// Its item on Wikidata.
    pub wikidata: Option<String>,
    /// Its photos, the most probable first.
    pub photos: Vec<ReviewPhoto>,
}

impl ReviewGroup {
    /// The mean probability of the photos that nobody decided about; 1 where there is none.
    fn certainty(&self) -> f64 {
        let open: Vec<f64> = self
            .photos
            .iter()
            .filter(|photo| photo.decision.is_none())
            .map(|photo| photo.probability)
            .collect();
        if open.is_empty() { 1.0 } else { open.iter().sum::<f64>() / open.len() as f64 }
    }
}

/// A review of a library.
#[derive(Debug)]
pub struct Review<'a> {
    state: &'a State,
    decisions: Decisions,
    groups: Vec<ReviewGroup>,
    /// How right the model is in this library.
    pub precision: Precision,
}

/// Photos below this are no candidates: a person would look through the whole library.
const LEAST: f64 = 0.05;

impl<'a> Review<'a> {
    /// Opens a review, of one landmark or of all.
    ///
    /// # Errors
    /// When the database or the decisions cannot be read.
    pub fn open(
        state: &'a State,
        library: &LibraryRow,
        gazetteer: &Gazetteer,
        landmark: Option<&str>,
    ) -> Result<Review<'a>, DecisionError> {
        // First the decisions: rows that the database lost come back from their file.
        let decisions = Decisions::open(state, library.id)?;
        let Assessment { photos, precision, .. } = assess(state, library.id, gazetteer)?;
        let wanted =
            landmark.map(|name| gazetteer.find(name).map_or(name, |place| place.name.as_str()).to_owned());
        let mut groups: HashMap<String, ReviewGroup> = HashMap::new();
        for photo in photos {
            let decision = decisions.decision(photo.payload, &photo.landmark, photo.wikidata.as_deref());
            let is_candidate = photo.probability >= LEAST || photo.is_sure || decision.is_some();
            if !is_candidate || wanted.as_ref().is_some_and(|wanted| *wanted != photo.landmark) {
                continue;
            }
            let Some(file) = state.file(photo.file)? else { continue };
            let shown = ReviewPhoto {
                file: photo.file,
                path: file.path,
                payload: photo.payload,
                probability: photo.probability,
                taken: state.reading(photo.file)?.and_then(|reading| reading.taken),
                verdict: photo.context.verdict,
                is_conflict: photo.is_conflict(),
                decision,
            };
            let group = groups.entry(photo.landmark.clone()).or_insert_with(|| ReviewGroup {
                landmark: photo.landmark,
                wikidata: photo.wikidata,
                photos: Vec::new(),
            });
            group.photos.push(shown);
        }
        let mut groups: Vec<ReviewGroup> = groups.into_values().collect();
        for group in &mut groups {
            group.photos.sort_by(|one, other| {
                other.probability.total_cmp(&one.probability).then(one.path.cmp(&other.path))
            });
        }
        groups.sort_by(|one, other| {
            one.certainty().total_cmp(&other.certainty()).then(one.landmark.cmp(&other.landmark))
        });
        Ok(Review { state, decisions, groups, precision })
    }

    /// The groups, the least certain first.
    pub fn groups(&self) -> &[ReviewGroup] {
        &self.groups
    }

    /// Stores a decision about photos of a group: on the disk when this returns. [`Decision::Never`] is about any landmark in
    /// these photos.
    ///
    /// # Errors
    /// When the decision cannot be stored.
    pub fn decide(
        &mut self,
        group: usize,
        photos: &[usize],
        decision: Decision,
    ) -> Result<(), DecisionError> {
        let Some(group) = self.groups.get_mut(group) else { return Ok(()) };
        for &index in photos {
            let Some(photo) = group.photos.get_mut(index) else { continue };
            let landmark = (decision != Decision::Never).then_some(group.landmark.as_str());
            let wikidata = landmark.and(group.wikidata.as_deref());
            let line = DecisionLine::new(About::Picture(photo.payload), landmark, wikidata, Some(decision));
            self.decisions.record(self.state, line)?;
            photo.decision = Some(decision);
        }
        Ok(())
    }

    /// Never marks a group's landmark in this library.
    ///
    /// # Errors
    /// When the decision cannot be stored.
    pub fn never_here(&mut self, group: usize) -> Result<(), DecisionError> {
        let Some(group) = self.groups.get(group) else { return Ok(()) };
        let line = DecisionLine::new(
            About::Library,
            Some(&group.landmark),
            group.wikidata.as_deref(),
            Some(Decision::Never),
        );
        self.decisions.record(self.state, line)
    }

    /// Takes back the last decision of this review. False if there is none.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn take_back(&mut self) -> Result<bool, DecisionError> {
        let Some(line) = self.decisions.take_back(self.state)? else { return Ok(false) };
        for group in &mut self.groups {
            for photo in &mut group.photos {
                if line.about() == Some(About::Picture(photo.payload)) {
                    photo.decision =
                        self.decisions.decision(photo.payload, &group.landmark, group.wikidata.as_deref());
                }
            }
        }
        Ok(true)
    }
}
