//! `cairn bench`

pub(crate) mod decode;
pub(crate) mod epoch;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cairn_nets::{Architecture, Precision};
use cairn_train::Benchmark;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::exit::Status;
use crate::standard_output::StandardOutput;

/// Time cairn on this machine: one JSON object a line
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Whole training steps with Adam on photos of noise, 224 px
    Train(Timing),
    /// Forward passes on photos of noise, 224 px
    Infer(Timing),
    Epoch(epoch::Epoch),
    Decode(decode::Decode),
}

#[derive(Debug, Args)]
pub(crate) struct Timing {
    /// Networks to time
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "resnet34,residual-cnn,mobilenet_v2"
    )]
    net: Vec<Architecture>,
    /// What feature maps are made of [default: f32, and bf16 where this machine computes in it]
    #[arg(long, value_name = "P", value_delimiter = ',')]
    precision: Vec<Precision>,
    /// Photos in a batch [default: 32 for training; 1 and 32 for inference]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    batch: Vec<usize>,
    /// Timed runs, of which the best counts [default: 3 for training; 20 or 5 for inference]
    #[arg(long, value_name = "N")]
    repeats: Option<usize>,
}

/// A line of output.
#[derive(Serialize)]
struct Line<'a> {
    what: &'a str,
    peer: String,
    net: String,
    batch: usize,
    images_per_second: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    peak_mib: Option<u64>,
}

impl Bench {
    pub(crate) fn run(self) -> Result<Status> {
        match self {
            Self::Train(timing) => timing.run("train step", &[32], |_| 3, |b| b.training())?,
            Self::Epoch(epoch) => return epoch.run(),
            Self::Decode(decode) => return decode.run(),
            Self::Infer(timing) => {
                let repeats = |batch| if batch == 1 { 20 } else { 5 };
                timing.run("infer", &[1, 32], repeats, |b| b.inference())?;
            }
        }
        Ok(Status::Done)
    }
}

impl Timing {
    fn run<E: std::error::Error + Send + Sync + 'static>(
        &self,
        what: &str,
        batches: &[usize],
        repeats: impl Fn(usize) -> usize,
        time: impl Fn(&Benchmark) -> Result<f64, E>,
    ) -> Result<()> {
        let precisions = precisions(&self.precision);
        let batches = if self.batch.is_empty() { batches } else { &self.batch };
        for &architecture in &self.net {
            for &precision in &precisions {
                for &batch in batches {
                    let repeats = self.repeats.unwrap_or_else(|| repeats(batch));
                    let speed = time(&Benchmark { architecture, batch, precision, repeats })?;
                    let line = Line {
                        what,
                        peer: format!("cairn {precision}"),
                        net: net_name(architecture),
                        batch,
                        images_per_second: tenths(speed),
                        peak_mib: cairn_train::peak_memory().map(|bytes| bytes >> 20),
                    };
                    print_line(&line)?;
                }
            }
        }
        Ok(())
    }
}

/// What was asked for, or f32, and bf16 where this machine computes in it.
fn precisions(asked: &[Precision]) -> Vec<Precision> {
    let offered = [Precision::F32, Precision::Bf16].into_iter().filter(|p| p.is_offered());
    if asked.is_empty() { offered.collect() } else { asked.to_vec() }
}

/// As the same networks are called elsewhere.
fn net_name(architecture: Architecture) -> String {
    architecture.name().replace('-', "_")
}

fn tenths(speed: f64) -> f64 {
    (speed * 10.0).round() / 10.0
}

fn print_line(line: &impl Serialize) -> Result<()> {
    Ok(writeln!(StandardOutput::open()?, "{}", serde_json::to_string(line)?)?)
}

/// The folder of this name in the one that `CAIRN_DATA` names.
fn in_cairn_data(name: &str, instead: &str) -> Result<PathBuf> {
    let data = std::env::var_os("CAIRN_DATA").filter(|data| !data.is_empty());
    let data =
        data.with_context(|| format!("give {instead}, or set CAIRN_DATA to a folder that holds {name}/"))?;
    Ok(PathBuf::from(data).join(name))
}
