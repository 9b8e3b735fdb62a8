//! The training engine: from photos or cached features to the best model.
//!
//! Bottom up: [`job`] says what to train, [`state`] how far the training is, [`step`] computes one batch, and a
//! [`source`] yields the batches. [`engine`] has the only loop.

pub(crate) mod accumulate;
pub(crate) mod arcface;
mod centres;
mod clock;
pub(crate) mod ema;
#[expect(clippy::module_inception, reason = "the folder is the training engine, the file its loop")]
pub(crate) mod engine;
mod feature_source;
pub(crate) mod first_weights;
pub(crate) mod job;
pub(crate) mod learner;
pub(crate) mod loaders;
pub(crate) mod loss;
pub(crate) mod memory;
mod numbers;
pub(crate) mod observer;
pub(crate) mod optimizer;
pub(crate) mod parameter_groups;
mod photo_source;
pub(crate) mod replicas;
mod run_writer;
pub(crate) mod sampled_classes;
mod source;
pub(crate) mod state;
pub(crate) mod step;
mod teachers;
pub(crate) mod validation;
