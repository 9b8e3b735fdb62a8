//! How a library is scanned, and by which model.

use cairn_model::Model;
use cairn_model::rows::ModelIdentity;

use super::Exclude;
use crate::state::ModelRow;

/// How a library is scanned.
#[derive(Clone, Debug, Default)]
pub struct ScanOptions {
    /// Threads that read files and look at photos; 0 for one for each processor core.
    pub jobs: usize,
    /// Files and folders that are left out.
    pub exclude: Vec<Exclude>,
    /// Reads every file again, also where it is known to be unchanged.
    pub rehash: bool,
    /// Tries files again that were in work in two crashes.
    pub retry_quarantined: bool,
}

/// A model, and what rows call it.
#[derive(Clone, Debug)]
pub struct ScanModel {
    /// The model. It computes on the scan's own threads.
    pub model: Model,
    /// What rows call it.
    pub identity: ModelIdentity,
}

impl ScanModel {
    /// As the database has it.
    pub(super) fn row(&self) -> ModelRow {
        let rejection = self.model.info().rejection;
        ModelRow {
            hash: self.identity.digest.clone(),
            views: format!("{:?}", self.model.views()).to_lowercase(),
            name: self.identity.name.clone(),
            score: rejection.map(|rejection| format!("{:?}", rejection.score).to_lowercase()),
            threshold: rejection.map(|rejection| rejection.threshold),
            sure: rejection.and_then(|rejection| rejection.sure),
        }
    }
}
