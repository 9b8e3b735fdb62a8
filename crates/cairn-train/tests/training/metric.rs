//! Trainings with margins and with several centres a class.

use cairn_dataset::BatchMixing;
use cairn_model::Model;
use cairn_nets::{Architecture, Device};
use cairn_train::{FineTuneRecipe, Learning, Margin, MetricRecipe, Recipe, RunFolder};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::resume::{Traces, train_with_stops};
use crate::tiny::{StopAt, TinySet, bytes_of, recipe};

const CENTRES: usize = 3;

fn with_centres(change: impl FnOnce(&mut Recipe)) -> Recipe {
    recipe(|r| {
        r.network.dropout = 0.0;
        r.metric = Some(MetricRecipe { scale: 16.0, centres: CENTRES, margin: Margin::Fixed(0.2) });
        change(r);
    })
}

/// The votes in a run's checkpoint, `[classes][centres]`.
fn votes(run: &RunFolder) -> Vec<Vec<u64>> {
    let checkpoint = bytes_of(run, "checkpoint.safetensors");
    let (_, header) = SafeTensors::read_metadata(&checkpoint).unwrap();
    let state: Value = serde_json::from_str(&header.metadata().as_ref().unwrap()["state"]).unwrap();
    serde_json::from_value(state["centre_votes"].clone()).unwrap()
}

#[test]
fn a_training_with_several_centres_saves_a_model_with_a_row_for_each_class() {
    let set = TinySet::new();
    let recipe = with_centres(|r| r.training.epochs = 12);
    let (run, outcome) = set.train_anew(&recipe, "run");
    let history = outcome.unwrap().history;
    let [first, .., last] = history.epochs() else { panic!("{history:?}") };
    assert!(last.train_loss < 0.8 * first.train_loss, "{history:?}");
    let model = Model::open(run.best_model()).unwrap();
    assert_eq!(model.info().network.classes, 3);
    let weights = model.network().state_dict();
    assert_eq!(weights.shape("fc.weight"), Some([3, 256].as_slice()));
    assert_eq!(weights.values("fc.bias"), Some([0.0; 3].as_slice()));
    // Rows of one length, at different angles.
    let rows: Vec<&[f32]> = weights.values("fc.weight").unwrap().chunks_exact(256).collect();
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let square = product(rows[0], rows[0]);
    assert!(rows.iter().all(|row| (product(row, row) / square - 1.0).abs() < 1e-4));
    assert!(product(rows[0], rows[1]) < 0.999 * square && product(rows[1], rows[2]) < 0.999 * square);
}

#[test]
fn a_training_with_several_centres_that_was_stopped_ends_the_same() {
    let set = TinySet::new();
    let recipe = with_centres(|r| {
        r.photos.mixing = Some(BatchMixing::MixUp { alpha: 0.4 });
        r.training.ema = Some(0.9);
    });
    let run = train_with_stops(&set, &recipe, "whole", &[]);
    assert_eq!(votes(&run).iter().map(Vec::len).collect::<Vec<_>>(), [CENTRES; 3]);
    let stops = [StopAt::Batch(1, 2), StopAt::EpochEnd(1), StopAt::Batch(3, 1)];
    Traces::of(&run).assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn a_probe_with_several_centres_that_was_stopped_ends_the_same() {
    let set = TinySet::new();
    let recipe = with_centres(|r| {
        r.fine_tune =
            FineTuneRecipe { train: Learning::Head, cached_views: Some(2), ..FineTuneRecipe::default() };
    });
    let run = train_with_stops(&set, &recipe, "whole", &[]);
    assert_eq!(Model::open(run.best_model()).unwrap().info().network.classes, 3);
    let stops = [StopAt::Features(1), StopAt::Batch(2, 3), StopAt::EpochEnd(2)];
    Traces::of(&run).assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn every_photo_votes_once_an_epoch_for_a_centre_of_its_class_on_whichever_device() {
    for devices in [1, 3] {
        let mut set = TinySet::new();
        set.devices = vec![Device::flex(); devices];
        let recipe = with_centres(|r| r.training.epochs = 1);
        let (run, outcome) = set.train_anew(&recipe, "run");
        outcome.unwrap();
        let data = set.data();
        for (class, votes) in votes(&run).iter().enumerate() {
            let photos = data.train.iter().filter(|photo| photo.class.index() == class).count() as u64;
            // A vote is 2^20 when it is cast, and half at the epoch's end.
            assert_eq!(
                votes.iter().sum::<u64>(),
                photos << 19,
                "{devices} devices, class {class}: {votes:?}"
            );
        }
    }
}

#[test]
fn margins_need_a_linear_head() {
    let set = TinySet::new();
    let recipe = with_centres(|r| r.network.architecture = Architecture::SqueezeNet1_1);
    let (_, outcome) = set.train_anew(&recipe, "run");
    let message = outcome.unwrap_err().to_string();
    assert!(message.contains("squeezenet1_1") && message.contains("leave metric out"), "{message}");
}
