//! What is frozen stays as it was; what is not learns.

use burn::tensor::Device;
use cairn_dataset::{Loader, LoaderOptions, View};
use cairn_model::{Backbone, Model};
use cairn_nets::StateDict;
use cairn_train::{
    Blend, FineTuneRecipe, FirstWeights, Interrupt, Learning, Recipe, Run, RunFolder, StopReason, evaluate,
};

use crate::tiny::{TinySet, Watcher, recipe};

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

#[test]
fn a_training_begins_with_the_weights_that_it_is_given_but_for_a_head_of_other_classes() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.epochs = 1;
        r.fine_tune.train = Learning::Head;
    });
    let other = recipe.network_spec(7).build(recipe.network.init, 99, &Device::flex()).unwrap().state_dict();
    let run = set.run_folder("given", &recipe);
    set.train_from(Some(&other), &recipe, &run, &mut Watcher::default()).unwrap();
    let trained = Model::open(run.path()).unwrap().network().state_dict();
    for (name, shape) in trained.shapes().filter(|(name, _)| !name.starts_with("fc.")) {
        assert_eq!(trained.values(name), other.values(name), "{name}");
        assert_eq!(Some(shape), other.shape(name), "{name}");
    }
}

/// A run of this name that has come to its end.
fn trained(set: &TinySet, name: &str, recipe: &Recipe) -> RunFolder {
    let (run, outcome) = set.train_anew(recipe, name);
    outcome.unwrap();
    run
}

#[test]
fn a_training_that_is_given_no_weights_begins_with_those_that_its_recipe_names_and_blends() {
    let set = TinySet::new();
    let head = |r: &mut Recipe| {
        r.training.epochs = 1;
        r.fine_tune.train = Learning::Head;
    };
    // Two models that differ in the layers before the head.
    let other = recipe(|r| {
        head(r);
        r.training.seed = 9;
    });
    let (first, second) = (trained(&set, "first", &recipe(head)), trained(&set, "second", &other));
    let named = recipe(|r| {
        head(r);
        r.network.weights = Some(FirstWeights::File(first.path().join("best.safetensors")));
        r.network.blend = Some(Blend { with: second.path().to_owned(), share: 0.25 });
    });
    let values = |run: &RunFolder| {
        Model::open(run.path()).unwrap().network().state_dict().values("conv1.weight").unwrap().to_vec()
    };
    let (run, outcome) = set.train_anew(&named, "named");
    outcome.unwrap();
    for ((found, a), b) in values(&run).iter().zip(values(&first)).zip(values(&second)) {
        assert!((found - (0.75 * a + 0.25 * b)).abs() < 1e-6, "{found} of {a} and {b}");
    }
    let backbone = |run: &RunFolder| Model::open(run.path()).unwrap().info().backbone;
    assert_eq!(backbone(&first), Some(Backbone::Frozen));
    assert_eq!(backbone(&run), Some(Backbone::Blended));
    let nowhere = recipe(|r| r.network.weights = Some(FirstWeights::File("no/such/file.pth".into())));
    let error = set.train_anew(&nowhere, "nowhere").1.unwrap_err();
    assert!(error.to_string().contains("no/such/file.pth"), "{error}");
}

#[test]
fn a_model_names_no_absolute_path_of_the_files_that_its_recipe_named() {
    let set = TinySet::new();
    let first = trained(&set, "first", &recipe(|r| r.training.epochs = 1));
    let recipe = recipe(|r| {
        r.training.epochs = 1;
        r.network.weights = Some(FirstWeights::File(first.path().join("best.safetensors")));
    });
    let (run, outcome) = set.train_anew(&recipe, "run");
    outcome.unwrap();
    let written = Model::open(run.path()).unwrap().info().provenance.recipe.clone();
    assert!(written.contains("weights = \"best.safetensors\""), "{written}");
}

#[test]
fn a_probe_changes_the_head_alone_and_scores_as_the_whole_network_does() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.epochs = 4;
        r.fine_tune =
            FineTuneRecipe { train: Learning::Head, cached_views: Some(2), ..FineTuneRecipe::default() };
    });
    let (run, outcome) = set.train_anew(&recipe, "probe");
    let history = outcome.unwrap().history;
    assert_eq!(Run::read(run.path()).unwrap().record.ended, Some(StopReason::Epochs));
    // A run that is done computes no features when it is resumed.
    let mut watcher = Watcher::default();
    assert_eq!(set.train(&recipe, &run, &mut watcher).unwrap().stopped, StopReason::Epochs);
    assert_eq!(watcher.features, 0);
    assert_eq!(history.epochs().len(), 4);
    let losses: Vec<f64> = history.epochs().iter().map(|epoch| epoch.train_loss).collect();
    assert!(losses[3] < losses[0], "{losses:?}");

    let model = Model::open(run.path()).unwrap();
    let (before, after) = (first_weights(&recipe), model.network().state_dict());
    let changed: Vec<&str> = before
        .shapes()
        .map(|(name, _)| name)
        .filter(|name| before.values(name) != after.values(name))
        .collect();
    assert_eq!(changed, ["fc.bias", "fc.weight"]);

    let data = set.data();
    let view = View::Test(model.info().preprocess.clone());
    let loader = Loader::new(data.valid.clone(), view, LoaderOptions::default()).unwrap();
    let scores =
        evaluate(model.network(), &loader, 3, recipe.precision(), &Interrupt::default(), |_| ()).unwrap();
    let whole = scores.evaluate(&data.classes, 1.0);
    let probed = history.best().unwrap();
    assert!((whole.loss - probed.valid_loss).abs() < 1e-4, "{} {}", whole.loss, probed.valid_loss);
    assert_eq!(whole.accuracy, probed.valid_accuracy);
}
