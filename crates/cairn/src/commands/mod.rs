//! One file a verb.

pub(crate) mod bench;
pub(crate) mod calibrate;
pub(crate) mod completions;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod forget;
pub(crate) mod import;
pub(crate) mod learn;
#[cfg(feature = "library")]
pub(crate) mod library;
pub(crate) mod lr_find;
pub(crate) mod man;
pub(crate) mod nets;
pub(crate) mod predict;
pub(crate) mod runs;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod similar;
pub(crate) mod suggest;
pub(crate) mod sweep;
pub(crate) mod test;
pub(crate) mod train;
