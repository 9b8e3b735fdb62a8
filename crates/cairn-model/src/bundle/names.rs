//! Names that files and their entries have.

/// The name of the best model's file in a run folder.
pub const BEST_MODEL: &str = "best.safetensors";

/// The name of a model's weights in a folder for model hubs.
pub(crate) const HUB_WEIGHTS: &str = "model.safetensors";

/// The metadata entry that makes a safetensors file a bundle.
pub(crate) const ENTRY: &str = "cairn";
