//! What a model knows beside its network: classes learned from a few photos, and how landmarks are told from other photos.

mod comparison;
mod embedding;
mod embedding_bank;
mod learn;
mod open_set;
mod whitening;

pub(crate) use comparison::Comparison;
pub use embedding::Embedding;
pub use embedding_bank::EmbeddingBank;
pub use learn::{Calibration, FewShot, LearnError, LearnOutcome};
pub use open_set::{NotSure, OodScore, Rejection};
pub use whitening::Whitening;
