//! How many tile products and loads the layers of ResNet-34 take, beside the fewest that they could.

use std::cell::Cell;

use half::bf16;

use super::gather::gather;
use super::weight_gradient::weight_gradient;
use crate::aligned::Word;
use crate::conv::axis::{Axis, Sweep};
use crate::conv::gather::Gather;
use crate::conv::patch::Map;
use crate::conv::weight_gradient::WeightGradient;
use crate::conv::{Direction, Epilogue, PackedWeights};
use crate::isa::Isa;
use crate::microkernel::amx::{Block, TileRegisters, TileShape, TileUnit, multiply_on};
use crate::shape::{Conv2dOptions, Conv2dShape, Extent, Padding};

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    products: usize,
    loads: usize,
    stores: usize,
}

thread_local! {
    static COUNTS: Cell<Counts> = Cell::default();
}

fn count(change: impl FnOnce(&mut Counts)) {
    let mut counts = COUNTS.get();
    change(&mut counts);
    COUNTS.set(counts);
}

/// A tile unit that only counts its operations.
struct Counter;

impl TileUnit for Counter {
    unsafe fn configured(_: TileShape) -> Self {
        Self
    }

    unsafe fn multiply(&mut self, block: &Block<'_>, row_tiles: usize, column_tiles: usize) {
        // SAFETY: nothing is read or written.
        unsafe { multiply_on(self, block, row_tiles, column_tiles) };
    }
}

impl TileRegisters for Counter {
    fn zero<const TILE: usize>(&mut self) {}

    unsafe fn load<const TILE: usize>(&mut self, _: *const Word, _: usize) {
        count(|counts| counts.loads += 1);
    }

    unsafe fn store<const TILE: usize>(&self, _: *mut f32, _: usize) {
        count(|counts| counts.stores += 1);
    }

    fn multiply_add<const SUMS: usize, const ROWS: usize, const PANEL: usize>(&mut self) {
        count(|counts| counts.products += 1);
    }
}

/// What a computation asks of the unit. On one thread, as each has its own counts.
fn counts_of(work: impl FnOnce() + Send) -> Counts {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        work();
        COUNTS.get()
    })
}

fn gather_counts(shape: &Conv2dShape, direction: Direction) -> Counts {
    let Conv2dOptions { batch, map, inputs, outputs, kernel, stride, .. } = *shape.options();
    let (positions, zeros) = (shape.output_map(), shape.leading_zeros());
    let weights = PackedWeights::<bf16>::new(Isa::AmxModel, shape, direction, &vec![0.0; shape.weight_len()]);
    let (maps, gradients) = (vec![bf16::ZERO; shape.input_len()], vec![bf16::ZERO; shape.output_len()]);
    let mut written = if direction == Direction::Forward { gradients.clone() } else { maps.clone() };
    let axes = |kernel, zeros, positions, map| match direction {
        Direction::Forward => vec![Axis::forward(kernel, stride, zeros, positions)],
        Direction::InputGradient => Axis::backward(kernel, stride, zeros, map),
    };
    let rows = axes(kernel.height, zeros.height, positions.height, map.height);
    let columns = axes(kernel.width, zeros.width, positions.width, map.width);
    let pairs = rows.into_iter().flat_map(|rows| columns.iter().map(move |&columns| Sweep { rows, columns }));
    let forward = direction == Direction::Forward;
    let product = Gather {
        source: if forward {
            Map { pixels: &maps, extent: map, channels: inputs }
        } else {
            Map { pixels: &gradients, extent: positions, channels: outputs }
        },
        batch,
        kernel_width: kernel.width,
        weights: &weights,
        sweeps: pairs.collect(),
        destination: if forward { positions } else { map },
        destination_channels: if forward { outputs } else { inputs },
        epilogue: Epilogue::default(),
    };
    counts_of(|| gather::<Counter, bf16>(&product, &mut written))
}

fn weight_gradient_counts(shape: &Conv2dShape) -> Counts {
    let (input, output_gradient) =
        (vec![bf16::ZERO; shape.input_len()], vec![bf16::ZERO; shape.output_len()]);
    let product =
        WeightGradient { isa: Isa::AmxModel, shape, input: &input, output_gradient: &output_gradient };
    let mut gradient = vec![0.0; shape.weight_len()];
    counts_of(|| weight_gradient::<Counter, bf16>(&product, &mut gradient))
}

/// Prints the table of `docs/decisions/005-amx.md`:
/// `cargo test --release -p cairn-kernels --lib tile_products -- --nocapture`.
#[test]
#[allow(clippy::print_stdout)]
fn resnet34_takes_few_more_tile_products_than_the_fewest_possible() {
    /// Multiply-adds of a product of full tiles.
    const PRODUCT: usize = 16 * 16 * 32;
    const LAYERS: [(&str, usize, usize, usize, usize, usize, usize); 11] = [
        ("3-64 7x7/2 at 224", 224, 3, 64, 7, 2, 1),
        ("64-64 3x3 at 56", 56, 64, 64, 3, 1, 6),
        ("64-128 3x3/2 at 56", 56, 64, 128, 3, 2, 1),
        ("64-128 1x1/2 at 56", 56, 64, 128, 1, 2, 1),
        ("128-128 3x3 at 28", 28, 128, 128, 3, 1, 7),
        ("128-256 3x3/2 at 28", 28, 128, 256, 3, 2, 1),
        ("128-256 1x1/2 at 28", 28, 128, 256, 1, 2, 1),
        ("256-256 3x3 at 14", 14, 256, 256, 3, 1, 11),
        ("256-512 3x3/2 at 14", 14, 256, 512, 3, 2, 1),
        ("256-512 1x1/2 at 14", 14, 256, 512, 1, 2, 1),
        ("512-512 3x3 at 7", 7, 512, 512, 3, 1, 5),
    ];
    let mut totals = [[0.0; 2]; 3];
    for (name, side, inputs, outputs, kernel, stride, times) in LAYERS {
        let shape = Conv2dShape::new(Conv2dOptions {
            batch: 32,
            map: Extent::square(side),
            inputs,
            outputs,
            kernel: Extent::square(kernel),
            stride,
            padding: Padding::Each(kernel / 2),
            groups: 1,
        })
        .unwrap();
        let fewest = shape.multiply_adds() as f64 / PRODUCT as f64;
        let counts = [
            gather_counts(&shape, Direction::Forward),
            gather_counts(&shape, Direction::InputGradient),
            weight_gradient_counts(&shape),
        ];
        let cells = counts.map(|Counts { products, loads, stores }| {
            let (share, each) = (100.0 * fewest / products as f64, loads as f64 / products as f64);
            format!("{share:.0} %, {each:.2}, {:.3}", stores as f64 / products as f64)
        });
        println!("| {name} x{times} | {} |", cells.join(" | "));
        for (direction, (total, counts)) in totals.iter_mut().zip(counts).enumerate() {
            // Nobody asks for the gradient to the photos.
            if direction == 1 && inputs == 3 {
                continue;
            }
            total[0] += fewest * times as f64;
            total[1] += (counts.products * times) as f64;
        }
    }
    let shares = totals.map(|[fewest, products]| fewest / products);
    println!("all: {shares:.3?}");
    assert!(shares.into_iter().all(|share| share > 0.85), "{shares:?}");
}
