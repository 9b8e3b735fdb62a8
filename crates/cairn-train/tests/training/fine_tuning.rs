//! What is frozen stays as it was; what is not learns.

use burn::tensor::Device;
use cairn_model::Model;
use cairn_nets::StateDict;
use cairn_train::{FineTuneRecipe, Learning, Recipe};

use crate::tiny::{TinySet, recipe};

/// The names of all tensors that differ from the first weights after a training of one epoch.
fn changed(fine_tune: FineTuneRecipe, set: &TinySet, name: &str) -> Vec<String> {
    let recipe = recipe(|r| {
        r.training.epochs = 1;
        r.fine_tune = fine_tune;
    });
    let (run, outcome) = set.train_anew(&recipe, name);
    outcome.unwrap();
    let (before, after) = (first_weights(&recipe), Model::open(run.path()).unwrap().network().state_dict());
    let names = before.shapes().map(|(name, _)| name.to_owned());
    names.filter(|name| before.values(name) != after.values(name)).collect()
}

fn first_weights(recipe: &Recipe) -> StateDict {
    let network =
        recipe.network_spec(3).build(recipe.network.init, recipe.training.seed, &Device::flex()).unwrap();
    network.state_dict()
}

#[test]
fn the_head_alone_learns_where_the_recipe_says_so() {
    let set = TinySet::new();
    let head = FineTuneRecipe { train: Learning::Head, ..FineTuneRecipe::default() };
    assert_eq!(changed(head, &set, "head"), ["fc.bias", "fc.weight"]);
}

#[test]
fn the_last_stages_learn_with_the_statistics_of_their_batch_norms() {
    let set = TinySet::new();
    let last = FineTuneRecipe { train: Learning::Last(2), ..FineTuneRecipe::default() };
    let changed = changed(last, &set, "last");
    assert!(changed.iter().all(|name| name.starts_with("fc.") || name.starts_with("layer4.")), "{changed:?}");
    for name in ["fc.weight", "layer4.0.conv2.weight", "layer4.0.bn1.bias", "layer4.0.bn1.running_mean"] {
        assert!(changed.iter().any(|other| other == name), "{name} should have changed: {changed:?}");
    }
}

#[test]
fn frozen_batch_norms_stay_as_they_were_while_everything_else_learns() {
    let set = TinySet::new();
    let frozen = FineTuneRecipe { frozen_batch_norm: true, ..FineTuneRecipe::default() };
    let changed = changed(frozen, &set, "frozen");
    let of_batch_norm = |name: &String| name.contains("bn") || name.contains("downsample.1");
    assert!(!changed.iter().any(of_batch_norm), "{changed:?}");
    assert!(changed.iter().any(|name| name == "conv1.weight"), "{changed:?}");
}
