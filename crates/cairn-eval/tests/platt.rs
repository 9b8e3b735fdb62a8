//! Platt scaling finds the minimum that SciPy finds: `platt_reference.py` made the observations and the values.

// Helpers here are part of the tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

use cairn_eval::{Observation, platt_scaling};
use serde::Deserialize;

const REFERENCE: &str = include_str!("platt_reference.json");
/// SciPy stops where the gradient is below 1e-10; the losses here are flat to about this much around the minimum.
const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Case {
    name: String,
    score: Vec<f64>,
    known: Vec<f64>,
    positive: Vec<bool>,
    scale: f64,
    offset: f64,
}

#[test]
fn the_scale_and_offset_are_those_of_scipy() {
    let cases: Vec<Case> = serde_json::from_str(REFERENCE).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let observations: Vec<Observation> = (0..case.score.len())
            .map(|i| Observation { score: case.score[i], known: case.known[i], positive: case.positive[i] })
            .collect();
        let found = platt_scaling(&observations).unwrap();
        let close = |a: f64, b: f64| (a - b).abs() < TOLERANCE * b.abs().max(1.0);
        assert!(
            close(found.scale, case.scale) && close(found.offset, case.offset),
            "{}: {found:?} should be {} and {}",
            case.name,
            case.scale,
            case.offset
        );
    }
}

#[test]
fn without_events_or_without_others_there_is_no_scale() {
    let of = |positive| Observation { score: 0.5, known: 0.0, positive };
    assert_eq!(platt_scaling(&[]), None);
    assert_eq!(platt_scaling(&[of(true); 3]), None);
    assert_eq!(platt_scaling(&[of(false); 3]), None);
}

#[test]
fn scores_that_say_nothing_still_have_the_events_share() {
    let of = |positive| Observation { score: 0.0, known: 0.0, positive };
    let observations = [vec![of(true); 8], vec![of(false); 24]].concat();
    // By the smoothed targets: (8 * 9/10 + 24 * 1/26) / 32.
    let share: f64 = (8.0 * 0.9 + 24.0 / 26.0) / 32.0;
    let found = platt_scaling(&observations).unwrap();
    assert!((found.offset - (share / (1.0 - share)).ln()).abs() < 1e-9, "{found:?}");
}
