//! The run folder: what a training writes, and how it is found and read again.

pub(crate) mod checkpoint;
pub(crate) mod folder_lock;
pub(crate) mod history;
pub(crate) mod json_number;
pub(crate) mod leftovers;
pub(crate) mod record;
pub(crate) mod run_folder;
pub(crate) mod runs;
mod tensorboard;
