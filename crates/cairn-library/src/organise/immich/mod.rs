//! Albums by landmark on an Immich server, through its API.
//!
//! Albums live on the server alone and work for read-only libraries, too; tags and positions that are set through the API do not last
//! there. Assets are found by their path on the server. What is added is written into a journal in the folder of state, by which
//! it is taken back: albums and memberships that were there before stay.

mod albums;
mod client;
mod journal;

pub use albums::{AlbumReport, PathMap, add_albums, undo_albums};
pub use client::{Immich, ImmichError};
