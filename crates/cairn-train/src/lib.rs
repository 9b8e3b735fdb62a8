//! Recipes, the training loop, schedules, checkpoints and the run folder.
//!
//! [`Recipe`] says how to train, [`RunFolder`] is where it goes, and [`train`] is the loop, which reads top to bottom
//! and tells an [`Observer`] what happens.

mod answer;
mod average;
mod bench;
mod calibrate;
mod checkpoint;
mod clock;
mod differences;
mod error;
mod first_weights;
mod folder_lock;
mod history;
mod json_number;
mod learner;
mod leftovers;
mod loaders;
mod loss;
mod memory;
mod model_test;
mod numbers;
mod observer;
mod optimiser;
mod parameter_groups;
mod portion;
mod probe;
mod rate_finder;
mod recipe;
mod relative_path;
mod replicas;
mod run_folder;
mod runs;
mod schedule;
mod step;
mod sure;
mod sweep;
mod teachers;
mod tensorboard;
mod training;
mod updates;
mod validation;

pub use answer::answer;
pub use bench::{Benchmark, EpochBenchmark, EpochSpeeds, decoding_speed};
pub use calibrate::{CalibrateError, CalibrationOutcome, ScoreQuality, calibrate};
pub use differences::{Difference, differences};
pub use error::TrainError;
pub use folder_lock::FolderLock;
pub use history::{EpochRecord, History};
pub use memory::peak_memory;
pub use model_test::ModelTest;
pub use observer::{Event, Interrupt, Observer};
pub use optimiser::OptimiserRecipe;
pub use rate_finder::{RateRamp, RateSearch, RateTrial, TriedRate};
pub use recipe::{
    BUILT_IN_RECIPES, Blend, ClassWeights, DistilRecipe, FineTuneRecipe, FirstWeights, Learning,
    NamedNormalisation, NetworkRecipe, NormalisationRecipe, PhotosRecipe, Recipe, RecipeError,
    TrainingRecipe,
};
pub use run_folder::{RunFolder, RunRecord};
pub use runs::{Run, runs_in};
pub use schedule::Schedule;
pub use sure::{SureOutcome, calibrate_sure};
pub use sweep::{
    BUILT_IN_SWEEPS, SWEEP_CURVES, Spread, Sweep, SweepError, SweepRow, SweepRun, SweepStanding, Vary,
    summarise,
};
pub use training::{Outcome, StopReason, Training, train};
pub use validation::evaluate;
