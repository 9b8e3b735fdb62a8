//! The threshold for sure answers: which scores photos that show no landmark hardly ever reach.

use std::path::PathBuf;

use cairn_eval::{FEWEST_DISTRACTORS, threshold_at_false_landmarks};
use cairn_model::{Embedding, EmbeddingBank, Model, ModelOutput, OodScore};
use cairn_photo::PhotoError;

use super::error::CalibrateError;

/// One part in so many of the photos without a landmark is taken to be of the same kind as any one of them.
const OWN_KIND: usize = 3;
/// From this cosine on, two embeddings are of one photo: a bundle may have rounded one of them to 16 bits.
const SAME_PHOTO: f64 = 0.999;

/// Photos that show no landmark, what the network made of them, and of which kind each is.
pub(crate) struct Distractors {
    pub outputs: Vec<ModelOutput>,
    kinds: Vec<usize>,
}

impl Distractors {
    /// Those of `kinds` of photos that can be read.
    ///
    /// # Errors
    /// When there are photos, but not one can be read.
    pub(crate) fn seen(
        kinds: &[Vec<PathBuf>],
        mut see: impl FnMut(&[PathBuf]) -> Vec<Option<ModelOutput>>,
    ) -> Result<Self, CalibrateError> {
        let mut seen = Self { outputs: Vec::new(), kinds: Vec::new() };
        for (kind, photos) in kinds.iter().enumerate() {
            seen.outputs.extend(see(photos).into_iter().flatten());
            seen.kinds.resize(seen.outputs.len(), kind);
        }
        let photos = kinds.iter().map(Vec::len).sum();
        if seen.outputs.is_empty() && photos > 0 {
            return Err(CalibrateError::NoNonLandmarks { photos });
        }
        Ok(seen)
    }

    pub(crate) fn embeddings(&self) -> Vec<Embedding> {
        self.outputs.iter().map(|output| output.embedding.clone()).collect()
    }

    /// The kinds of which photos could be read.
    pub(crate) fn present_kinds(&self) -> Vec<usize> {
        let mut kinds = self.kinds.clone();
        kinds.dedup();
        kinds
    }

    /// The photos of one kind, and all others.
    pub(crate) fn split(&self, kind: usize) -> (Self, Self) {
        let pick = |wanted: bool| {
            let photos = self.outputs.iter().zip(&self.kinds).filter(|(_, own)| (**own == kind) == wanted);
            let (outputs, kinds) = photos.map(|(output, own)| (output.clone(), *own)).unzip();
            Self { outputs, kinds }
        };
        (pick(true), pick(false))
    }

    /// The score of each by a model that remembers `memory`.
    pub(crate) fn scores(&self, score: OodScore, model: &Model, memory: &EmbeddingBank) -> Vec<f64> {
        let score_of = |output: &ModelOutput| match score {
            OodScore::Similarity => {
                memory.similarity(&output.embedding, passed_over(&output.embedding, memory))
            }
            OodScore::Confidence | OodScore::Energy | OodScore::Entropy => model.score(output, score),
        };
        self.outputs.iter().map(score_of).collect()
    }

    /// The threshold that 2 % of such photos reach at most: the highest of those of all photos together and of each
    /// kind by itself, so that many easy photos do not hide a few hard ones. `None` where they are too few to say.
    fn sure_threshold(&self, score: OodScore, scores: &[f64]) -> Option<f64> {
        let kind_count = self.kinds.last().map_or(0, |last| last + 1);
        let of_kind = |kind| {
            let scores = scores.iter().zip(&self.kinds).filter(move |(_, own)| **own == kind);
            scores.map(|(&score, _)| score).collect::<Vec<f64>>()
        };
        let groups = std::iter::once(scores.to_vec()).chain((0..kind_count).map(of_kind));
        let thresholds = groups.filter_map(|scores| {
            let unbounded: Vec<f64> = scores.into_iter().map(|value| unbounded(score, value)).collect();
            Some(bounded(score, threshold_at_false_landmarks(&unbounded)?))
        });
        thresholds.reduce(f64::max)
    }
}

/// How many of the nearest photos in the bank a photo is not compared with. A photo of the bank finds itself there, and
/// others of the same staircase. What a model meets later will be of other kinds: so a photo of the bank is judged
/// without the part of the bank that is likest to it.
fn passed_over(embedding: &Embedding, memory: &EmbeddingBank) -> usize {
    let bank = &memory.non_landmarks;
    let is_in_it = bank.iter().any(|other| other.cosine(embedding) > SAME_PHOTO);
    if is_in_it { bank.len().div_ceil(OWN_KIND) } else { 0 }
}

/// The score on a scale without ends: the log-odds of what lies between 0 and 1.
fn unbounded(score: OodScore, value: f64) -> f64 {
    match score {
        OodScore::Confidence | OodScore::Entropy => {
            let value = value.clamp(1e-9, 1.0 - 1e-9);
            (value / (1.0 - value)).ln()
        }
        OodScore::Energy | OodScore::Similarity => value,
    }
}

/// The opposite of [`unbounded`].
fn bounded(score: OodScore, value: f64) -> f64 {
    match score {
        OodScore::Confidence | OodScore::Entropy => 1.0 / (1.0 + (-value).exp()),
        OodScore::Energy | OodScore::Similarity => value,
    }
}

/// The sure threshold of a model that goes by `score`, if these photos are enough: never below its `threshold`.
pub(crate) fn sure_threshold(
    distractors: &Distractors,
    score: OodScore,
    threshold: f64,
    scores: &[f64],
) -> Option<f64> {
    distractors.sure_threshold(score, scores).map(|sure| sure.max(threshold))
}

/// What [`calibrate_sure`] found.
#[derive(Debug)]
pub struct SureOutcome {
    /// The lowest score of a sure answer from now on.
    pub sure: f64,
    /// How many photos without a landmark could be read.
    pub distractors: usize,
    /// How many of these reach the model's threshold, and the sure one.
    pub accepted: usize,
    /// See [`Self::accepted`].
    pub accepted_surely: usize,
    /// Photos that were left out.
    pub bad_photos: Vec<PhotoError>,
}

/// Chooses the sure threshold of a `model` that has a score and a threshold already, and leaves all else as it is.
/// `kinds` are photos that show none of its landmarks, a list for each kind; `on_photo` is called after each photo.
///
/// # Errors
/// When the model has no threshold at all, or too few photos can be read.
pub fn calibrate_sure(
    model: &mut Model,
    kinds: &[Vec<PathBuf>],
    mut on_photo: impl FnMut(),
) -> Result<SureOutcome, CalibrateError> {
    let rejection = model.info().rejection.ok_or(CalibrateError::NoThreshold)?;
    let mut bad_photos = Vec::new();
    let distractors = Distractors::seen(kinds, |paths| {
        let seen = model.outputs(paths).map(|output| {
            on_photo();
            output.map_err(|error| bad_photos.push(error)).ok()
        });
        seen.collect()
    })?;
    let scores = distractors.scores(rejection.score, model, model.bank());
    let sure = sure_threshold(&distractors, rejection.score, rejection.threshold, &scores)
        .ok_or(CalibrateError::FewNonLandmarks { photos: scores.len(), fewest: FEWEST_DISTRACTORS })?;
    model.set_sure(sure);
    let reach = |threshold: f64| scores.iter().filter(|&&score| score >= threshold).count();
    Ok(SureOutcome {
        sure,
        distractors: scores.len(),
        accepted: reach(rejection.threshold),
        accepted_surely: reach(sure),
        bad_photos,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distractors of which only the kinds matter.
    fn of_kinds(kinds: &[usize]) -> Distractors {
        let embedding = Embedding::of(&[1.0, 0.0]);
        let output = ModelOutput { logits: vec![], embedding };
        Distractors { outputs: vec![output; kinds.len()], kinds: kinds.to_vec() }
    }

    #[test]
    fn many_easy_photos_do_not_hide_a_kind_of_hard_ones() {
        let spread = |n: usize| (n % 10) as f64 * 0.01;
        let hard: Vec<f64> = (0..20).map(|n| 1.0 + spread(n)).collect();
        let easy: Vec<f64> = (0..400).map(spread).collect();
        let kinds: Vec<usize> = [vec![0; 20], vec![1; 400]].concat();
        let together = [hard.clone(), easy].concat();
        let by_kind = of_kinds(&kinds).sure_threshold(OodScore::Similarity, &together).unwrap();
        let alone = of_kinds(&[0; 20]).sure_threshold(OodScore::Similarity, &hard).unwrap();
        let pooled = of_kinds(&[0; 420]).sure_threshold(OodScore::Similarity, &together).unwrap();
        assert_eq!(by_kind, alone);
        assert!(pooled < by_kind, "{pooled} {by_kind}");
    }

    #[test]
    fn a_kind_is_split_from_the_others() {
        let all = of_kinds(&[0, 0, 2, 2, 2, 3]);
        assert_eq!(all.present_kinds(), [0, 2, 3]);
        let (own, others) = all.split(2);
        assert_eq!((own.kinds, others.kinds), (vec![2; 3], vec![0, 0, 3]));
        assert_eq!((own.outputs.len(), others.outputs.len()), (3, 3));
    }

    #[test]
    fn the_sure_threshold_of_a_probability_is_one_and_too_few_photos_give_none() {
        let confidences: Vec<f64> = (0..60).map(|n| 0.3 + 0.01 * f64::from(n)).collect();
        for score in [OodScore::Confidence, OodScore::Entropy] {
            let sure = of_kinds(&[0; 60]).sure_threshold(score, &confidences).unwrap();
            assert!(sure > 0.89 && sure < 1.0, "{sure}");
        }
        assert_eq!(of_kinds(&[0; 5]).sure_threshold(OodScore::Energy, &[0.0; 5]), None);
        // Kinds of too few photos by themselves still count together.
        let kinds: Vec<usize> = (0..30).collect();
        let scores: Vec<f64> = (0..30).map(f64::from).collect();
        assert!(of_kinds(&kinds).sure_threshold(OodScore::Energy, &scores).is_some());
        assert_eq!(sure_threshold(&of_kinds(&kinds), OodScore::Energy, 1e6, &scores), Some(1e6));
    }

    #[test]
    fn a_photo_of_the_bank_is_judged_without_its_own_kind_and_another_by_all_of_it() {
        let at = |degrees: f32| {
            let (sine, cosine) = degrees.to_radians().sin_cos();
            Embedding::of(&[cosine, sine])
        };
        let memory = EmbeddingBank {
            non_landmarks: (0..12).map(|n| at(n as f32 * 15.0)).collect(),
            ..EmbeddingBank::default()
        };
        assert_eq!(passed_over(&at(30.2), &memory), 4);
        assert_eq!(passed_over(&at(37.0), &memory), 0);
    }
}
