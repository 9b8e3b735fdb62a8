//! Whether a rejection holds for kinds of photos that it was not chosen with: each kind in turn is left out.

use cairn_eval::{Answer, RejectionMetrics};
use cairn_model::{EmbeddingBank, Model, OodScore};

use super::sure::{Distractors, sure_threshold};
use super::{ScoreQuality, Seen, answers, best, quality};

/// How a rejection that was chosen with the other kinds does on one that was left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnseenKind {
    /// Its place among the kinds.
    pub kind: usize,
    /// How many of its photos could be read.
    pub photos: usize,
    /// The score that the other kinds chose.
    pub score: OodScore,
    /// How well that tells the validation photos from this kind's.
    pub metrics: RejectionMetrics,
    /// The share of this kind's photos that the other kinds' sure threshold accepts; `None` where they are too few for one.
    pub accepted_surely: Option<f64>,
}

/// Leaves out each kind of `distractors` in turn, if there are two at least: the score and its thresholds are chosen with the
/// others, as [`calibrate`](super::calibrate) chooses them with all, and tried on the kind.
pub(super) fn unseen_kinds(
    model: &Model,
    bank: &EmbeddingBank,
    valid: &[Seen],
    distractors: &Distractors,
) -> Vec<UnseenKind> {
    let kinds = distractors.present_kinds();
    if kinds.len() < 2 {
        return Vec::new();
    }
    let tried = kinds.into_iter().map(|kind| {
        let (own, others) = distractors.split(kind);
        let bank = EmbeddingBank { non_landmarks: others.embeddings(), ..bank.clone() };
        let by = |score, distractors: &Distractors| -> Vec<Answer> {
            answers(score, model, &bank, valid, distractors)
        };
        let scores: Vec<ScoreQuality> =
            OodScore::ALL.into_iter().map(|score| quality(score, &by(score, &others))).collect();
        let ScoreQuality { score, threshold, .. } = best(&scores);
        let sure = sure_threshold(&others, score, threshold, &others.scores(score, model, &bank));
        let reached = own.scores(score, model, &bank);
        let share =
            |sure: f64| reached.iter().filter(|&&value| value >= sure).count() as f64 / reached.len() as f64;
        UnseenKind {
            kind,
            photos: reached.len(),
            score,
            metrics: quality(score, &by(score, &own)).metrics,
            accepted_surely: sure.map(share),
        }
    });
    tried.collect()
}
