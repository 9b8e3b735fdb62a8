//! Recipes, the training engine, run folders, sweeps and other tools around training.
//!
//! [`Recipe`] says how to train, [`RunFolder`] is where the results go, and [`train`] runs the training and reports to an
//! [`Observer`].
//!
//! | folder | holds |
//! | --- | --- |
//! | `recipe` | everything that decides how a training goes, as TOML |
//! | `run` | the run folder: checkpoint, record, history, locks |
//! | `engine` | the training loop and its parts |
//! | `tools` | sweeps, the learning-rate finder, benchmarks, calibration |

mod engine;
mod error;
mod recipe;
mod relative_path;
mod run;
mod tools;

pub use engine::engine::train;
pub use engine::job::{Interrupt, Outcome, Training};
pub use engine::memory::peak_memory;
pub use engine::observer::{Event, Observer};
pub use engine::validation::evaluate;
pub use error::TrainError;
pub use recipe::recipe_diff::{Difference, recipe_diff};
pub use recipe::{
    BUILT_IN_RECIPES, Blend, ClassWeights, DistilRecipe, DownWeight, FineTuneRecipe, FirstWeights, Learning,
    Margin, MetricRecipe, NamedNormalisation, NetworkRecipe, NormalisationRecipe, OptimiserRecipe,
    PhotosRecipe, Recipe, RecipeError, Schedule, TrainingRecipe,
};
pub use run::folder_lock::FolderLock;
pub use run::history::{EpochRecord, History};
pub use run::record::{RunRecord, StopReason};
pub use run::run_folder::RunFolder;
pub use run::runs::{Run, runs_in};
pub use tools::answer::answer;
pub use tools::bench::{
    Benchmark, EpochBenchmark, EpochSpeeds, Int8BenchmarkError, LayerBenchmark, LayerSpeed, Product,
    decoding_speed,
};
pub use tools::calibrate::{
    CalibrateError, CalibrationOutcome, ScoreQuality, SureOutcome, UnseenKind, calibrate, calibrate_sure,
};
pub use tools::int8::{Int8Accuracy, Int8Error, Int8Event, Int8Job, Int8Outcome};
pub use tools::label_check::{LabelCheck, LabelCheckError, check_labels};
pub use tools::model_test::ModelTest;
pub use tools::rate_finder::{RateRamp, RateSearch, RateTrial, TriedRate};
pub use tools::sweep::{
    BUILT_IN_SWEEPS, SWEEP_CURVES, Spread, Sweep, SweepError, SweepRow, SweepRun, SweepStatus, Vary,
    summarise,
};
