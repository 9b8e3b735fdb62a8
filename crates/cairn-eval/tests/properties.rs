//! What holds for any scores whatever.

use cairn_dataset::{ClassId, ClassList};
use cairn_eval::{Evaluation, Scores};
use proptest::prelude::*;

type Photo = (usize, Vec<f32>);

/// Up to 40 photos over 2 to 6 classes, with finite logits.
fn photos() -> impl Strategy<Value = (usize, Vec<Photo>)> {
    (2..=6_usize).prop_flat_map(|classes| {
        let photo = (0..classes, prop::collection::vec(-8.0_f32..8.0, classes));
        (Just(classes), prop::collection::vec(photo, 1..40))
    })
}

/// As [`photos`], but with logits of every kind that a float can be.
fn wild_photos() -> impl Strategy<Value = (usize, Vec<Photo>)> {
    (1..=6_usize).prop_flat_map(|classes| {
        let photo = (0..classes, prop::collection::vec(prop::num::f32::ANY, classes));
        (Just(classes), prop::collection::vec(photo, 0..40))
    })
}

fn evaluate(classes: usize, photos: &[Photo]) -> Evaluation {
    scores(classes, photos).evaluate(&class_list(classes), 1.0)
}

fn class_list(classes: usize) -> ClassList {
    ClassList::from_folders((0..classes).map(|class| format!("{class}.Class")))
}

fn scores(classes: usize, photos: &[Photo]) -> Scores {
    let mut scores = Scores::new(classes);
    for (truth, logits) in photos {
        scores.push(ClassId::new(*truth), logits);
    }
    scores
}

proptest! {
    #[test]
    fn every_photo_is_counted_once((classes, photos) in wild_photos()) {
        let evaluation = evaluate(classes, &photos);
        prop_assert_eq!(evaluation.total, photos.len());
        prop_assert_eq!(evaluation.confusion.total(), photos.len());
        prop_assert_eq!(evaluation.per_class.iter().map(|class| class.support).sum::<usize>(), photos.len());
        let confused: usize = evaluation.confusion.most_confused().iter().map(|pair| pair.count).sum();
        prop_assert_eq!(evaluation.correct + confused + evaluation.confusion.unscored(), photos.len());
    }

    #[test]
    fn fractions_lie_between_nothing_and_all((classes, photos) in wild_photos()) {
        prop_assume!(!photos.is_empty());
        let evaluation = evaluate(classes, &photos);
        for fraction in [evaluation.accuracy, evaluation.top3, evaluation.macro_f1] {
            prop_assert!((0.0..=1.0).contains(&fraction), "{}", fraction);
        }
        prop_assert!(evaluation.accuracy <= evaluation.top3);
        prop_assert!(evaluation.ece.is_nan() || (0.0..=1.0).contains(&evaluation.ece), "{}", evaluation.ece);
        prop_assert!(evaluation.loss.is_nan() || evaluation.loss >= 0.0, "{}", evaluation.loss);
    }

    #[test]
    fn the_order_of_the_photos_does_not_matter((classes, photos) in photos()) {
        let backwards: Vec<Photo> = photos.iter().rev().cloned().collect();
        prop_assert!(alike(&evaluate(classes, &photos), &evaluate(classes, &backwards)));
    }

    #[test]
    fn no_temperature_has_a_lower_loss_than_the_fitted_one_but_where_the_coldest_is_the_best(
        (classes, photos) in photos(), other in 0.25..16.0_f64
    ) {
        let scores = scores(classes, &photos);
        let loss = |temperature| scores.evaluate(&class_list(classes), temperature).loss;
        let fitted = scores.fit_temperature();
        prop_assert!((0.25..=16.0).contains(&fitted), "{}", fitted);
        // Where colder is always better, the fit keeps the network as sure as it is.
        let best = if fitted == 1.0 && loss(0.25) <= loss(1.0) { 0.25 } else { fitted };
        prop_assert!(loss(best) <= loss(other) + 1e-12, "{} at {}, {} at {}", loss(best), best, loss(other), other);
    }

    #[test]
    fn a_temperature_changes_how_sure_the_answers_are_and_not_what_they_are(
        (classes, photos) in wild_photos(), temperature in 0.25..16.0_f64
    ) {
        let calibrated = scores(classes, &photos).evaluate(&class_list(classes), temperature);
        let plain = evaluate(classes, &photos);
        prop_assert_eq!(&calibrated.confusion, &plain.confusion);
        prop_assert!(calibrated.top3 == plain.top3 || photos.is_empty());
        prop_assert!(calibrated.ece_uncalibrated == plain.ece || plain.ece.is_nan());
    }

    #[test]
    fn adding_the_same_to_all_logits_of_a_photo_changes_nothing((classes, photos) in photos()) {
        // Whole eighths, so that the sums are exact and no tie appears or goes.
        let in_eighths = |shift: f32| -> Vec<Photo> {
            let moved = |logit: &f32| (logit * 8.0).round() / 8.0 + shift;
            photos.iter().map(|(truth, logits)| (*truth, logits.iter().map(moved).collect())).collect()
        };
        let (plain, shifted) = (in_eighths(0.0), in_eighths(100.0));
        prop_assert!(alike(&evaluate(classes, &plain), &evaluate(classes, &shifted)));
    }
}

/// The same counts, and sums that differ by no more than the order of their terms.
fn alike(a: &Evaluation, b: &Evaluation) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    a.confusion == b.confusion && a.top3 == b.top3 && close(a.loss, b.loss) && close(a.ece, b.ece)
}
