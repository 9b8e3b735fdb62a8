//! The model bundle: network, labels and preprocessing in one file; opens and predicts.
//!
//! ```no_run
//! use cairn_model::Model;
//!
//! let model = Model::open("runs/quick/best.safetensors")?;
//! for landmark in model.predict_landmarks("holiday.jpg", 3)? {
//!     println!("{} {}", landmark.name, landmark.probability);
//! }
//! # Ok::<(), cairn_model::ModelError>(())
//! ```

mod bundle;
mod error;
pub mod export;
mod landmark;
mod model;
pub mod protobuf;

pub use bundle::{BEST_MODEL, BundleInfo, Provenance, write_bundle};
pub use error::ModelError;
pub use landmark::{Landmark, Probability, Suggestion};
pub use model::Model;
