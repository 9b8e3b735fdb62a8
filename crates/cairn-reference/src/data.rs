//! Real photos, which are no part of the repository.

use std::env;
use std::path::{Path, PathBuf};

use crate::need::{Need, skip};

/// A folder of the real photos, such as `photos` or `landmarks`: in the folder that `CAIRN_DATA` names, else in
/// `../shared/data` beside the repository. Without it the test [skips](skip).
pub fn data_folder(name: &str) -> Option<PathBuf> {
    let folder = data().join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    skip(
        Need::Data,
        format!("there is no folder {}; CAIRN_DATA names the one that holds {name}/", folder.display()),
    );
    None
}

/// The folder of published weights that holds `file`: `weights` beside the folder of the real photos. Without it the test
/// [skips](skip).
pub fn weights_folder(file: &str) -> Option<PathBuf> {
    let folder = data().join("../weights");
    if folder.join(file).is_file() {
        return Some(folder);
    }
    skip(Need::Weights, format!("there is no {file} in {}", folder.display()));
    None
}

fn data() -> PathBuf {
    let shared = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    env::var_os("CAIRN_DATA").map_or_else(shared, PathBuf::from)
}
