//! One JSON document on standard output.

use std::io::{self, Write};

use serde::Serialize;

/// Prints `value`, indented, with a line end.
pub(crate) fn print(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}
