//! Data sets on disk, from the folder to the batch. One binary, so that the tests link once.

mod check;
mod image_folder;
mod little_folder;
mod loader;
mod real_photos;
mod stats;
