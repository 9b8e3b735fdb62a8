//! Training lowers the loss, and says where it cannot go on.

use cairn_dataset::{Loader, LoaderOptions, View};
use cairn_model::Model;
use cairn_train::{Interrupt, OptimiserRecipe, TrainError, evaluate};

use crate::tiny::{TinySet, Watcher, recipe};

#[test]
fn the_loss_falls_clearly() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.training.epochs = 12;
        r.training.label_smoothing = 0.0;
        r.network.dropout = 0.0;
    });
    let (_, outcome) = set.train_anew(&recipe, "run");
    let history = outcome.unwrap().history;
    let [first, .., last] = history.epochs() else { panic!("{history:?}") };
    assert!(last.train_loss < 0.6 * first.train_loss, "{history:?}");
    assert!(history.lowest_loss() < 0.9 * 3.0_f64.ln(), "better than guessing among three: {history:?}");
}

#[test]
fn the_best_model_is_calibrated_on_the_validation_photos() {
    let set = TinySet::new();
    let (run, outcome) = set.train_anew(&recipe(|_| {}), "run");
    outcome.unwrap();
    let model = Model::open(run.best_model()).unwrap();
    let info = model.info();
    let view = View::Test(info.preprocess.clone());
    let loader = Loader::new(set.data().valid, view, LoaderOptions::default()).unwrap();
    let never = Interrupt::default();
    let scores = evaluate(model.network(), &loader, 3, model.precision(), &never, |_| {}).unwrap();
    let fitted = scores.fit_temperature();
    assert!((info.temperature - fitted).abs() < 1e-3 * fitted, "{} for {fitted}", info.temperature);
    let loss = |temperature| scores.evaluate(&info.classes, temperature).loss;
    assert!(loss(info.temperature) < loss(1.0), "{} for {}", loss(info.temperature), loss(1.0));
}

#[test]
fn a_loss_that_is_no_number_stops_the_training_and_says_what_to_try() {
    let set = TinySet::new();
    let recipe = recipe(|r| {
        r.optimiser = OptimiserRecipe::Sgd {
            learning_rate: 1e30,
            momentum: 0.0,
            weight_decay: 0.0,
            decay_biases_and_norms: true,
            nesterov: false,
        }
    });
    let (run, outcome) = set.train_anew(&recipe, "run");
    let error = outcome.unwrap_err();
    let TrainError::Diverged { loss, epoch, .. } = &error else { panic!("{error:?}") };
    assert!(!loss.is_finite() && *epoch == 1, "{error:?}");
    assert!(error.to_string().contains("learning rate ten times lower"), "{error}");
    assert!(!run.best_model().exists(), "there is no best model of an epoch that did not end");
}

#[test]
fn a_bad_photo_is_named_and_counted_and_the_training_goes_on() {
    let set = TinySet::new();
    set.spoil_a_validation_photo();
    let recipe = recipe(|r| r.training.epochs = 1);
    let run = set.run_folder("run", &recipe);
    let mut watcher = Watcher::default();
    set.train(&recipe, &run, &mut watcher).unwrap();
    let name = set.data().valid[0].path.display().to_string();
    assert_eq!(watcher.bad_photos.len(), 1);
    assert!(watcher.bad_photos[0].contains(&name), "{:?} should name {name}", watcher.bad_photos);
    assert_eq!(watcher.epochs[0].bad_photos, 1);
}
