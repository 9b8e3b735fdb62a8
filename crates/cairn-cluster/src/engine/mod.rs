//! Apache DataFusion Ballista around the worker. What Ballista runs is a physical plan of one operator of ours over a table of
//! shards' numbers:
//!
//! | file | holds |
//! | --- | --- |
//! | `label_shards` | the operator: numbers of shards in, outcomes out |
//! | `codec` | how the operator travels |
//! | `bench` | the thread that an executor labels on |
//! | `stage` | a task on an executor: stops labelling when the task is cancelled |
//! | `scheduler`, `executor` | the two kinds of processes |
//! | `client` | labels all shards of a plan, in rounds |
//! | `submission` | one round: a job of Ballista's, from submission to its outcomes |

mod bench;
mod client;
mod codec;
mod executor;
mod label_shards;
mod readiness;
mod scheduler;
mod stage;
mod submission;

pub use client::ClusterClient;
pub use executor::{ExecutorEvent, ExecutorOptions, run_executor};
pub use scheduler::{SchedulerEvent, SchedulerOptions, run_scheduler};
