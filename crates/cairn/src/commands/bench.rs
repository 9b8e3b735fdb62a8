//! `cairn bench`

pub(crate) mod decode;
pub(crate) mod epoch;
mod figures;
mod layers;
mod photos;

use anyhow::Result;
use cairn_nets::{Architecture, Precision};
use cairn_train::Benchmark;
use clap::{Args, Subcommand};
use serde::Serialize;

use self::figures::{NumberType, net_name, precisions, print_line, tenths};
use crate::exit::Status;

/// Measure cairn's speed on this machine (one JSON object per line, a table for layers)
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Training steps with Adam on random photos, 224 px
    Train {
        #[command(flatten)]
        timing: Timing,
        /// Number type of activations [default: f32, and bf16 where this machine supports it]
        #[arg(long, value_name = "P", value_delimiter = ',')]
        precision: Vec<Precision>,
    },
    /// Forward passes on random photos, 224 px
    Infer {
        #[command(flatten)]
        timing: Timing,
        /// Number type of activations, int8 among them [default: f32, int8, and bf16 where this machine supports it]
        #[arg(long, value_name = "P", value_delimiter = ',')]
        precision: Vec<NumberType>,
    },
    Layers(layers::Layers),
    Epoch(epoch::Epoch),
    Decode(decode::Decode),
}

#[derive(Debug, Args)]
pub(crate) struct Timing {
    /// Networks to measure
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "resnet34,residual-cnn,mobilenet_v2"
    )]
    net: Vec<Architecture>,
    /// Batch size [default: 32 for training; 1 and 32 for inference]
    #[arg(long, value_name = "N", value_delimiter = ',')]
    batch: Vec<usize>,
    /// Timed runs; the fastest counts [default: 3 for training; 20 or 5 for inference]
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
            Self::Train { timing, precision } => {
                let types = NumberType::chosen(&precisions(&precision));
                timing.run("train step", &types, &[32], |_| 3, |b, _| Ok(b.training()?))?;
            }
            Self::Layers(layers) => return layers.run(),
            Self::Epoch(epoch) => return epoch.run(),
            Self::Decode(decode) => return decode.run(),
            Self::Infer { timing, precision } => {
                let all = || [NumberType::chosen(&precisions(&[])), vec![NumberType::Int8]].concat();
                let types = if precision.is_empty() { all() } else { precision };
                let repeats = |batch| if batch == 1 { 20 } else { 5 };
                timing.run("infer", &types, &[1, 32], repeats, |b, of| match of {
                    NumberType::Float(_) => Ok(b.inference()?),
                    NumberType::Int8 => Ok(b.int8_inference()?),
                })?;
            }
        }
        Ok(Status::Done)
    }
}

impl Timing {
    fn run(
        &self,
        what: &str,
        types: &[NumberType],
        batches: &[usize],
        repeats: impl Fn(usize) -> usize,
        time: impl Fn(&Benchmark, NumberType) -> Result<f64>,
    ) -> Result<()> {
        let batches = if self.batch.is_empty() { batches } else { &self.batch };
        for &architecture in &self.net {
            for &of in types {
                for &batch in batches {
                    let repeats = self.repeats.unwrap_or_else(|| repeats(batch));
                    let speed =
                        time(&Benchmark { architecture, batch, precision: of.precision(), repeats }, of)?;
                    let line = Line {
                        what,
                        peer: format!("cairn {of}"),
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
