//! Telling landmarks from distractors is measured as scikit-learn does: `rejection_reference.py` made the scores and
//! the values they are held to.

// Helpers here are part of the tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

use cairn_eval::{Answer, RejectionMetrics, Shows};
use serde::Deserialize;

const REFERENCE: &str = include_str!("rejection_reference.json");
/// Both sides compute in f64; they differ in the order of sums.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<f64>,
    is_landmark: Vec<bool>,
    is_right: Vec<bool>,
    auroc: f64,
    fpr95: f64,
    gap: f64,
}

impl Case {
    fn answers(&self) -> Vec<Answer> {
        let shows = |(&is_landmark, &is_right)| match (is_landmark, is_right) {
            (false, _) => Shows::NoLandmark,
            (true, true) => Shows::ThatLandmark,
            (true, false) => Shows::AnotherLandmark,
        };
        let shown = self.is_landmark.iter().zip(&self.is_right).map(shows);
        self.scores.iter().zip(shown).map(|(&score, shows)| Answer { score, shows }).collect()
    }
}

fn cases() -> Vec<Case> {
    let cases: Vec<Case> = serde_json::from_str(REFERENCE).unwrap();
    assert_eq!(cases.len(), 6);
    cases
}

#[test]
fn auroc_and_false_acceptances_and_gap_are_those_of_scikit_learn() {
    let mut wrong = Vec::new();
    for case in cases() {
        let RejectionMetrics { auroc, fpr95, gap } = RejectionMetrics::of(&case.answers());
        for (key, found, expected) in
            [("auroc", auroc, case.auroc), ("fpr95", fpr95, case.fpr95), ("gap", gap, case.gap)]
        {
            if (found - expected).abs() > TOLERANCE {
                wrong.push(format!("{}: {key} should be {expected}, is {found}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_of_the_photos_does_not_matter() {
    for case in cases() {
        let mut answers = case.answers();
        let forth = RejectionMetrics::of(&answers);
        answers.reverse();
        let back = RejectionMetrics::of(&answers);
        assert!((forth.gap - back.gap).abs() < TOLERANCE, "{}", case.name);
        assert!((forth.auroc - back.auroc).abs() < TOLERANCE, "{}", case.name);
        assert_eq!(forth.fpr95, back.fpr95, "{}", case.name);
    }
}
