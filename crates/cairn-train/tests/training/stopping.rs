//! A training ends when it should.

use std::time::{Duration, Instant};

use cairn_train::{OptimiserRecipe, Schedule, StopReason};

use crate::tiny::{TinySet, recipe};

#[test]
fn a_budget_of_minutes_is_kept_and_leaves_a_model() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.epochs = 100_000;
        r.training.minutes = Some(0.05);
    });
    let started = Instant::now();
    let (run, outcome) = set.train_anew(&recipe, "run");
    let took = started.elapsed();
    let outcome = outcome.unwrap();
    assert_eq!(outcome.stopped, StopReason::Minutes);
    assert!(run.best_model().is_file());
    // Three seconds; a batch and a validation pass may be under way when they are over, on a machine that is busy.
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(8), "{took:?}");
    // The cosine has come down by then: it follows the time where that ends first.
    let rates: Vec<f64> = outcome.history.epochs().iter().map(|record| record.learning_rate).collect();
    assert!(rates.last() < Some(&(0.2 * 3e-3)), "{rates:?}");
}

#[test]
fn a_validation_loss_that_no_longer_falls_stops_the_training_early() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.epochs = 100;
        r.training.early_stopping = Some(2);
        // Far too fast to get anywhere for long.
        r.optimiser = OptimiserRecipe::Sgd {
            learning_rate: 0.5,
            momentum: 0.0,
            weight_decay: 0.0,
            decay_biases_and_norms: true,
            nesterov: false,
        };
        r.schedule = Schedule::Constant { warmup_epochs: 0.0 };
    });
    let (_, outcome) = set.train_anew(&recipe, "run");
    let outcome = outcome.unwrap();
    assert_eq!(outcome.stopped, StopReason::EarlyStopping);
    let losses = outcome.history.valid_losses();
    let best = outcome.history.best().unwrap().epoch;
    assert_eq!(losses.len(), best + 2, "two epochs are borne after the best one: {losses:?}");
}
