//! What is asked of a plan.

use std::path::PathBuf;

use crate::sidecar::SidecarStyle;

use super::{Level, Roots};

/// Where marks are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// Into the sidecar that the photo has, else a new one beside it.
    #[default]
    Sidecar,
    /// Into sidecars in another folder, which mirrors the library's folders.
    SidecarDir(PathBuf),
    /// Into the photo, where it has no sidecar.
    Embed,
}

/// What is asked of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanRequest {
    /// How much is written.
    pub level: Level,
    /// Where it is written.
    pub destination: Destination,
    /// The name of new sidecars; `None` for that of the folder's others.
    pub style: Option<SidecarStyle>,
    /// The top of the keywords' hierarchy.
    pub roots: Roots,
    /// Photos keep their time of change.
    pub keep_mtime: bool,
    /// The model's hash, which the mark names.
    pub model: String,
}
