//! Labels lists of photos on many machines.
//!
//! A command sends a [`Job`] and the numbers of shards to a scheduler, which hands them to executors. An executor's [`Worker`] does
//! a shard by the same function as one machine alone ([`cairn_label::Labeller`]), and the shard's file is the commit there, too:
//! so a shard may be tried again, done twice or raced for, and a machine that is lost loses nothing that is done.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use cairn_cluster::{Job, Worker};
//! use cairn_label::{Lists, Plan, Settings, Stores};
//! use cairn_model::Model;
//! use cairn_model::rows::ModelIdentity;
//!
//! let model = Model::open("best.safetensors")?;
//! let identity = ModelIdentity::new("best", &std::fs::read("best.safetensors")?);
//! let stores = Stores::new(|| false);
//! let out = stores.store("labels")?;
//! let inputs = Lists::of(&["photos.csv".into()])?.open(&stores, &*out, &[])?;
//! let plan = Plan::of(&*out, Settings::of(&model, &identity, 3), &inputs)?;
//!
//! let job = Job::new(&plan, &inputs, Path::new("labels"), None)?;
//! // On another machine.
//! let worker = Worker { name: "here".to_owned(), model, identity, stop: std::sync::Arc::new(|| false) };
//! worker.label(&job, &[0], &mut |outcome| println!("{outcome:?}"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | item | is |
//! | --- | --- |
//! | [`Job`] | what to label, as it is sent |
//! | [`Worker`], [`Labelling`] | what labels, in an executor |
//! | `run_scheduler`, `run_executor`, `ClusterClient` | with the feature `ballista`: the engine around them |
//!
//! `cairn cluster` and `cairn label --cluster` run it.

#[cfg(feature = "ballista")]
mod engine;
mod error;
#[cfg(any(feature = "ballista", test))]
mod failure;
mod job;
mod scheduler_address;
mod worker;

#[cfg(feature = "ballista")]
pub use engine::{
    ClusterClient, ExecutorEvent, ExecutorOptions, SchedulerEvent, SchedulerOptions, run_executor,
    run_scheduler,
};
pub use error::{ClusterError, TaskError};
pub use job::{Job, ShardOutcome};
pub use scheduler_address::{SchedulerAddress, SchedulerAddressError};
pub use worker::{Labelling, Stop, Worker};
