//! What a model knows beside its network: classes learned from a few photos, and how other photos are recognised.

mod comparison;
mod embedding;
mod embedding_bank;
mod learn;
mod learned;
mod ood_score;
mod open_set;
mod whitening;

pub(crate) use comparison::Comparison;
pub use embedding::Embedding;
pub use embedding_bank::EmbeddingBank;
pub use learn::{Calibration, LearnError, LearnOutcome};
pub use learned::FewShot;
pub use ood_score::{NotSure, OodScore, Rejection};
pub use whitening::Whitening;
