//! All that is known of each photo's likeliest landmark.

use std::collections::HashSet;

use cairn_places::Gazetteer;

use super::assessed::Assessed;
use super::candidates::{Candidate, Candidates};
use super::context::{contexts, estimated_position};
use super::labels::{Precision, correction};
use super::mark::MarkRules;
use super::prior::share_of_landmarks;
use super::rightness::{Rightness, log_odds, probability};
use super::timeline::Timeline;
use crate::state::{ContextRow, FileId, LibraryId, ModelRow, State, StateError, Verdict};

/// What the odds of a landmark are before the photo is looked at, where the trip was there.
///
/// These two were not fitted, for want of trips with known answers. They follow from two shares: of photos that are taken
/// within sight of a landmark a quarter shows it (near it, a tenth), and a photo of something else that the model takes for a
/// landmark is taken for just this one in a sixth of the cases, the share of the commonest.
const IN_SIGHT_ODDS: f64 = 1.5;
const SUPPORTED_ODDS: f64 = 2.0 / 3.0;

/// What the other photos of the same trip that are taken for the same landmark add to the log odds: half of the log likelihood
/// ratios of the two surest, and at most 6. They are photos of one building and may share the mistake: thirty photos of a replica
/// say no more than two.
///
/// So the odds are right, or too low, for trips of two to twelve photos, drawn from validation photos of landmarks and from
/// calibration photos of 24 other buildings (`tests/rightness_reference.py`).
const AGREEMENT: f64 = 0.5;
const MAX_AGREEMENT: f64 = 6.0;

/// What is known of the landmarks in a library.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// The photos whose likeliest landmark is considered, in order of their files' numbers.
    pub photos: Vec<Assessed>,
    /// How right the model is on photos with a position of their own.
    pub precision: Precision,
    /// The share of the library's photos that show a landmark, as estimated.
    pub share: f64,
    /// Photos that a model looked at.
    pub looked_at: usize,
    /// The model that looked at them.
    pub model: Option<ModelRow>,
    /// Whether the model has the two thresholds without which nothing but a person's word is marked.
    pub is_calibrated: bool,
}

/// Assesses the likeliest landmark of every photo of a library.
///
/// # Errors
/// When the database cannot be read.
pub fn assess(state: &State, library: LibraryId, gazetteer: &Gazetteer) -> Result<Assessment, StateError> {
    let found = Candidates::of(state, library, gazetteer)?;
    let wanted: HashSet<FileId> = found.candidates.iter().map(|candidate| candidate.file).collect();
    let timeline = Timeline::of(state, library, |file| wanted.contains(&file))?;
    let rightness = found.model.as_ref().and_then(Rightness::of);
    let contexts = contexts(&found.candidates, rightness, &timeline, gazetteer);
    let share = share_of_landmarks(&found.log_ratios);
    let odds: Vec<f64> = found
        .candidates
        .iter()
        .zip(&contexts)
        .map(|(candidate, context)| {
            rightness.map_or(f64::NEG_INFINITY, |of| log_odds_of(of, share, candidate, context))
        })
        .collect();
    let shift = correction(&labels(&found.candidates, &contexts, &odds));
    let photos = found.candidates.into_iter().zip(contexts).zip(odds).map(|((candidate, context), odds)| {
        let is_out = matches!(context.verdict, Verdict::Impossible | Verdict::Conflict);
        let place = gazetteer.find(&candidate.landmark);
        Assessed {
            file: candidate.file,
            payload: candidate.payload,
            probability: match () {
                () if candidate.confirmed => 1.0,
                () if candidate.rejected || is_out => 0.0,
                () => probability(odds + shift),
            },
            model_probability: candidate.probability,
            is_sure: rightness.is_some_and(|of| candidate.score >= of.sure()),
            estimated: estimated_position(candidate.file, &timeline, place),
            context,
            confirmed: candidate.confirmed,
            rejected: candidate.rejected,
            landmark: candidate.landmark,
            wikidata: candidate.wikidata,
        }
    });
    let photos: Vec<Assessed> = photos.collect();
    Ok(Assessment {
        precision: Precision::of(&photos),
        photos,
        share,
        looked_at: found.log_ratios.len(),
        is_calibrated: rightness.is_some(),
        model: found.model,
    })
}

/// The log odds that a mark is right, before the library's own labels correct them.
fn log_odds_of(rightness: Rightness, share: f64, candidate: &Candidate, context: &ContextRow) -> f64 {
    let of_library = log_odds(share);
    let prior = match context.verdict {
        Verdict::InSight => of_library.max(IN_SIGHT_ODDS.ln()),
        Verdict::Supported => of_library.max(SUPPORTED_ODDS.ln()),
        _ => of_library,
    };
    let agreement = (AGREEMENT * context.agreement).min(MAX_AGREEMENT);
    rightness.log_ratio(candidate.score) + prior + agreement
}

/// Photos of which the truth is known: by a person, or by their own position.
///
/// A photo within sight of a landmark need not show it, so that such labels count only where the mark is likelier right than
/// wrong.
fn labels(candidates: &[Candidate], contexts: &[ContextRow], odds: &[f64]) -> Vec<(f64, bool)> {
    /// Even odds.
    const CONSIDERED: f64 = 0.0;
    let label = |((candidate, context), odds): ((&Candidate, &ContextRow), &f64)| {
        let truth = match (candidate.confirmed, candidate.rejected, context.verdict) {
            (true, ..) => Some(true),
            (_, true, _) => Some(false),
            (.., Verdict::InSight) => Some(true),
            (.., Verdict::Conflict) => Some(false),
            _ => None,
        };
        truth.filter(|_| *odds >= CONSIDERED).map(|truth| (*odds, truth))
    };
    candidates.iter().zip(contexts).zip(odds).filter_map(label).collect()
}

impl MarkRules {
    /// Whether a landmark is wanted.
    pub(crate) fn wants(&self, gazetteer: &Gazetteer, landmark: &str) -> bool {
        self.landmark.as_ref().is_none_or(|wanted| {
            wanted == landmark || gazetteer.find(wanted).is_some_and(|place| place.name == landmark)
        })
    }
}
