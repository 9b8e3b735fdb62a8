//! The model that answers now, and how another one takes its place.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use cairn_model::rows::ModelIdentity;
use cairn_model::{Gallery, Model};

/// Why a model cannot be opened.
pub type OpenError = Box<dyn std::error::Error + Send + Sync>;

/// Where the model comes from: it is opened at the start, and again when it is to be reloaded.
pub trait ModelSource: Send + Sync + 'static {
    /// Opens the model as it is now.
    ///
    /// # Errors
    /// When it cannot be opened.
    fn open(&self) -> Result<(Model, ModelIdentity), OpenError>;

    /// Its file, if it has one.
    fn path(&self) -> Option<PathBuf>;
}

/// A model that answers, and what rows call it.
#[derive(Debug)]
pub struct ServedModel {
    /// The model.
    pub model: Model,
    /// What rows call it.
    pub identity: ModelIdentity,
    /// The photos that `/v1/similar` ranks, if there are any.
    pub(crate) index: Option<Gallery>,
    /// What its file was before it was read.
    pub(crate) stamp: Option<Stamp>,
}

impl ServedModel {
    /// This model, without photos to compare with.
    pub fn new(model: Model, identity: ModelIdentity) -> Self {
        Self { model, identity, index: None, stamp: None }
    }
}

/// When a file was written, and its size: another file in its place has another stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    written: SystemTime,
    bytes: u64,
}

impl Stamp {
    /// Of the file at this path, if there is one.
    pub(crate) fn of(path: Option<PathBuf>) -> Option<Self> {
        let metadata = std::fs::metadata(path?).ok()?;
        Some(Self { written: metadata.modified().ok()?, bytes: metadata.len() })
    }
}

/// The model that answers now. A photo keeps the one that it began with.
#[derive(Debug)]
pub(crate) struct CurrentModel(RwLock<Arc<ServedModel>>);

impl CurrentModel {
    pub(crate) fn new(model: ServedModel) -> Self {
        Self(RwLock::new(Arc::new(model)))
    }

    pub(crate) fn get(&self) -> Arc<ServedModel> {
        // A pointer is never half written.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, model: ServedModel) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(model);
    }
}
