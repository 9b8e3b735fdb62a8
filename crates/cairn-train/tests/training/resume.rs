//! A training that was stopped and resumed ends as if it had never stopped.

use cairn_dataset::{BatchMixing, ProgressiveResize, Sampling};
use cairn_train::{
    ClassWeights, FineTuneRecipe, Learning, OptimiserRecipe, Recipe, Run, RunFolder, StopReason, TrainError,
};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::tiny::{StopAt, TinySet, Watcher, bytes_of, recipe};

/// What a run's folder holds at its end, without the times.
#[derive(PartialEq)]
pub(crate) struct Traces {
    model: Vec<u8>,
    weights: Vec<u8>,
    optimiser: Vec<u8>,
    average: Option<Vec<u8>>,
    place: Value,
    metrics: Vec<Value>,
}

impl Traces {
    pub(crate) fn of(run: &RunFolder) -> Self {
        let checkpoint = bytes_of(run, "checkpoint.safetensors");
        let file = SafeTensors::deserialize(&checkpoint).unwrap();
        let (_, header) = SafeTensors::read_metadata(&checkpoint).unwrap();
        let metrics = String::from_utf8(bytes_of(run, "metrics.jsonl")).unwrap();
        Self {
            model: bytes_of(run, "best.safetensors"),
            weights: file.tensor("network").unwrap().data().to_vec(),
            optimiser: file.tensor("optimiser").unwrap().data().to_vec(),
            average: file.tensor("average").ok().map(|tensor| tensor.data().to_vec()),
            place: timeless(&header.metadata().as_ref().unwrap()["state"]),
            metrics: metrics.lines().map(timeless).collect(),
        }
    }

    #[track_caller]
    pub(crate) fn assert_equal(&self, other: &Self) {
        assert_eq!(self.metrics, other.metrics, "metrics.jsonl");
        assert_eq!(self.place, other.place, "the checkpoint's place");
        // Not assert_eq: nobody can read megabytes of weights.
        assert!(self.weights == other.weights, "the checkpoint's weights");
        assert!(self.optimiser == other.optimiser, "the checkpoint's optimiser");
        assert!(self.average == other.average, "the checkpoint's average");
        assert!(self.model == other.model, "best.safetensors");
    }
}

/// The JSON without what a clock has measured.
fn timeless(json: &str) -> Value {
    const TIMES: [&str; 5] = ["seconds", "waited", "train_seconds", "photos_per_second", "data_wait"];
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| !TIMES.contains(&name.as_str()));
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::from_str(json).unwrap();
    strip(&mut value);
    value
}

/// Trains in a folder of this name, stopped at each of `stops` in turn, then to its end.
pub(crate) fn train_with_stops(set: &TinySet, recipe: &Recipe, name: &str, stops: &[StopAt]) -> RunFolder {
    let run = set.run_folder(name, recipe);
    for &stop in stops {
        let outcome = set.train(recipe, &run, &mut Watcher::stopping_at(stop)).unwrap();
        assert_eq!(outcome.stopped, StopReason::Interrupted);
    }
    // A resumed run takes its recipe from its folder, as on the command line.
    let kept = (!stops.is_empty()).then(|| Run::read(run.path()).unwrap().recipe);
    let recipe = kept.as_ref().unwrap_or(recipe);
    let outcome = set.train(recipe, &run, &mut Watcher::default()).unwrap();
    assert_eq!(outcome.stopped, StopReason::Epochs);
    run
}

#[test]
fn a_training_stopped_in_the_middle_of_an_epoch_ends_as_the_uninterrupted_one_bit_for_bit() {
    let set = TinySet::new();
    let recipe = recipe(|_| {});
    let whole = Traces::of(&train_with_stops(&set, &recipe, "whole", &[]));
    let stops = [StopAt::Batch(2, 3)];
    whole.assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn a_training_stopped_after_every_single_batch_ends_the_same_too() {
    let set = TinySet::new();
    let recipe = recipe(|r| r.training.epochs = 2);
    let whole = Traces::of(&train_with_stops(&set, &recipe, "whole", &[]));
    let batches = set.data().train.len().div_ceil(recipe.training.batch);
    let stops = vec![StopAt::NextBatch; 2 * batches];
    whole.assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn a_training_stopped_in_the_validation_pass_ends_the_same_too() {
    let set = TinySet::new();
    set.spoil_a_validation_photo();
    let recipe = recipe(|r| r.training.epochs = 2);
    let whole = Traces::of(&train_with_stops(&set, &recipe, "whole", &[]));
    let stops = [StopAt::BadPhotoAfter(1)];
    whole.assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn every_optimiser_keeps_its_moments_over_a_stop() {
    let set = TinySet::new();
    let optimisers = [
        OptimiserRecipe::Adam { learning_rate: 1e-3, weight_decay: 1e-3, decay_biases_and_norms: true },
        OptimiserRecipe::AdamW { learning_rate: 1e-3, weight_decay: 0.01, decay_biases_and_norms: true },
        OptimiserRecipe::Sgd {
            learning_rate: 1e-2,
            momentum: 0.9,
            weight_decay: 1e-4,
            decay_biases_and_norms: true,
            nesterov: true,
        },
    ];
    for (n, optimiser) in optimisers.into_iter().enumerate() {
        let recipe = recipe(|r| {
            r.network.architecture = cairn_nets::Architecture::ThreeConv;
            r.optimiser = optimiser;
            r.training.epochs = 2;
        });
        let whole = Traces::of(&train_with_stops(&set, &recipe, &format!("whole-{n}"), &[]));
        let stops = [StopAt::Batch(1, 2)];
        let resumed = train_with_stops(&set, &recipe, &format!("resumed-{n}"), &stops);
        whole.assert_equal(&Traces::of(&resumed));
    }
}

#[test]
fn mean_weights_accumulated_and_clipped_gradients_and_gradual_unfreezing_are_resumed_too() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.batch = 4;
        r.training.accumulate = 2;
        r.training.clip_norm = Some(0.5);
        r.training.ema = Some(0.9);
        r.fine_tune.train = Learning::Head;
        r.fine_tune.unfreeze_every = Some(1);
        r.fine_tune.layer_decay = 0.7;
    });
    let whole = Traces::of(&train_with_stops(&set, &recipe, "whole", &[]));
    assert!(whole.average.is_some());
    // In the middle of two batches that make one step, and in an epoch with more layers than the first.
    let stops = [StopAt::Batch(1, 3), StopAt::Batch(3, 5)];
    whole.assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn mixed_and_growing_photos_of_balanced_classes_are_resumed_too() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.photos.mixing = Some(BatchMixing::MixUpOrCutMix { mix_up_alpha: 0.4, cut_mix_alpha: 1.0 });
        r.photos.growth = Some(ProgressiveResize { from: 16, epochs: 2 });
        r.training.sampling = Sampling::ClassBalanced;
        r.training.class_weights = ClassWeights::Balanced;
    });
    let whole = Traces::of(&train_with_stops(&set, &recipe, "whole", &[]));
    let stops = [StopAt::Batch(1, 2), StopAt::Batch(3, 1)];
    whole.assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn a_run_is_not_resumed_on_photos_that_have_changed() {
    let set = TinySet::new();
    let recipe = recipe(|_| {});
    let run = set.run_folder("run", &recipe);
    set.train(&recipe, &run, &mut Watcher::stopping_at(StopAt::NextBatch)).unwrap();
    set.spoil_a_validation_photo();
    let error = set.train(&recipe, &run, &mut Watcher::default()).unwrap_err();
    assert!(matches!(error, TrainError::DataChanged { .. }), "{error:?}");
}

#[test]
fn a_damaged_checkpoint_is_an_error_with_its_path() {
    let set = TinySet::new();
    let recipe = recipe(|_| {});
    let run = set.run_folder("run", &recipe);
    set.train(&recipe, &run, &mut Watcher::stopping_at(StopAt::NextBatch)).unwrap();
    let whole = bytes_of(&run, "checkpoint.safetensors");
    let path = run.path().join("checkpoint.safetensors");
    for kept in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..kept]).unwrap();
        let error = set.train(&recipe, &run, &mut Watcher::default()).unwrap_err();
        assert!(matches!(error, TrainError::Checkpoint { .. }), "{kept} bytes kept: {error:?}");
        assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
    }
}

#[test]
fn a_probe_that_was_stopped_ends_the_same_too() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.epochs = 4;
        r.training.ema = Some(0.9);
        r.fine_tune =
            FineTuneRecipe { train: Learning::Head, cached_views: Some(2), ..FineTuneRecipe::default() };
    });
    let whole = Traces::of(&train_with_stops(&set, &recipe, "whole", &[]));
    // Among the features, in the middle of an epoch, and after an epoch.
    let stops = [StopAt::Features(1), StopAt::Batch(2, 3), StopAt::EpochEnd(2)];
    whole.assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn a_run_that_died_between_its_first_best_model_and_its_first_checkpoint_begins_again_and_ends_the_same() {
    let set = TinySet::new();
    let recipe = recipe(|r| r.training.epochs = 2);
    let whole = Traces::of(&train_with_stops(&set, &recipe, "whole", &[]));
    let run = train_with_stops(&set, &recipe, "died", &[]);
    std::fs::remove_file(run.path().join("checkpoint.safetensors")).unwrap();
    let path = run.path().to_owned();
    drop(run);
    let (run, recipe, _) = RunFolder::open(path).unwrap();
    set.train(&recipe, &run, &mut Watcher::default()).unwrap();
    whole.assert_equal(&Traces::of(&run));
}
