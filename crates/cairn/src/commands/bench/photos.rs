//! Photos to time cairn on.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The folder of this name in the one that `CAIRN_DATA` names.
pub(super) fn in_cairn_data(name: &str, instead: &str) -> Result<PathBuf> {
    let data = std::env::var_os("CAIRN_DATA").filter(|data| !data.is_empty());
    let data =
        data.with_context(|| format!("give {instead}, or set CAIRN_DATA to a folder that holds {name}/"))?;
    Ok(PathBuf::from(data).join(name))
}
