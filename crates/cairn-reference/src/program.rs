//! Programs of others that tests run.

use std::env;
use std::path::PathBuf;

use crate::need::{Need, skip};

/// The path of the program that `need` names, as the folders of `PATH` have it; else the test [skips](skip).
pub fn program(need: Need) -> Option<PathBuf> {
    let names = match need {
        Need::Chromium => &["chromium", "chromium-browser", "google-chrome"][..],
        Need::Darktable => &["darktable-cli"],
        _ => &[need.name()],
    };
    let folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let files = names.iter().map(|name| format!("{name}{}", env::consts::EXE_SUFFIX));
    let found = files
        .flat_map(|file| folders.iter().map(move |folder| folder.join(&file)))
        .find(|path| path.is_file());
    if found.is_none() {
        skip(need, format!("there is no {} in the folders of PATH", names.join(" or ")));
    }
    found
}
