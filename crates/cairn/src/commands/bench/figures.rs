//! Lines of figures, as every benchmark prints them.

use std::io::Write;

use anyhow::Result;
use cairn_nets::{Architecture, Precision};
use serde::Serialize;

use crate::standard_output::StandardOutput;

/// What was asked for, or f32, and bf16 where this machine computes in it.
pub(super) fn precisions(asked: &[Precision]) -> Vec<Precision> {
    let offered = [Precision::F32, Precision::Bf16].into_iter().filter(|p| p.is_offered());
    if asked.is_empty() { offered.collect() } else { asked.to_vec() }
}

/// As the same networks are called elsewhere.
pub(super) fn net_name(architecture: Architecture) -> String {
    architecture.name().replace('-', "_")
}

pub(super) fn tenths(speed: f64) -> f64 {
    (speed * 10.0).round() / 10.0
}

pub(super) fn print_line(line: &impl Serialize) -> Result<()> {
    Ok(writeln!(StandardOutput::open()?, "{}", serde_json::to_string(line)?)?)
}
