//! JSON documents, which a terminal may show.

use std::io::{self, Write};

use cairn_dataset::escape::json_text;
use serde::Serialize;

use crate::standard_output::StandardOutput;

/// Prints `value`, indented, with a line end.
pub(crate) fn print(value: &impl Serialize) -> anyhow::Result<()> {
    write_pretty(&mut StandardOutput::open()?, value)
}

/// Writes `value`, indented, with a line end.
pub(crate) fn write_pretty(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
    Ok(writeln!(out, "{}", json_text(&json))?)
}

/// Writes `value` on a line, without its end.
pub(crate) fn write(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string(value).map_err(io::Error::from)?;
    Ok(out.write_all(json_text(&json).as_bytes())?)
}
