//! The model bundle: network, labels and preprocessing in one file; opens and predicts.
//!
//! ```no_run
//! use cairn_model::Model;
//!
//! let model = Model::open("runs/quick/best.safetensors")?;
//! for landmark in model.predict("holiday.jpg", 3)?.landmarks {
//!     println!("{} {}", landmark.name, landmark.probability);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | holds |
//! | --- | --- |
//! | `bundle` | the file format, import of other weights |
//! | `inference` | from a photo to an answer: load, forward, aggregate; streams of photos |
//! | `conformal` | sets of landmarks that hold the truth as often as is asked for |
//! | `few_shot` | classes learned from a few photos, prototypes, open-set scores |
//! | `neighbours` | the most similar of many embeddings, exactly or by an index |
//! | [`export`] | ONNX, TorchScript, model hubs |
//! | [`explain`] | class activation maps |
//! | `int8` | models in 8 bits: measured on photos, rounded, run |
//! | [`rows`] | what became of each photo, as JSON and CSV |
//!
//! `examples/name_photos.rs` names the landmarks in many photos at once.

mod bundle;
mod conformal;
mod error;
pub mod explain;
pub mod export;
mod few_shot;
mod inference;
mod int8;
mod model;
mod neighbours;
mod options;
pub mod protobuf;
pub mod rows;
#[cfg(feature = "shipped")]
pub mod shipped;
#[cfg(test)]
mod untrained;

pub use cairn_dataset::{Class, ClassId, ClassList};
pub use cairn_nets::Precision;
pub use cairn_nets::quantised::{Int8Settings, QuantiseError};
pub use cairn_photo::{Photo, PhotoError, Preprocess, TestViews};
pub use cairn_places::{Gazetteer, Place};

pub use bundle::{
    BEST_MODEL, Backbone, BundleInfo, ForeignFormat, ImportError, ImportOptions, Imported, InfoError,
    InputSizeError, Provenance, bundle_path, check_classes, check_preprocess, write_bundle,
};
pub use conformal::{Conformal, CoverageError, LandmarkSet};
pub use error::ModelError;
pub use few_shot::{
    Calibration, Embedding, EmbeddingBank, FewShot, LearnError, LearnOutcome, NotSure, OodScore, Rejection,
    Whitening,
};
pub use inference::{
    ClassNameError, Landmark, ModelOutput, PhotoSource, Prediction, Probability, Suggestion,
};
pub use int8::Int8Calibration;
pub use model::Model;
pub use neighbours::{
    EmbeddingTable, Gallery, GalleryError, GalleryIndex, INDEX_FROM, IndexFileError, InvertedFile, Likeness,
    Neighbour, NeighbourSearch,
};
pub use options::{ModelOptions, OptionsError, Threshold};
