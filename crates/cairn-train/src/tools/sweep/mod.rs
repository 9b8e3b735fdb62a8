//! Sweeps: one recipe trained with every combination of some of its values.

mod built_in;
mod error;
mod plan;
mod status;
mod summary;

pub use built_in::BUILT_IN_SWEEPS;
pub use error::SweepError;
pub use plan::{SWEEP_CURVES, Sweep, SweepRun, Vary};
pub use status::SweepStatus;
pub use summary::{Spread, SweepRow, summarise};
