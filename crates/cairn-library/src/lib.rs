//! A photo library: what landmarks its photos show, and marks that other photo programs read.
//!
//! ```text
//! scan -> evidence -> review -> plan -> apply -> undo
//!              \-> export, organise
//! ```
//!
//! | module | holds |
//! | --- | --- |
//! | [`state`] | the database of what is known, in a folder outside of the library |
//! | [`scan`] | from a folder to files, groups of one shot, readings and predictions |
//! | [`evidence`] | how probable a mark is right in this library: prior, trip, own position |
//! | [`status`] | how many files are in which state |
//! | [`export`] | reports and tables; nothing in the library is touched |
//! | [`organise`] | albums by landmark |
//! | [`xmp`], [`embed`], [`keywords`], [`sidecar`] | reading and editing metadata |
//! | [`decisions`] | what a person decided, which no model overrules |
//! | [`review`] | what a person looks at to decide |
//! | [`plan`] | what is to be written; apply, undo, verify |
//!
//! A library's files are opened for writing by [`plan`] alone.

mod clock;
pub mod decisions;
pub mod embed;
pub mod evidence;
pub mod export;
pub mod keywords;
pub mod organise;
pub mod plan;
pub mod review;
pub mod scan;
pub mod sidecar;
mod splice;
pub mod state;
pub mod status;
pub mod xmp;

pub use splice::Splice;
