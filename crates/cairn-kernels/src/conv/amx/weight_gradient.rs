//! The gradient to the weights on the tile unit.
//!
//! Rows of a tile are input channels seen through one tap, its depth is pixels, two to a word: channel-major planes
//! of the input and panels of the output gradient, as [elsewhere](crate::conv::vector::weight_gradient). But here lines
//! follow each other without an end that matters: the output gradient is packed with as many pixels a line as the
//! planes have, zeros beyond its own, so that the depth is one run over all lines and photos of a chunk.

use std::ops::Range;

use super::patch::{Layout, View};
use crate::aligned::{AlignedWords, Word};
use crate::conv::axis::Axis;
use crate::conv::groups::{Chunk, PixelProduct, chunks};
use crate::conv::patch::Map;
use crate::conv::transpose::{Pixels, transpose};
use crate::conv::weight_gradient::{MIN_TASKS, WeightGradient, pack_row};
use crate::element::Element;
use crate::memory::with_scratch;
use crate::microkernel::amx::{BLOCK_ROWS, BLOCK_TILES, Block, ROW_WORDS, TILE_ROWS, TileShape, TileUnit};
use crate::microkernel::{self, Panel, Run};
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};

/// Pixels of depth that are multiplied at a time, roughly: so few that 32 channels of them and 32 outputs stay in the
/// first-level cache for all taps, so many that loading and storing the sums takes little of the time.
const CHUNK_PIXELS: usize = 336;

/// Words of the planes of a block of input channels, at most: an eighth of a second-level cache of 2 MiB.
const PLANES_WORDS: usize = 64 * 1024;

/// Output channels of a task, roughly: each task transposes the input for itself, which takes as long as multiplying
/// it by a dozen of them.
const TASK_OUTPUTS: usize = 128;

/// A thread's memory, kept from task to task.
#[derive(Default)]
struct Scratch {
    patch: AlignedWords,
    planes: AlignedWords,
    panels: AlignedWords,
    runs: Vec<Run>,
}

/// The rows of the product.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// Input channels. A few channels fill no tile. Then those of all taps of a kernel row, which are together in
    /// the map, count as the channels of one tap.
    channels: usize,
    taps: Extent,
}

impl Rows {
    fn of(shape: &Conv2dShape) -> Self {
        let Conv2dOptions { inputs, kernel, .. } = *shape.options();
        if inputs * kernel.width <= BLOCK_ROWS {
            Self { channels: inputs * kernel.width, taps: Extent { width: 1, ..kernel } }
        } else {
            Self { channels: inputs, taps: kernel }
        }
    }
}

/// Writes the gradient to the weights, in their own layout.
pub(in crate::conv) fn weight_gradient<U: TileUnit, T: Element>(
    product: &WeightGradient<'_, T>,
    gradient: &mut [f32],
) {
    let Conv2dOptions { batch, inputs, outputs, kernel, .. } = *product.shape.options();
    let rows = Rows::of(product.shape);
    let panels = microkernel::panels::<T>(product.isa, outputs);
    let pixel_product = PixelProduct {
        isa: product.isa,
        batch,
        panels: &panels,
        rows: rows.channels.next_multiple_of(TILE_ROWS) * rows.taps.area(),
        task_outputs: TASK_OUTPUTS,
        min_tasks: MIN_TASKS,
    };
    let rows_kept = rows.channels * rows.taps.area();
    let task = |photos: Range<usize>, panels: &[Panel], sums: &mut [f32]| {
        with_scratch(|scratch: &mut Scratch| Task { product, rows, panels }.run::<U>(photos, scratch, sums));
    };
    if rows.taps == kernel {
        return pixel_product.sum(rows_kept, task, gradient);
    }
    let mut by_kernel_row = vec![0.0; gradient.len()];
    pixel_product.sum(rows_kept, task, &mut by_kernel_row);
    let filter = inputs * kernel.area();
    for (to, from) in gradient.chunks_exact_mut(filter).zip(by_kernel_row.chunks_exact(filter)) {
        for (at, to) in to.iter_mut().enumerate() {
            let (channel, y, x) = (at / kernel.area(), at / kernel.width % kernel.height, at % kernel.width);
            *to = from[(x * inputs + channel) * kernel.height + y];
        }
    }
}

/// What the sums for some panels need to know.
#[derive(Clone, Copy)]
struct Task<'a, T> {
    product: &'a WeightGradient<'a, T>,
    rows: Rows,
    panels: &'a [Panel],
}

/// The operands of a block of input channels.
struct Operands<'a> {
    layout: &'a Layout,
    planes: *const Word,
    /// Words from plane to plane.
    plane_step: usize,
    panels: *const Word,
    /// Words of depth.
    depth: usize,
    accumulate: bool,
}

impl<T: Element> Task<'_, T> {
    /// Sums over some photos.
    fn run<U: TileUnit>(self, photos: Range<usize>, scratch: &mut Scratch, sums: &mut [f32]) {
        // SAFETY: the process may use the unit, since `Isa::tile_unit` named it.
        let mut unit = unsafe { U::configured(TileShape { rows: TILE_ROWS, depth: ROW_WORDS }) };
        let chunks = chunks(photos, self.product.shape.output_map(), CHUNK_PIXELS);
        for (index, chunk) in chunks.into_iter().enumerate() {
            self.run_chunk(&mut unit, &chunk, index > 0, scratch, sums);
        }
    }

    /// Adds (or, the first time, sets) what some pixels contribute, a block of input channels after the other.
    fn run_chunk<U: TileUnit>(
        self,
        unit: &mut U,
        chunk: &Chunk,
        accumulate: bool,
        scratch: &mut Scratch,
        sums: &mut [f32],
    ) {
        let Self { product, rows, .. } = self;
        let Conv2dOptions { map, inputs, .. } = *product.shape.options();
        let layout = self.layout(chunk);
        let depth = self.pack_panels(chunk, layout.pitch(), &mut scratch.panels);
        let count = layout.pixels();
        // An odd number of cache lines from plane to plane keeps them off the same sets.
        let plane = count.next_multiple_of(64) + 32;
        let block = (PLANES_WORDS * T::PER_WORD / plane / BLOCK_ROWS * BLOCK_ROWS)
            .clamp(BLOCK_ROWS, rows.channels.next_multiple_of(BLOCK_ROWS));
        scratch.patch.reserve((count * block).div_ceil(T::PER_WORD));
        scratch.planes.reserve(plane * block / T::PER_WORD);
        let source = Map { pixels: product.input, extent: map, channels: inputs };
        for first in (0..rows.channels).step_by(block) {
            let channels = first..(first + block).min(rows.channels);
            let patch = scratch.patch.as_mut_slice::<T>(count * channels.len());
            layout.fill(&source, channels.clone(), channels.len(), patch);
            let pixels = Pixels { elements: patch, step: channels.len(), count, channels: channels.len() };
            transpose(product.isa, pixels, scratch.planes.as_mut_slice(plane * block), plane);
            let operands = Operands {
                layout: &layout,
                planes: scratch.planes.as_ptr(),
                plane_step: plane / T::PER_WORD,
                panels: scratch.panels.as_ptr(),
                depth,
                accumulate,
            };
            // SAFETY: there are planes for whole tiles of channels (what the last ones hold is left from before, as are
            // their sums); a tap's offset and the depth lead to the end of a plane at most, by the layout's tail; the
            // panels are as deep.
            unsafe { self.multiply(unit, &operands, channels, &mut scratch.runs, sums) };
        }
    }

    fn layout(self, chunk: &Chunk) -> Layout {
        let Conv2dOptions { map, stride, .. } = *self.product.shape.options();
        let (positions, taps) = (self.product.shape.output_map(), self.rows.taps);
        let zeros = self.product.shape.leading_zeros();
        let axis =
            |taps: usize, zeros: usize, positions: usize| Axis::forward(taps, stride, zeros, positions);
        Layout::of_planes(View {
            photos: chunk.photos.clone(),
            rows: axis(taps.height, zeros.height, positions.height).span(&chunk.rows),
            columns: axis(taps.width, zeros.width, positions.width).span(&(0..positions.width)),
            taps,
            stride,
            width: map.width,
        })
    }

    /// Multiplies a block of input channels by all panels: blocks of 32 channels seen through one tap, and a panel.
    ///
    /// # Safety
    /// There must be planes for whole tiles of channels, each good for reading from every tap's offset as far as the
    /// depth, and panels as deep.
    unsafe fn multiply<U: TileUnit>(
        self,
        unit: &mut U,
        operands: &Operands<'_>,
        channels: Range<usize>,
        runs: &mut Vec<Run>,
        sums: &mut [f32],
    ) {
        let taps = self.rows.taps.area();
        let sum_rows = self.rows.channels.next_multiple_of(TILE_ROWS) * taps;
        for panel in self.panels {
            let before = panel.first - self.panels[0].first;
            runs.clear();
            let steps = (0..operands.depth).step_by(ROW_WORDS);
            runs.extend(steps.map(|word| Run { x: word, w: word * panel.width }));
            let panel_sums = &mut sums[before * sum_rows..][..panel.width * sum_rows];
            let sum_step = taps * panel.width;
            for channel in channels.clone().step_by(BLOCK_ROWS) {
                let row_tiles = (channels.end - channel).div_ceil(TILE_ROWS).min(BLOCK_TILES);
                let first_row = (channel - channels.start) * operands.plane_step;
                for tap in 0..taps {
                    let at = channel * sum_step + tap * panel.width;
                    let room = (row_tiles * TILE_ROWS - 1) * sum_step + panel.width;
                    let sums = panel_sums[at..at + room].as_mut_ptr();
                    let offset = operands.layout.tap(tap / self.rows.taps.width, tap % self.rows.taps.width);
                    // A tap may begin between two words.
                    let row = operands.planes.wrapping_add(first_row).cast::<T>().wrapping_add(offset).cast();
                    let block = Block {
                        rows: [row, row.wrapping_add(TILE_ROWS * operands.plane_step)],
                        row_step: operands.plane_step,
                        runs,
                        panel: operands.panels.wrapping_add(operands.depth * before),
                        sums: [sums, sums.wrapping_add(TILE_ROWS * sum_step)],
                        sum_step,
                        accumulate: operands.accumulate,
                    };
                    // SAFETY: the caller vouches for the operands, and the sums' slice was just cut to the block.
                    unsafe { unit.multiply(&block, row_tiles, panel.width / ROW_WORDS) };
                }
            }
        }
    }

    /// Packs the output gradient of a chunk, panel after panel, in lines of `pitch` pixels. Returns the words of depth:
    /// whole tiles, zeros beyond the last line.
    fn pack_panels(self, chunk: &Chunk, pitch: usize, packed: &mut AlignedWords) -> usize {
        let Self { product, panels, .. } = self;
        let (positions, outputs) = (product.shape.output_map(), product.shape.options().outputs);
        let line_words = pitch / T::PER_WORD;
        let lines = chunk.rows.len() * chunk.photos.len();
        let depth = (lines * line_words).next_multiple_of(ROW_WORDS);
        let columns: usize = panels.iter().map(|panel| panel.width).sum();
        packed.reserve(depth * columns);
        let mut rest = packed.as_mut_slice::<T>(depth * columns * T::PER_WORD);
        for panel in panels {
            let word = panel.width * T::PER_WORD;
            let (packed, after) = rest.split_at_mut(depth * word);
            let (lines, zeros) = packed.split_at_mut(lines * line_words * word);
            for (index, line) in lines.chunks_exact_mut(line_words * word).enumerate() {
                let y = chunk.rows.start + index / chunk.photos.len();
                let photo = chunk.photos.start + index % chunk.photos.len();
                let first = (photo * positions.height + y) * positions.width;
                let pixels = &product.output_gradient[first * outputs..(first + positions.width) * outputs];
                let (own, beyond) = line.split_at_mut(positions.width.div_ceil(T::PER_WORD) * word);
                pack_row(product.isa, pixels, outputs, *panel, own);
                beyond.fill(T::ZERO);
            }
            zeros.fill(T::ZERO);
            rest = after;
        }
        depth
    }
}
