//! `cairn bench epoch`

use std::path::PathBuf;

use anyhow::Result;
use cairn_dataset::ValidSplit;
use cairn_nets::{Architecture, Precision};
use cairn_train::{EpochBenchmark, EpochSpeeds};
use clap::Args;
use serde::Serialize;

use super::figures::{net_name, precisions, print_line, tenths};
use super::photos::in_cairn_data;
use crate::data_set::DataSetOptions;
use crate::exit::Status;
use crate::progress::{left_out, say};

/// Whole epochs of real photos at 224 px with System B's augmentation: from files, then from the cache; the loader
/// alone first
#[derive(Debug, Args)]
pub(crate) struct Epoch {
    /// Data set [default: landmarks/ in the folder that CAIRN_DATA names]
    #[arg(value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    data_set: DataSetOptions,
    /// Networks to train
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "residual-cnn,resnet34,mobilenet_v2"
    )]
    net: Vec<Architecture>,
    /// Number type of activations [default: f32, and bf16 where this machine supports it]
    #[arg(long, value_name = "P", value_delimiter = ',')]
    precision: Vec<Precision>,
    /// Photos per epoch, evenly spread over the training photos
    #[arg(long, value_name = "N", default_value_t = 512)]
    images: usize,
    /// Batch size
    #[arg(long, value_name = "N", default_value_t = 64)]
    batch: usize,
}

/// A line of output.
#[derive(Serialize)]
struct Line<'a> {
    what: &'a str,
    peer: String,
    net: Option<String>,
    images: usize,
    images_per_second: f64,
}

impl Epoch {
    pub(crate) fn run(self) -> Result<Status> {
        let root = match &self.data {
            Some(root) => root.clone(),
            None => in_cairn_data("landmarks", "the folder of a data set")?,
        };
        // Nothing is validated here: every training photo may be timed.
        let data = self.data_set.open(&root, &ValidSplit { fraction: 0.0, ..ValidSplit::default() })?;
        let benchmark = EpochBenchmark::new(&data, self.images, self.batch)?;
        let print = |whats: [&str; 2], peer: &str, net: Option<Architecture>, speeds: &EpochSpeeds| {
            let speeds_of = [speeds.from_files, speeds.cached];
            whats.into_iter().zip(speeds_of).try_for_each(|(what, speed)| {
                print_line(&Line {
                    what,
                    peer: peer.to_owned(),
                    net: net.map(net_name),
                    images: benchmark.images() - speeds.bad_photos.len(),
                    images_per_second: tenths(speed),
                })
            })
        };
        let loading = benchmark.loading()?;
        loading.bad_photos.iter().for_each(|bad| say(left_out(bad)));
        print(["loader only", "loader cached"], "cairn", None, &loading)?;
        for &architecture in &self.net {
            for precision in precisions(&self.precision) {
                let speeds = benchmark.training(architecture, precision)?;
                print(["epoch first", "epoch"], &format!("cairn {precision}"), Some(architecture), &speeds)?;
            }
        }
        Ok(Status::with_bad_photos(loading.bad_photos.len()))
    }
}
