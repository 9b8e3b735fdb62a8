//! The metrics agree with scikit-learn and SciPy: `metrics_reference.py` made the scores and the values they are held
//! to.

// Helpers here are part of the tests, which clippy does not see.
#![allow(clippy::unwrap_used)]

use cairn_dataset::{ClassId, ClassList};
use cairn_eval::{ClassReport, Evaluation, Scores};
use serde_json::Value;

const REFERENCE: &str = include_str!("metrics_reference.json");
/// Both sides compute in f64; they differ in the order of sums.
const TOLERANCE: f64 = 1e-12;

#[test]
fn every_metric_is_the_one_that_scikit_learn_computes() {
    let cases: Vec<Value> = serde_json::from_str(REFERENCE).unwrap();
    assert_eq!(cases.len(), 8);
    let wrong: Vec<String> = cases.iter().flat_map(|case| differences(case, &evaluate(case))).collect();
    assert!(wrong.is_empty(), "{} values differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_confusion_matrix_is_scikit_learns() {
    let cases: Vec<Value> = serde_json::from_str(REFERENCE).unwrap();
    for case in &cases {
        let evaluation = evaluate(case);
        let rows: Vec<Vec<usize>> = (0..evaluation.confusion.classes())
            .map(|row| evaluation.confusion.row(ClassId::new(row)))
            .collect();
        assert_eq!(serde_json::to_value(rows).unwrap(), case["expected"]["confusion"], "{}", case["name"]);
    }
}

#[test]
fn the_temperature_is_where_scipy_finds_the_least_loss() {
    let cases: Vec<Value> = serde_json::from_str(REFERENCE).unwrap();
    for case in &cases {
        let (expected, name) = (&case["expected"], &case["name"]);
        let temperature = scores(case).fit_temperature();
        let evaluation = evaluate_at(case, temperature);
        let close = |found: f64, key: &str, tolerance: f64| {
            let expected = expected[key].as_f64().unwrap();
            assert!((found - expected).abs() <= tolerance * expected, "{name}: {key} {found} for {expected}");
        };
        if expected["temperature"].as_f64().unwrap() < 0.2501 {
            // The loss falls up to the coldest temperature: photos that are all named right say nothing.
            assert!((temperature - 1.0).abs() < f64::EPSILON, "{name}: {temperature}");
        } else {
            // SciPy looks at values alone, which says where a minimum lies to half their digits.
            close(temperature, "temperature", 1e-6);
            close(evaluation.ece, "calibrated_ece", 1e-5);
            close(evaluation.loss, "calibrated_loss", 1e-6);
        }
        close(evaluation.loss_uncalibrated, "loss", TOLERANCE);
        close(evaluation.ece_uncalibrated, "ece", TOLERANCE);
    }
}

fn evaluate(case: &Value) -> Evaluation {
    evaluate_at(case, 1.0)
}

fn evaluate_at(case: &Value, temperature: f64) -> Evaluation {
    let classes = case["classes"].as_u64().unwrap();
    let classes = ClassList::from_folders((0..classes).map(|class| format!("{class:02}.Class")));
    scores(case).evaluate(&classes, temperature)
}

fn scores(case: &Value) -> Scores {
    let classes = case["classes"].as_u64().unwrap() as usize;
    let mut scores = Scores::new(classes);
    for (truth, logits) in case["truth"].as_array().unwrap().iter().zip(case["logits"].as_array().unwrap()) {
        let logits: Vec<f32> = serde_json::from_value(logits.clone()).unwrap();
        scores.push(ClassId::new(truth.as_u64().unwrap() as usize), &logits);
    }
    scores
}

/// Every value of the case that is not what it should be, in words.
fn differences(case: &Value, evaluation: &Evaluation) -> Vec<String> {
    let expected = &case["expected"];
    let of_class =
        |value: fn(&ClassReport) -> f64| evaluation.per_class.iter().map(value).collect::<Vec<_>>();
    let found = [
        ("loss", vec![evaluation.loss]),
        ("accuracy", vec![evaluation.accuracy]),
        ("top3", vec![evaluation.top3]),
        ("macro_f1", vec![evaluation.macro_f1]),
        ("ece", vec![evaluation.ece]),
        ("correct", vec![evaluation.correct as f64]),
        ("total", vec![evaluation.total as f64]),
        ("precision", of_class(|class| class.precision)),
        ("recall", of_class(|class| class.recall)),
        ("f1", of_class(|class| class.f1)),
        ("support", of_class(|class| class.support as f64)),
    ];
    let differs = |(key, found): &(&str, Vec<f64>)| {
        let expected = numbers(&expected[*key]);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= TOLERANCE;
        let same = expected.len() == found.len() && expected.iter().zip(found).all(close);
        (!same).then(|| format!("{}: {key} should be {expected:?}, is {found:?}", case["name"]))
    };
    found.iter().filter_map(differs).collect()
}

/// A list of numbers, or a single one as a list.
fn numbers(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(list) => list.iter().map(|number| number.as_f64().unwrap()).collect(),
        None => vec![value.as_f64().unwrap()],
    }
}
