//! What a recipe may say beyond the usual does what it says.

use cairn_nets::{Architecture, Device, Precision};
use cairn_photo::Framing;
use cairn_train::{OptimiserRecipe, Recipe, Schedule};

use crate::tiny::{TinySet, recipe};

/// Without batch norm and dropout, so that a photo's gradient does not depend on the others in its batch.
fn photo_by_photo(change: impl FnOnce(&mut Recipe)) -> Recipe {
    recipe(|r| {
        // The smallest photos that the network takes.
        r.photos.framing = Framing::ShortSideCrop { short_side: 72, crop: 64 };
        r.photos.augment = r.photos.augment.scaled(2.0);
        r.network.architecture = Architecture::SixConv;
        r.network.dropout = 0.0;
        r.optimiser = OptimiserRecipe::Sgd {
            learning_rate: 0.05,
            momentum: 0.9,
            weight_decay: 0.0,
            decay_biases_and_norms: true,
            nesterov: false,
        };
        r.schedule = Schedule::Constant { warmup_epochs: 0.0 };
        r.training.epochs = 2;
        r.training.precision = Some(Precision::F32);
        change(r);
    })
}

fn train_losses(set: &TinySet, recipe: &Recipe, name: &str) -> Vec<f64> {
    let (_, outcome) = set.train_anew(recipe, name);
    outcome.unwrap().history.epochs().iter().map(|epoch| epoch.train_loss).collect()
}

#[test]
fn two_accumulated_batches_learn_what_one_of_twice_the_size_does() {
    let set = TinySet::new();
    let whole = train_losses(&set, &photo_by_photo(|r| r.training.batch = 8), "whole");
    let halves = photo_by_photo(|r| {
        r.training.batch = 4;
        r.training.accumulate = 2;
    });
    let halves = train_losses(&set, &halves, "halves");
    for (whole, halves) in whole.iter().zip(&halves) {
        assert!((whole - halves).abs() < 1e-4, "{whole} and {halves}");
    }
    let apart = train_losses(&set, &photo_by_photo(|r| r.training.batch = 4), "apart");
    assert!(
        (whole[1] - apart[1]).abs() > 1e-4,
        "steps of four photos must go another way: {whole:?}, {apart:?}"
    );
}

#[test]
fn devices_that_share_every_batch_learn_what_one_does() {
    let mut set = TinySet::new();
    let recipe = photo_by_photo(|r| r.training.batch = 8);
    let one = train_losses(&set, &recipe, "one");
    // The processor three times over: shares of three, three and two photos.
    set.devices = vec![Device::flex(); 3];
    let three = train_losses(&set, &recipe, "three");
    for (one, three) in one.iter().zip(&three) {
        assert!((one - three).abs() < 1e-4, "{one} and {three}");
    }
    assert_ne!(one, three, "sums in another order round differently, or one device did it all");
}

#[test]
fn the_mean_weights_are_what_is_validated() {
    let set = TinySet::new();
    let outcome = |ema, name| {
        let (_, outcome) = set.train_anew(&recipe(|r| r.training.ema = ema), name);
        outcome.unwrap().history
    };
    let (weights, mean) = (outcome(None, "weights"), outcome(Some(0.9), "mean"));
    let train = |history: &cairn_train::History| -> Vec<f64> {
        history.epochs().iter().map(|epoch| epoch.train_loss).collect()
    };
    assert_eq!(train(&weights), train(&mean), "the mean must not enter the training");
    assert_ne!(weights.valid_losses(), mean.valid_losses());
}
