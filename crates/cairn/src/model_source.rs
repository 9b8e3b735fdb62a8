//! Which model: a file, the best of a run, or the one that comes with cairn.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use cairn_dataset::path_text;
use cairn_model::rows::ModelIdentity;
use cairn_model::{Model, ModelError, bundle_path};
use clap::builder::{MapValueParser, PathBufValueParser, TypedValueParser, ValueParserFactory};
use clap::{Args, ValueHint};

use crate::shipped;

/// The word for the model that comes with cairn. (A file of this name is `./shipped`.)
const SHIPPED: &str = "shipped";

/// A model as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelSource {
    /// The one that comes with cairn.
    Shipped,
    /// A bundle, or a run folder.
    At(PathBuf),
}

impl ModelSource {
    pub(crate) fn open(&self) -> Result<Model> {
        match self {
            Self::Shipped => shipped::open(),
            Self::At(path) => Ok(Model::open(path)?),
        }
    }

    /// The model, and what rows call it.
    pub(crate) fn open_identified(&self) -> Result<(Model, ModelIdentity)> {
        // One reading serves both: a file may be replaced at any time, and the digest must be of the model that answers.
        let (model, bytes) = match self {
            Self::Shipped => (shipped::open()?, Cow::from(shipped::bytes()?)),
            Self::At(path) => {
                let path = bundle_path(path)?;
                let bytes =
                    std::fs::read(&path).map_err(|source| ModelError::Read { path: path.clone(), source })?;
                (Model::from_bytes(&bytes, &path)?, Cow::from(bytes))
            }
        };
        let name = self.path().map_or_else(
            || SHIPPED.to_owned(),
            |path| {
                let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
                name.map_or_else(|| path_text(path), path_text)
            },
        );
        Ok((model, ModelIdentity::new(name, &bytes)))
    }

    /// Path of the model; `None` for the built-in model.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Shipped => None,
            Self::At(path) => Some(path),
        }
    }
}

impl From<PathBuf> for ModelSource {
    fn from(path: PathBuf) -> Self {
        if path == Path::new(SHIPPED) { Self::Shipped } else { Self::At(path) }
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shipped => f.write_str(SHIPPED),
            Self::At(path) => write!(f, "{}", path_text(path)),
        }
    }
}

impl ValueParserFactory for ModelSource {
    type Parser = MapValueParser<PathBufValueParser, fn(PathBuf) -> Self>;

    fn value_parser() -> Self::Parser {
        PathBufValueParser::new().map(Self::from)
    }
}

/// The model of a verb that is about models.
#[derive(Debug, Args)]
pub(crate) struct ModelArgument {
    /// Model file, run folder (its best model), or `shipped` (the built-in model)
    #[arg(value_name = "MODEL", value_hint = ValueHint::AnyPath)]
    pub source: ModelSource,
}

/// The model of a verb that is about photos.
#[derive(Debug, Args)]
pub(crate) struct ModelOption {
    /// Model file, run folder (its best model), or `shipped` (the built-in model)
    #[arg(
        short = 'm', long = "model", env = "CAIRN_MODEL", default_value = SHIPPED,
        value_name = "MODEL", value_hint = ValueHint::AnyPath
    )]
    pub source: ModelSource,
}
