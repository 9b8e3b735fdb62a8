//! The model bundle: network, labels and preprocessing in one file; opens and predicts.
//!
//! ```no_run
//! use cairn_model::Model;
//!
//! let model = Model::open("runs/quick/best.safetensors")?;
//! for landmark in model.predict_landmarks("holiday.jpg", 3)?.landmarks {
//!     println!("{} {}", landmark.name, landmark.probability);
//! }
//! # Ok::<(), cairn_model::ModelError>(())
//! ```

mod bundle;
mod class_name;
mod comparison;
mod embedding;
mod error;
pub mod explain;
pub mod export;
mod import;
mod landmark;
mod learning;
mod memory;
mod model;
mod output;
pub mod protobuf;
mod rejection;
mod side;
#[cfg(test)]
mod untrained;
mod views;
mod whitening;

pub use bundle::{
    BEST_MODEL, BundleInfo, InfoError, Provenance, bundle_path, check_classes, check_preprocess, write_bundle,
};
pub use class_name::ClassNameError;
pub use embedding::Embedding;
pub use error::ModelError;
pub use import::{Foreign, ImportError, Imported};
pub use landmark::{Landmark, Prediction, Probability, Suggestion};
pub use learning::{Calibration, LearnError, Learned, Learning};
pub use memory::Memory;
pub use model::Model;
pub use output::{Output, TOGETHER};
pub use rejection::{LandmarkScore, NotSure, Rejection};
pub use side::SideError;
pub use whitening::Whitening;
