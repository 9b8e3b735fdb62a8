//! What a person looks at to decide: photos by landmark, the least certain landmarks first.
//!
//! Pages and terminals are made elsewhere; they show [`Review::groups`] and call [`Review::decide`].

use std::collections::{HashMap, HashSet};
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
    /// Whether the landmark is never marked in this library.
    pub never_here: bool,
    /// Its photos, the most probable first.
    pub photos: Vec<ReviewPhoto>,
}

impl ReviewGroup {
    /// How many photos wait for a decision.
    pub fn undecided(&self) -> usize {
        self.photos.iter().filter(|photo| photo.decision.is_none()).count()
    }

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

/// What a person decided at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The group, by its place among [`Review::groups`].
    pub group: usize,
    /// The photos, by their places in the group; none where it is about the landmark in the whole library.
    pub photos: Vec<usize>,
    /// What was decided; `None` where a landmark is allowed in the library again.
    pub decision: Option<Decision>,
    /// Decisions that were stored for it.
    stored: usize,
}

/// A review of a library.
#[derive(Debug)]
pub struct Review<'a> {
    state: &'a State,
    decisions: Decisions,
    groups: Vec<ReviewGroup>,
    /// What was decided in this review, for taking back.
    steps: Vec<Step>,
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
                never_here: decisions.is_never_here(&photo.landmark, photo.wikidata.as_deref()),
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
        Ok(Review { state, decisions, groups, steps: Vec::new(), precision })
    }

    /// The groups, the least certain first.
    pub fn groups(&self) -> &[ReviewGroup] {
        &self.groups
    }

    /// What was decided in this review and not taken back, in its order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Stores a decision about photos of a group, all at once: on the disk when this returns. [`Decision::Never`] is about any
    /// landmark in these photos; another decision about such a photo takes that back.
    ///
    /// # Errors
    /// When the decision cannot be stored.
    pub fn decide(
        &mut self,
        group: usize,
        photos: &[usize],
        decision: Decision,
    ) -> Result<(), DecisionError> {
        let Some(of) = self.groups.get(group) else { return Ok(()) };
        let photos: Vec<usize> = photos.iter().copied().filter(|&at| at < of.photos.len()).collect();
        // Copies of a picture are one.
        let mut pictures: Vec<PayloadHash> = photos.iter().map(|&at| of.photos[at].payload).collect();
        pictures.sort_unstable();
        pictures.dedup();
        let landmark = (decision != Decision::Never).then_some(of.landmark.as_str());
        let wikidata = landmark.and(of.wikidata.as_deref());
        let mut lines = Vec::new();
        for &payload in &pictures {
            let about = About::Picture(payload);
            if decision != Decision::Never && self.decisions.is_never_marked(payload) {
                lines.push(DecisionLine::new(about, None, None, None));
            }
            lines.push(DecisionLine::new(about, landmark, wikidata, Some(decision)));
        }
        let step = Step { group, photos, decision: Some(decision), stored: lines.len() };
        self.store(step, lines)
    }

    /// Never marks a group's landmark in this library.
    ///
    /// # Errors
    /// When the decision cannot be stored.
    pub fn never_here(&mut self, group: usize) -> Result<(), DecisionError> {
        self.decide_here(group, Some(Decision::Never))
    }

    /// Allows marks of a group's landmark in this library again.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn allow_here(&mut self, group: usize) -> Result<(), DecisionError> {
        self.decide_here(group, None)
    }

    fn decide_here(&mut self, group: usize, decision: Option<Decision>) -> Result<(), DecisionError> {
        let Some(of) = self.groups.get(group) else { return Ok(()) };
        let line = DecisionLine::new(About::Library, Some(&of.landmark), of.wikidata.as_deref(), decision);
        self.store(Step { group, photos: Vec::new(), decision, stored: 1 }, vec![line])
    }

    /// Takes back what was decided last in this review: what held before holds again. `None` if there is nothing left.
    ///
    /// # Errors
    /// When that cannot be stored.
    pub fn take_back(&mut self) -> Result<Option<Step>, DecisionError> {
        let Some(step) = self.steps.last() else { return Ok(None) };
        let lines = self.decisions.take_back(self.state, step.stored)?;
        self.refresh(&lines);
        Ok(self.steps.pop())
    }

    fn store(&mut self, step: Step, lines: Vec<DecisionLine>) -> Result<(), DecisionError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.decisions.record_all(self.state, lines.clone())?;
        self.refresh(&lines);
        self.steps.push(step);
        Ok(())
    }

    /// Looks up what holds now, in all that these lines are about: copies of a picture have one decision.
    fn refresh(&mut self, lines: &[DecisionLine]) {
        let about: HashSet<About> = lines.iter().filter_map(DecisionLine::about).collect();
        for group in &mut self.groups {
            let wikidata = group.wikidata.as_deref();
            if about.contains(&About::Library) {
                group.never_here = self.decisions.is_never_here(&group.landmark, wikidata);
            }
            for photo in group.photos.iter_mut().filter(|p| about.contains(&About::Picture(p.payload))) {
                photo.decision = self.decisions.decision(photo.payload, &group.landmark, wikidata);
            }
        }
    }
}
