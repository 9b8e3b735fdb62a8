//! A training ends when it should.

use cairn_train::{OptimiserRecipe, Schedule, StopReason};

use crate::tiny::{TinySet, Watcher, recipe};

#[test]
fn a_budget_of_minutes_is_kept_and_leaves_a_model() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.epochs = 1_000_000;
        r.training.minutes = Some(0.02);
    });
    let run = set.run_folder("run", &recipe);
    let mut watcher = Watcher::default();
    let outcome = set.train(&recipe, &run, &mut watcher).unwrap();
    assert_eq!(outcome.stopped, StopReason::Minutes);
    assert!(run.best_model().is_file());
    // However slow the machine is: once the time is used up no other batch begins.
    let used_up = watcher.progress.iter().position(|&progress| progress >= 1.0);
    assert!(used_up.is_none_or(|batch| batch + 1 == watcher.progress.len()), "{:?}", watcher.progress);
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
