//! Sidecars: which file beside a photo holds its XMP, and what a new one is called.

mod folder;
mod name;
mod owner;

pub use folder::FolderNames;
pub use name::{SidecarStyle, stem_sidecar, with_xmp};
pub use owner::{SidecarRefusal, SidecarTarget, target};
