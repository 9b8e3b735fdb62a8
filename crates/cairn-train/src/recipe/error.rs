//! Why a recipe cannot be used.

use std::io;
use std::path::PathBuf;

use super::BUILT_IN_RECIPES;

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
    #[error("{}: cannot be read", path.display())]
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

fn names() -> String {
    BUILT_IN_RECIPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}
