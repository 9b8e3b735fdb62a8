//! Trainings of networks with GeM.

use cairn_model::Model;
use cairn_nets::{Architecture, Pooling};
use cairn_train::{FineTuneRecipe, Learning, Recipe, RunFolder};

use crate::resume::{Traces, train_with_stops};
use crate::tiny::{StopAt, TinySet, recipe};

fn with_gem(change: impl FnOnce(&mut Recipe)) -> Recipe {
    recipe(|r| {
        r.network.pooling = Pooling::Gem;
        change(r);
    })
}

/// The power in the run's model.
fn power(run: &RunFolder) -> f32 {
    let model = Model::open(run.best_model()).unwrap();
    assert_eq!(model.info().network.pooling, Pooling::Gem);
    model.network().state_dict().values(Pooling::POWER).unwrap()[0]
}

#[test]
fn the_power_is_learned_saved_and_resumed() {
    let set = TinySet::new();
    let recipe = with_gem(|r| r.training.ema = Some(0.9));
    let run = train_with_stops(&set, &recipe, "whole", &[]);
    let power = power(&run);
    assert!(power != 3.0 && (power - 3.0).abs() < 0.5, "{power}");
    let stops = [StopAt::Batch(2, 3)];
    Traces::of(&run).assert_equal(&Traces::of(&train_with_stops(&set, &recipe, "resumed", &stops)));
}

#[test]
fn the_power_of_a_frozen_backbone_stays_as_it_was() {
    let set = TinySet::new();
    for (name, cached_views) in [("frozen", None), ("cached", Some(2))] {
        let recipe = with_gem(|r| {
            r.training.epochs = 2;
            r.fine_tune = FineTuneRecipe { train: Learning::Head, cached_views, ..FineTuneRecipe::default() };
        });
        let (run, outcome) = set.train_anew(&recipe, name);
        outcome.unwrap();
        assert_eq!(power(&run), 3.0, "{name}");
    }
}

#[test]
fn the_weights_of_a_network_with_an_average_pool_are_first_weights_of_one_with_gem() {
    let set = TinySet::new();
    let (average, outcome) = set.train_anew(&recipe(|r| r.training.epochs = 1), "average");
    outcome.unwrap();
    let recipe = with_gem(|r| {
        r.training.epochs = 1;
        r.fine_tune.train = Learning::Head;
        r.network.weights = Some(average.best_model().display().to_string().into());
    });
    let (run, outcome) = set.train_anew(&recipe, "gem");
    outcome.unwrap();
    assert_eq!(power(&run), 3.0);
    let [before, after] =
        [&average, &run].map(|run| Model::open(run.best_model()).unwrap().network().state_dict());
    let name = "layer4.0.conv2.weight";
    assert_eq!(before.values(name), after.values(name));
}

#[test]
fn networks_without_an_average_pool_refuse_gem() {
    let mut recipe = with_gem(|_| {});
    for architecture in [Architecture::ThreeConv, Architecture::SqueezeNet1_1] {
        recipe.network.architecture = architecture;
        let message = recipe.validate().unwrap_err().to_string();
        assert!(message.contains(architecture.name()) && message.contains("average pool"), "{message}");
    }
    let text = recipe.to_toml().unwrap();
    assert!(text.contains("pooling = \"gem\""), "{text}");
}
