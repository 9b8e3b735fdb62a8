//! Labels lists of photos of any length: the task is a shard of some thousand photos, and its file is the commit.
//!
//! A shard's file is written all at once, under a name that follows from what went in, and only if it is not there. So nobody
//! has to remember anything: a shard may be tried again, done twice or raced for, and there is one file. A photo that cannot be
//! read is a row with an error; a disk or a network that fails is none of a photo's faults, and fails the shard, which is tried
//! again.
//!
//! ```no_run
//! use std::ops::ControlFlow;
//! use std::path::PathBuf;
//!
//! use cairn_label::{Labeller, Lists, Plan, Settings, Stores};
//! use cairn_model::Model;
//! use cairn_model::rows::ModelIdentity;
//!
//! let model = Model::open("best.safetensors")?;
//! let identity = ModelIdentity::new("best", &std::fs::read("best.safetensors")?);
//! let stores = Stores::new(|| false);
//! let out = stores.store("labels")?;
//! let inputs = Lists::of(&[PathBuf::from("photos.csv")])?.open(&stores, &*out, &[])?;
//! let plan = Plan::of(&*out, Settings::of(&model, &identity, 3), &inputs)?;
//! let labeller = Labeller { plan: &plan, inputs: &inputs, model: &model, out: &*out, stores: &stores };
//! let outcome = labeller.label_all(&mut |_| ControlFlow::Continue(()))?;
//! assert_eq!(outcome.done, plan.shards.len());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | holds |
//! | --- | --- |
//! | [`list`] | lists of photos: their formats, cut into shards, read a shard at a time |
//! | [`store`] | where files are kept: written once, never replaced |
//!
//! With the feature `cloud`, lists, photos and outputs may be addresses: `s3://`, `gs://`, `az://`, and `https://` to read.
//!
//! `cairn label` runs it.

mod address;
#[cfg(feature = "cloud")]
mod cloud;
#[cfg(not(feature = "cloud"))]
#[path = "without_cloud.rs"]
mod cloud;
mod embeddings;
mod error;
mod finish;
pub mod list;
mod plan;
mod reading;
mod run;
mod settings;
mod shard;
pub mod store;
mod stores;
mod table;

pub use address::{Address, AddressError};
pub use embeddings::read_embeddings;
pub use error::LabelError;
pub use finish::{MANIFEST, SUCCESS};
pub use list::{Input, ListPlace, Lists};
pub use plan::{PLAN, Plan, Shard};
pub use reading::ShardError;
pub use run::{Event, Outcome, TRIES};
pub use settings::{SHARD_PHOTOS, Settings};
pub use shard::{EachPhoto, Labeller, ShardReport};
pub use store::{DiskStore, Store, StoreError};
pub use stores::{Stores, place_for_others};
pub use table::Counts;
