//! Runs over each other in one picture, and a loss over learning rates.

// Helpers here are part of the tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

use cairn_eval::{EvalError, RateCurve, RunCurves, write_run_curves};
use std::fs;

fn run(name: &str, valid_loss: Vec<f64>) -> RunCurves {
    let valid_accuracy = valid_loss.iter().map(|loss| 1.0 / (1.0 + loss)).collect();
    RunCurves { name: name.to_owned(), valid_loss, valid_accuracy }
}

fn svg(runs: &[RunCurves]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("curves.svg");
    write_run_curves(&path, runs).unwrap();
    fs::read_to_string(path).unwrap()
}

#[test]
fn runs_of_one_name_share_a_colour_and_a_line_of_the_legend() {
    let picture = svg(&[
        run("default", vec![3.0, 2.0, 1.0]),
        run("normal", vec![3.2, 2.5, 2.0]),
        run("default", vec![3.1, 2.1, 1.2]),
    ]);
    assert_eq!(picture.matches("\ndefault\n").count(), 1);
    assert_eq!(picture.matches("\nnormal\n").count(), 1);
    let lines = |color: &str| {
        picture.matches(&format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"{color}\"")).count()
    };
    // Loss and accuracy of each run, and the legend's sample.
    assert_eq!([lines("#0072B2"), lines("#D55E00"), lines("#009E73")], [5, 3, 0]);
}

#[test]
fn the_lowest_loss_of_each_run_is_ringed() {
    let picture = svg(&[run("a", vec![3.0, 1.0, 2.0]), run("b", vec![f64::NAN, 2.0]), run("c", vec![])]);
    assert_eq!(
        picture.matches("<circle").count(),
        2 + 2,
        "two rings, and a dot in each panel for b's only value"
    );
}

#[test]
fn many_runs_of_any_length_are_drawn_in_either_kind_of_picture() {
    let many: Vec<RunCurves> = (0..16).map(|n| run(&format!("run {n}"), vec![2.0; n])).collect();
    let picture = svg(&many);
    assert!((0..16).all(|n| picture.contains(&format!("\nrun {n}\n"))));
    assert!(!svg(&[]).contains("NaN"));
    let folder = tempfile::tempdir().unwrap();
    write_run_curves(&folder.path().join("curves.png"), &many).unwrap();
    assert!(image::open(folder.path().join("curves.png")).unwrap().height() > 880);
    let error = write_run_curves(&folder.path().join("curves.gif"), &many).unwrap_err();
    assert!(matches!(error, EvalError::PictureKind { .. }), "{error}");
}

#[test]
fn a_loss_over_learning_rates_has_a_logarithmic_axis_and_its_suggestion() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rates.svg");
    let rates: Vec<f64> = (0..80).map(|n| 1e-6 * 10_f64.powf(f64::from(n) / 16.0)).collect();
    let losses = rates.iter().map(|rate| 3.0 - 1.0 / (1.0 + 1e-3 / rate) + rate.powi(2) * 50.0).collect();
    RateCurve { rates, losses, suggestion: Some(2e-3) }.write(&path).unwrap();
    let picture = fs::read_to_string(&path).unwrap();
    for text in ["1e-6", "1e-3", "learning rate", "suggestion 2.0e-3"] {
        assert!(picture.contains(&format!("\n{text}\n")), "no {text:?}");
    }
    RateCurve::default().write(&path).unwrap();
    assert!(!fs::read_to_string(&path).unwrap().contains("NaN"));
}
