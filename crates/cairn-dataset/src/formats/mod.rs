//! The forms that a data set may have on disk, each read into an [index](crate::index).

pub(crate) mod folders;
pub(crate) mod google_landmarks;
mod listed;
pub(crate) mod manifest;
pub(crate) mod shards;
mod table;
