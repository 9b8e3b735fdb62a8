//! The record of a run: where, on what and with what it was begun, and why it ended.

use std::fmt;
use std::path::{Path, PathBuf};

use cairn_kernels::Isa;
use cairn_kernels::extension::kernels_enabled;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::relative_path::without_root;

/// Why a training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// All epochs are done.
    Epochs,
    /// The time budget is used up.
    Minutes,
    /// The validation loss has not fallen for as many epochs as the recipe's patience.
    EarlyStopping,
    /// A stop was requested. The run can be resumed.
    Interrupted,
    /// The loss was not finite.
    Diverged,
}

/// The record of a run: its data set, its recipe, the program and the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The folder of the data set. `run.json` holds its path relative to the run folder, so that it names no home folder
    /// and both can be moved together.
    pub data: PathBuf,
    /// Name or file of the recipe, before options changed its values; the last name of an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// When the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun: Option<Timestamp>,
    /// Why it ended, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<StopReason>,
    /// The version of cairn.
    pub cairn: String,
    /// Operating system and processor family, such as `linux x86_64`.
    pub machine: String,
    /// Available processor cores.
    pub cores: usize,
    /// The kernels' instruction set, or `off`.
    #[serde(default)]
    pub kernels: String,
}

impl RunRecord {
    /// The record of a run that begins now, on this machine, on the data set in `data`.
    pub fn here(data: PathBuf) -> Self {
        Self {
            data,
            recipe: None,
            begun: Some(Timestamp::now()),
            ended: None,
            cairn: env!("CARGO_PKG_VERSION").to_owned(),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernels: if kernels_enabled() { Isa::best().name() } else { "off" }.to_owned(),
        }
    }

    /// The record with the name or file of its recipe.
    pub fn by_recipe(self, recipe: &str) -> Self {
        let recipe = without_root(Path::new(recipe)).to_string_lossy().into_owned();
        Self { recipe: Some(recipe), ..self }
    }
}

/// `linux x86_64, 2 cores, kernels amx`.
impl fmt::Display for RunRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, cores, kernels, .. } = self;
        write!(f, "{machine}, {cores} cores")?;
        if kernels.is_empty() { Ok(()) } else { write!(f, ", kernels {kernels}") }
    }
}
