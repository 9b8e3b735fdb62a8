//! Training lowers the loss, and says where it cannot go on.

use cairn_dataset::{Loader, LoaderOptions, View};
use cairn_model::{Backbone, Model};
use cairn_reference::{Need, skip};
use cairn_train::{
    FineTuneRecipe, Interrupt, Learning, OptimiserRecipe, Recipe, RunFolder, Schedule, StopReason,
    TrainError, evaluate, peak_memory,
};

use crate::tiny::{StopAt, TinySet, Watcher, recipe};

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
    assert_eq!(info.backbone, Some(Backbone::FineTuned));
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
    assert!(error.to_string().contains("no epoch has left a model"), "{error}");
    assert!(!run.best_model().exists(), "there is no best model of an epoch that did not end");
    assert_eq!(RunFolder::record(run.path()).unwrap().ended, Some(StopReason::Diverged));
}

/// Multiplies the weights by about ten in every step, until they are no longer numbers.
fn diverging(change: impl FnOnce(&mut Recipe)) -> Recipe {
    recipe(|r| {
        r.training.epochs = 20;
        r.optimiser = OptimiserRecipe::Sgd {
            learning_rate: 1e-2,
            momentum: 0.0,
            weight_decay: 1e3,
            decay_biases_and_norms: true,
            nesterov: false,
        };
        r.schedule = Schedule::Constant { warmup_epochs: 0.0 };
        change(r);
    })
}

#[test]
fn a_training_or_a_probe_that_diverges_keeps_the_best_model_that_its_error_names() {
    let set = TinySet::new();
    let probe = FineTuneRecipe { train: Learning::Head, cached_views: Some(1), ..FineTuneRecipe::default() };
    for (name, recipe) in [("training", diverging(|_| {})), ("probe", diverging(|r| r.fine_tune = probe))] {
        let (run, outcome) = set.train_anew(&recipe, name);
        let error = outcome.unwrap_err();
        let TrainError::Diverged { best: Some(best), epoch, .. } = error else { panic!("{name}: {error:?}") };
        assert!(best < epoch, "{name}: {error}");
        assert!(error.to_string().contains(&format!("of epoch {best}, is kept")), "{name}: {error}");
        let model = Model::open(run.path()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(model.info().provenance.epoch, best, "{name}");
        assert_eq!(RunFolder::history(run.path()).unwrap().best().unwrap().epoch, best, "{name}");
    }
}

#[test]
fn validation_photos_of_which_none_can_be_read_stop_the_training_before_its_first_epoch_is_over() {
    let set = TinySet::new();
    set.spoil_all_validation_photos();
    let first = set.data().valid[0].path().display().to_string();
    let probe = FineTuneRecipe { train: Learning::Head, cached_views: Some(1), ..FineTuneRecipe::default() };
    for (name, recipe) in [("training", recipe(|_| {})), ("probe", recipe(|r| r.fine_tune = probe))] {
        let (run, outcome) = set.train_anew(&recipe, name);
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, TrainError::NothingToValidate { photos, .. } if photos == set.data().valid.len())
        );
        assert!(error.to_string().contains(&first), "{name}: {error} should name {first}");
        assert!(RunFolder::history(run.path()).is_none(), "{name}");
    }
}

#[test]
fn validation_photos_that_can_no_longer_be_read_stop_the_training_too() {
    let set = TinySet::new();
    let recipe = recipe(|r| r.training.epochs = 1);
    let run = set.run_folder("run", &recipe);
    // Readable when it began; then stopped, spoiled and gone on with, so that the photos are not looked at beforehand.
    set.train(&recipe, &run, &mut Watcher::stopping_at(StopAt::NextBatch)).unwrap();
    let data = set.data();
    data.valid.iter().for_each(|photo| std::fs::write(photo.path(), b"").unwrap());
    let error = set.train_on(&data, None, &recipe, &run, &mut Watcher::default()).unwrap_err();
    assert!(matches!(error, TrainError::NothingToValidate { .. }), "{error:?}");
}

#[test]
fn a_training_takes_no_peak_of_memory_from_the_program_around_it() {
    let Some(before) = peak_memory() else {
        skip(Need::MemoryFigures, "this system does not say how much memory a process has taken");
        return;
    };
    drop(std::hint::black_box(vec![1_u8; 600 << 20]));
    let peak = peak_memory().unwrap();
    assert!(peak >= before);
    let set = TinySet::new();
    set.train_anew(&recipe(|r| r.training.epochs = 1), "run").1.unwrap();
    assert!(peak_memory().unwrap() >= peak);
}

#[test]
fn a_bad_photo_is_named_and_counted_and_the_training_goes_on() {
    let set = TinySet::new();
    set.spoil_a_validation_photo();
    let recipe = recipe(|r| r.training.epochs = 1);
    let run = set.run_folder("run", &recipe);
    let mut watcher = Watcher::default();
    set.train(&recipe, &run, &mut watcher).unwrap();
    let name = set.data().valid[0].path().display().to_string();
    assert_eq!(watcher.bad_photos.len(), 1);
    assert!(watcher.bad_photos[0].contains(&name), "{:?} should name {name}", watcher.bad_photos);
    assert_eq!(watcher.epochs[0].bad_photos, 1);
}
