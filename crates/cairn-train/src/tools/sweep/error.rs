//! Why a sweep cannot be made.

use cairn_dataset::path_text;
use std::io;
use std::path::PathBuf;

use super::built_in::names;
use crate::TrainError;
use crate::recipe::RecipeError;

/// Why a sweep cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// Neither a sweep that comes with cairn nor a file.
    #[error("no sweep is called `{name}` and there is no such file; cairn comes with {}", names())]
    Unknown {
        /// The requested name.
        name: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read", path_text(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Not TOML, or not a sweep.
    #[error("{origin}: not a sweep")]
    Syntax {
        /// Name or path.
        origin: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// Nothing is varied, or not in a valid way.
    #[error("{origin}: {fault}")]
    Fault {
        /// Name or path.
        origin: String,
        /// What is wrong.
        fault: String,
    },
    /// A run of this folder was begun with another recipe, or on other photos.
    #[error("{}: this run was begun with another {what}; give another --out, or remove it", path_text(path))]
    Changed {
        /// The run folder.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A run of this folder cannot be read.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The sweep's recipe, or that of a run.
    #[error("{run}")]
    Recipe {
        /// Which run.
        run: String,
        /// What is wrong with its recipe.
        source: RecipeError,
    },
}
