//! `cairn bench layers`

use std::io::Write;

use anyhow::Result;
use cairn_kernels::{Conv2dShape, Isa};
use cairn_nets::{Architecture, Precision};
use cairn_train::{LayerBenchmark, LayerSpeed, Product};
use clap::Args;

use super::figures::precisions;
use crate::exit::Status;
use crate::rows::Format;
use crate::standard_output::StandardOutput;
use crate::table_output::{Cell, Column, Layout, TableOutput};

/// Each convolution of a network, forward and both gradients, beside what the machine can do at most (roofline)
#[derive(Debug, Args)]
pub(crate) struct Layers {
    /// Networks to measure
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "resnet34")]
    net: Vec<Architecture>,
    /// Number type of activations [default: f32, and bf16 where this machine supports it]
    #[arg(long, value_name = "P", value_delimiter = ',')]
    precision: Vec<Precision>,
    /// Batch size
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "32")]
    batch: Vec<usize>,
    /// Side of the square photos, in pixels [default: the side that the network was published for]
    #[arg(long, value_name = "PIXELS")]
    side: Option<usize>,
    /// Timed runs; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 7)]
    repeats: usize,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

impl Layers {
    pub(crate) fn run(self) -> Result<Status> {
        let columns = [
            ("net", "network"),
            ("precision", "type"),
            ("batch", "batch"),
            ("layer", "layer"),
            ("times", "times"),
            ("product", "product"),
            ("milliseconds", "ms"),
            ("gflops", "GFLOP/s"),
            ("possible_gflops", "possible"),
            ("share", "share"),
            ("limit", "limit"),
        ];
        let mut table = TableOutput::new(columns.map(|(key, heading)| Column::new(key, heading)).into());
        let mut peaks = Vec::new();
        for &architecture in &self.net {
            for &precision in &precisions(&self.precision) {
                for &batch in &self.batch {
                    let side = self.side.unwrap_or_else(|| architecture.published_side());
                    let repeats = self.repeats;
                    let benchmark = LayerBenchmark { architecture, side, batch, precision, repeats };
                    let (roofline, speeds) = benchmark.run()?;
                    peaks.push(format!(
                        "{precision}: {:.0} GFLOP/s, memory {:.1} GB/s",
                        2e-9 * roofline.multiply_adds_per_second,
                        1e-9 * roofline.bandwidth.of_memory()
                    ));
                    let mut push = |layer: Layer| {
                        let of = [Cell::text(architecture.name()), Cell::text(precision.to_string())];
                        let cells = [Cell::count(batch)].into_iter().chain(layer.cells());
                        table.push(of.into_iter().chain(cells).collect());
                    };
                    speeds.iter().for_each(|speed| push(Layer::of(speed)));
                    Product::ALL.iter().for_each(|product| push(Layer::all_of(&speeds, *product)));
                }
            }
        }
        table.print(self.format, Layout::Rows)?;
        if self.format == Format::Table {
            let (isa, threads) = (Isa::best().name(), rayon::current_num_threads());
            peaks.dedup();
            writeln!(StandardOutput::open()?, "\n{isa} on {threads} threads; {}", peaks.join("; "))?;
        }
        Ok(Status::Done)
    }
}

/// A row: a product of a convolution, or of all of them.
struct Layer {
    name: String,
    times: usize,
    product: Product,
    seconds: f64,
    possible_seconds: f64,
    operations: f64,
    limit: Cell,
}

impl Layer {
    fn of(speed: &LayerSpeed) -> Self {
        Self {
            name: layer_name(&speed.shape),
            times: speed.times,
            product: speed.product,
            seconds: speed.seconds,
            possible_seconds: speed.bound.seconds,
            operations: 2.0 * speed.shape.multiply_adds() as f64,
            limit: Cell::text(speed.bound.limit.name()),
        }
    }

    /// Every convolution as often as the network has it. The gradient to the photos is left out: training does not need it.
    fn all_of(speeds: &[LayerSpeed], product: Product) -> Self {
        let is_needed = |speed: &&LayerSpeed| {
            speed.product == product
                && (product != Product::InputGradient || speed.shape.options().inputs != PHOTO_CHANNELS)
        };
        let sum = |value: fn(&LayerSpeed) -> f64| -> f64 {
            speeds.iter().filter(is_needed).map(|speed| speed.times as f64 * value(speed)).sum()
        };
        Self {
            name: "all".to_owned(),
            times: speeds.iter().filter(is_needed).map(|speed| speed.times).sum(),
            product,
            seconds: sum(|speed| speed.seconds),
            possible_seconds: sum(|speed| speed.bound.seconds),
            operations: sum(|speed| 2.0 * speed.shape.multiply_adds() as f64),
            limit: Cell::Nothing,
        }
    }

    fn cells(self) -> [Cell; 8] {
        let rate = |seconds: f64| Cell::number(1e-9 * self.operations / seconds, 0);
        [
            Cell::text(self.name.clone()),
            Cell::count(self.times),
            Cell::text(self.product.name()),
            Cell::number(1e3 * self.seconds, 2),
            rate(self.seconds),
            rate(self.possible_seconds),
            Cell::percent(self.possible_seconds / self.seconds),
            self.limit.clone(),
        ]
    }
}

/// Channels of a photo: a convolution of as many is the first.
const PHOTO_CHANNELS: usize = 3;

/// As `64-128 3x3/2 @56`: channels in and out, kernel, stride, side of the map; `dw` for a depthwise one, `g4` for four groups.
fn layer_name(shape: &Conv2dShape) -> String {
    let options = shape.options();
    let groups = match options.groups {
        1 => String::new(),
        _ if shape.is_depthwise() => " dw".to_owned(),
        groups => format!(" g{groups}"),
    };
    format!(
        "{}-{} {}x{}/{}{groups} @{}",
        options.inputs,
        options.outputs,
        options.kernel.height,
        options.kernel.width,
        options.stride,
        options.map.height
    )
}
