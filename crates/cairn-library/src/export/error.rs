//! Why an export cannot be written.

use std::io;

use crate::state::StateError;

/// Why an export cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The output.
    #[error("the export cannot be written")]
    Write(#[from] io::Error),
    /// The output as CSV.
    #[error("the export cannot be written")]
    Csv(#[from] csv::Error),
    /// The output as Parquet.
    #[cfg(feature = "parquet")]
    #[error("the export cannot be written")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}
