//! Products of bytes in plain Rust, four columns at a time.

use super::body::byte_product;
use super::tile::Tile;
use crate::int8::quantisation::level;

/// Columns of a vector.
const LANES: usize = 4;

type Sums = [i32; LANES];

/// What the pixels of a vector of columns share.
#[derive(Clone, Copy)]
struct Columns {
    scales: [f32; LANES],
    offsets: [f32; LANES],
    /// How many of them are output channels.
    count: usize,
}

#[inline(always)]
fn dot(sums: Sums, x: [u8; 4], w: [[i8; 4]; LANES]) -> Sums {
    std::array::from_fn(|lane| {
        let product = |byte: usize| i32::from(x[byte]) * i32::from(w[lane][byte]);
        sums[lane] + (product(0) + product(1)) + (product(2) + product(3))
    })
}

byte_product! {
    fn portable, static PORTABLE, lanes: 4, weight_bytes: 4,
    sizes: { 1: [1 2 3 4], 2: [1 2 3 4], },
    zero: [0; LANES],
    load: |w: *const u8| w.cast::<[[i8; 4]; LANES]>().read_unaligned(),
    broadcast: |x: *const u8| x.cast::<[u8; 4]>().read_unaligned(),
    dot: dot,
    columns: |tile: &Tile, column: usize| Columns {
        scales: tile.scales.add(column).cast::<[f32; LANES]>().read_unaligned(),
        offsets: tile.offsets.add(column).cast::<[f32; LANES]>().read_unaligned(),
        count: (tile.columns - column).min(LANES),
    },
    scaled: |sums: Sums, columns: &Columns| -> [f32; LANES] {
        std::array::from_fn(|lane| sums[lane] as f32 * columns.scales[lane] + columns.offsets[lane])
    },
    plus: |values: [f32; LANES], columns: &Columns, tile: &Tile, at: usize| {
        let mut values = values;
        let count = if EDGE { columns.count } else { LANES };
        for (lane, value) in values.iter_mut().enumerate().take(count) {
            *value += f32::from(tile.residual.add(at + lane).read()) * tile.residual_scale;
        }
        values
    },
    store: |values: [f32; LANES], columns: &Columns, tile: &Tile, at: usize| {
        let count = if EDGE { columns.count } else { LANES };
        for (lane, value) in values.into_iter().enumerate().take(count) {
            tile.output.add(at + lane).write(level(value, tile.bounds[0], tile.bounds[1]));
        }
    },
}
