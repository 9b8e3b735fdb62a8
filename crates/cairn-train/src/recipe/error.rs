//! Why a recipe cannot be used.

use cairn_dataset::path_text;
use std::io;
use std::path::PathBuf;

use super::built_in::names;

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// Neither a recipe that comes with cairn nor a file.
    #[error("no recipe is called `{name}` and there is no such file; cairn comes with {}", names())]
    Unknown {
        /// What was asked for.
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
    /// Not TOML, or not a recipe.
    #[error("{origin}: not a recipe")]
    Syntax {
        /// Name or path.
        origin: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A figure out of its range.
    #[error("recipe: {0}")]
    Fault(String),
}

impl RecipeError {
    /// Checks rules in their order; each is whether it holds, and the fault if it does not.
    ///
    /// # Errors
    /// [`RecipeError::Fault`] with the first rule that does not hold.
    pub(crate) fn check<const N: usize>(rules: [(bool, String); N]) -> Result<(), Self> {
        match rules.into_iter().find(|(holds, _)| !holds) {
            Some((_, fault)) => Err(Self::Fault(fault)),
            None => Ok(()),
        }
    }
}
