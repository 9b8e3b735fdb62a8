//! Lines of figures, as every benchmark prints them.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use anyhow::Result;
use cairn_nets::{Architecture, Precision, PrecisionError};
use serde::Serialize;

use crate::standard_output::StandardOutput;

/// Number type of activations of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberType {
    /// Floats.
    Float(Precision),
    /// Bytes.
    Int8,
}

impl NumberType {
    /// These floats.
    pub(super) fn chosen(precisions: &[Precision]) -> Vec<Self> {
        precisions.iter().copied().map(Self::Float).collect()
    }

    /// That of what is not in bytes.
    pub(super) fn precision(self) -> Precision {
        match self {
            Self::Float(precision) => precision,
            Self::Int8 => Precision::best(),
        }
    }
}

impl FromStr for NumberType {
    type Err = PrecisionError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name == "int8" { Ok(Self::Int8) } else { name.parse().map(Self::Float) }
    }
}

impl fmt::Display for NumberType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(precision) => write!(f, "{precision}"),
            Self::Int8 => f.write_str("int8"),
        }
    }
}

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
