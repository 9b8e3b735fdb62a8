//! Trainings that learn some classes at a time.

use cairn_dataset::BatchMixing;
use cairn_model::Model;
use cairn_train::{Margin, MetricRecipe, Recipe};

use crate::resume::{Traces, train_with_stops};
use crate::tiny::{StopAt, TinySet, recipe};

fn sampled(change: impl FnOnce(&mut Recipe)) -> Recipe {
    recipe(|r| {
        r.training.sampled_classes = Some(2);
        // So few that not every batch shows all three classes.
        r.training.batch = 4;
        change(r);
    })
}

#[test]
fn a_training_on_some_classes_at_a_time_learns() {
    let set = TinySet::new();
    let recipe = sampled(|r| r.training.epochs = 12);
    let (run, outcome) = set.train_anew(&recipe, "run");
    let history = outcome.unwrap().history;
    let [first, .., last] = history.epochs() else { panic!("{history:?}") };
    assert!(last.train_loss < 0.8 * first.train_loss, "{history:?}");
    assert_eq!(Model::open(run.best_model()).unwrap().info().network.classes, 3);
}

#[test]
fn a_training_on_some_classes_that_was_stopped_ends_the_same_with_margins_and_without() {
    let set = TinySet::new();
    for (name, metric) in [
        ("plain", None),
        ("margins", Some(MetricRecipe { scale: 16.0, centres: 2, margin: Margin::Fixed(0.2) })),
    ] {
        let recipe = sampled(|r| {
            r.metric = metric;
            r.network.dropout = if metric.is_some() { 0.0 } else { 0.3 };
            r.photos.mixing = Some(BatchMixing::MixUp { alpha: 0.4 });
            r.training.ema = Some(0.9);
            r.training.clip_norm = Some(1.0);
        });
        let whole = train_with_stops(&set, &recipe, &format!("{name}-whole"), &[]);
        let stops = [StopAt::Batch(1, 2), StopAt::EpochEnd(1)];
        let resumed = train_with_stops(&set, &recipe, &format!("{name}-resumed"), &stops);
        Traces::of(&whole).assert_equal(&Traces::of(&resumed));
    }
}

#[test]
fn what_needs_all_classes_is_refused() {
    for (said, spoil) in [
        ("sampled_classes is 1", (|r| r.training.sampled_classes = Some(1)) as fn(&mut Recipe)),
        ("accumulate", |r| r.training.accumulate = 2),
        ("cached_views", |r| {
            r.fine_tune.train = cairn_train::Learning::Head;
            r.fine_tune.cached_views = Some(1);
        }),
    ] {
        let mut recipe = sampled(|_| {});
        spoil(&mut recipe);
        let message = recipe.validate().unwrap_err().to_string();
        assert!(message.contains(said) && message.contains("sampled_classes"), "{message}");
    }
}
