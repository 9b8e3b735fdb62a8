//! Names that files and their entries have.

/// The name of the best model's file in a run folder.
pub const BEST_MODEL: &str = "best.safetensors";

/// The metadata entry that makes a safetensors file a bundle.
pub(crate) const ENTRY: &str = "cairn";
