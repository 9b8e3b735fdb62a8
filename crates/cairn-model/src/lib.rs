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
mod error;
pub mod explain;
pub mod export;
mod few_shot;
mod inference;
mod model;
pub mod protobuf;
#[cfg(test)]
mod untrained;

pub use bundle::{
    BEST_MODEL, BundleInfo, ImportError, ImportOptions, Imported, InfoError, InputSizeError, Provenance,
    bundle_path, check_classes, check_preprocess, write_bundle,
};
pub use error::ModelError;
pub use few_shot::{
    Calibration, Embedding, EmbeddingBank, FewShot, LearnError, LearnOutcome, NotSure, OodScore, Rejection,
    Whitening,
};
pub use inference::{
    ClassNameError, DEFAULT_BATCH_SIZE, Landmark, ModelOutput, Prediction, Probability, Suggestion,
};
pub use model::Model;
