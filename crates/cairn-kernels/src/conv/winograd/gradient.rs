//! The gradient to the weights.
//!
//! For every position it is a product over tiles: input channels times output channels.

use std::ops::Range;

use super::product::transform_tiles;
use super::square::Square;
use super::tiling::{POSITIONS, SIDE, Tiling, blocks, with_block};
use super::transforms::{self, Lanes, square};
use crate::aligned::{AlignedWords, Word};
use crate::conv::groups::PixelProduct;
use crate::conv::patch::Map;
use crate::element::Element;
use crate::isa::Isa;
use crate::memory::with_scratch;
use crate::microkernel::{self, MAX_ROWS, Panel, Run, Tile, TileElement, row_tiles};
use crate::shape::{Conv2dOptions, Conv2dShape};
use crate::vectorised::vectorised;

/// Tiles that are multiplied at a time: enough that adding to the sums in memory costs little.
const TILES: usize = 64;

/// Tasks to cut a layer into, at least, where it has the photos: their sums are four times a direct product's.
const MIN_TASKS: usize = 8;

/// A thread's memory, kept from task to task.
#[derive(Default)]
struct Scratch {
    /// `[positions, tiles, input channels]`
    inputs: AlignedWords,
    /// `[positions, tiles, panel]`
    gradients: AlignedWords,
}

/// What a task needs to know of the layer.
struct Product<'a, T> {
    isa: Isa,
    input: Map<'a, T>,
    output_gradient: Map<'a, T>,
    tiling: Tiling,
    padding: usize,
}

/// Writes the gradient to the weights, in their own layout.
pub(in crate::conv) fn weight_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    input: &[T],
    output_gradient: &[T],
    gradient: &mut [f32],
) {
    let Conv2dOptions { batch, map, inputs, outputs, .. } = *shape.options();
    let product = Product {
        isa,
        input: Map { pixels: input, extent: map, channels: inputs },
        output_gradient: Map { pixels: output_gradient, extent: shape.output_map(), channels: outputs },
        tiling: Tiling::of(shape.output_map()),
        padding: shape.leading_zeros().height,
    };
    let pixel_product = PixelProduct {
        isa,
        batch,
        panels: &microkernel::panels::<f32>(isa, outputs),
        rows: POSITIONS * inputs,
        task_outputs: 1,
        min_tasks: MIN_TASKS,
    };
    let task = |photos: Range<usize>, panels: &[Panel], sums: &mut [f32]| {
        with_scratch(|scratch: &mut Scratch| product.run(photos, panels[0], scratch, sums));
    };
    let finish = |panel, groups: &[&[f32]], gradient: &mut [f32]| {
        finish_panel(isa, panel, inputs, groups, gradient);
    };
    pixel_product.sum_and_finish(9 * inputs, task, finish, gradient);
}

impl<T: Element> Product<'_, T> {
    /// Sums over the tiles of some photos into `[positions, input channels, panel]`.
    fn run(&self, photos: Range<usize>, panel: Panel, scratch: &mut Scratch, sums: &mut [f32]) {
        let tiles = photos.start * self.tiling.tiles()..photos.end * self.tiling.tiles();
        for first in tiles.clone().step_by(TILES) {
            let band = first..(first + TILES).min(tiles.end);
            self.transform(band.clone(), panel, scratch);
            self.multiply(band.len(), panel, first > tiles.start, scratch, sums);
        }
    }

    fn transform(&self, tiles: Range<usize>, panel: Panel, scratch: &mut Scratch) {
        let inputs = POSITIONS * tiles.len() * self.input.channels;
        scratch.inputs.reserve(inputs);
        let to = scratch.inputs.as_mut_slice::<f32>(inputs);
        transform_tiles(self.isa, self.input, self.tiling, self.padding, tiles.clone(), to);
        let gradients = POSITIONS * tiles.len() * panel.width;
        scratch.gradients.reserve(gradients);
        let to = scratch.gradients.as_mut_slice::<f32>(gradients);
        transform_gradients(self.isa, self.output_gradient, self.tiling, panel, tiles, to);
    }

    /// For every position, input channels times output channels, summed over `tiles` tiles.
    fn multiply(&self, tiles: usize, panel: Panel, accumulate: bool, scratch: &Scratch, sums: &mut [f32]) {
        let kernels = f32::microkernels(self.isa);
        let channels = self.input.channels;
        for position in 0..POSITIONS {
            let inputs = position * tiles * channels;
            for (first, count) in row_tiles(channels) {
                let rows: [*const Word; MAX_ROWS] = std::array::from_fn(|row| {
                    // SAFETY: the channel is one of the position's; rows past the last are not looked at.
                    unsafe { scratch.inputs.as_ptr().add(inputs + first + row.min(count - 1)) }
                });
                let at = (position * channels + first) * panel.width;
                let tile = Tile {
                    rows: &rows,
                    runs: &[Run { x: 0, w: 0 }],
                    depth: tiles,
                    step: channels,
                    // SAFETY: the gradients hold every position.
                    w: unsafe { scratch.gradients.as_ptr().add(position * tiles * panel.width) },
                    c: sums[at..at + count * panel.width].as_mut_ptr(),
                    accumulate,
                };
                // SAFETY: the instruction set is there, since its kernels are; every row has `tiles` words, `channels`
                // apart, the panel has as many rows, and the sums are a slice of the right length.
                unsafe { kernels.get(count, panel.width)(&tile) };
            }
        }
    }
}

vectorised! {
    /// `[positions, tiles, panel]`, zero where the panel has no channels.
    fn transform_gradients<T: Element>(
        output_gradient: Map<'_, T>,
        tiling: Tiling,
        panel: Panel,
        tiles: Range<usize>,
        to: &mut [f32],
    ) {
        let pitch = tiles.len() * panel.width;
        if panel.outputs < panel.width {
            to.fill(0.0);
        }
        for (index, tile) in tiles.enumerate() {
            let (photo, row, column) = tiling.locate(tile);
            for (first, width) in blocks(panel.outputs) {
                let to = &mut to[index * panel.width + first..];
                let (row, column, first) = (row as isize, column as isize, panel.first + first);
                let pixels = Square { map: output_gradient, photo, row, column, first };
                with_block!(width, gradient_block::<T>(pixels, pitch, to));
            }
        }
    }
}

#[inline(always)]
fn gradient_block<T: Element, const L: usize>(pixels: Square<'_, T>, pitch: usize, to: &mut [f32]) {
    square(
        |y, x| pixels.pixel::<L>(y, x),
        transforms::output_gradient,
        |position, values| {
            to[position * pitch..position * pitch + L].copy_from_slice(values);
        },
    );
}

vectorised! {
    /// Adds the groups' sums, `[positions, inputs, panel]` each, and brings them back to the weights' nine taps.
    fn finish_panel(panel: Panel, inputs: usize, groups: &[&[f32]], gradient: &mut [f32]) {
        for input in 0..inputs {
            for (first, width) in blocks(panel.outputs) {
                let at = input * panel.width + first;
                let pitch = inputs * panel.width;
                let to = &mut gradient[(first * inputs + input) * 9..];
                match width {
                    16 => finish_block::<16>(groups, at, pitch, inputs * 9, to),
                    8 => finish_block::<8>(groups, at, pitch, inputs * 9, to),
                    _ => finish_block::<1>(groups, at, pitch, inputs * 9, to),
                }
            }
        }
    }
}

#[inline(always)]
fn finish_block<const L: usize>(
    groups: &[&[f32]],
    at: usize,
    pitch: usize,
    output_pitch: usize,
    to: &mut [f32],
) {
    let sum = |row: usize, column: usize| -> Lanes<L> {
        let mut sums = [0.0; L];
        for group in groups {
            let from = &group[at + (row * SIDE + column) * pitch..][..L];
            for lane in 0..L {
                sums[lane] += from[lane];
            }
        }
        sums
    };
    square(sum, transforms::weight_gradient, |tap, values| {
        for lane in 0..L {
            to[lane * output_pitch + tap] = values[lane];
        }
    });
}
