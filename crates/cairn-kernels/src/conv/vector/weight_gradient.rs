//! The gradient to the weights on vector instructions.
//!
//! The tile kernel has input channels seen through one tap as its rows and pixels as its depth: the input map is
//! transposed to channel-major planes once, in which every tap of a channel is a shifted view of the same plane (with
//! stride s, of one of s interleaved planes), and the output gradient is packed into panels. In bf16 a word is two
//! neighbouring pixels.

use std::ops::Range;

use crate::aligned::{AlignedWords, Word};
use crate::conv::axis::Axis;
use crate::conv::groups::{Chunk, PixelProduct, chunks};
use crate::conv::patch::Map;
use crate::conv::planes::Planes;
use crate::conv::weight_gradient::{MIN_TASKS, WeightGradient, pack_row};
use crate::element::Element;
use crate::memory::with_scratch;
use crate::microkernel::{self, MAX_ROWS, Panel, Run, Tile, row_tiles};
use crate::shape::Conv2dOptions;

/// Pixels of depth that are multiplied at a time, roughly: enough that adding to the sums in memory costs little, few
/// enough that the planes stay in the second-level cache.
const CHUNK_PIXELS: usize = 448;

/// Words of the planes of a block of input channels, at most: a quarter of a second-level cache of 1 MiB.
const PLANES_WORDS: usize = 64 * 1024;

/// Output channels of a task, roughly. Not too few, as each task transposes the input again.
const TASK_OUTPUTS: usize = 64;

/// A thread's memory, kept from task to task.
#[derive(Default)]
struct Scratch {
    patch: AlignedWords,
    planes: AlignedWords,
    panels: AlignedWords,
    runs: Vec<Run>,
}

/// Writes the gradient to the weights, in their own layout.
pub(in crate::conv) fn weight_gradient<T: Element>(product: &WeightGradient<'_, T>, gradient: &mut [f32]) {
    let WeightGradient { isa, shape, .. } = *product;
    let Conv2dOptions { batch, inputs, outputs, kernel, .. } = *shape.options();
    let rows = inputs * kernel.area();
    let panels = microkernel::panels::<T>(isa, outputs);
    let pixel_product =
        PixelProduct { isa, batch, panels: &panels, rows, task_outputs: TASK_OUTPUTS, min_tasks: MIN_TASKS };
    let task = |photos: Range<usize>, panels: &[Panel], sums: &mut [f32]| {
        with_scratch(|scratch: &mut Scratch| product.run(photos, panels, scratch, sums));
    };
    pixel_product.sum(rows, task, gradient);
}

impl<T: Element> WeightGradient<'_, T> {
    /// Sums over a group's photos for some panels.
    fn run(&self, photos: Range<usize>, panels: &[Panel], scratch: &mut Scratch, sums: &mut [f32]) {
        for (index, chunk) in chunks(photos, self.shape.output_map(), CHUNK_PIXELS).into_iter().enumerate() {
            self.run_chunk(&chunk, panels, index > 0, scratch, sums);
        }
    }

    /// Adds (or, the first time, sets) what some pixels contribute, a block of input channels after the other.
    fn run_chunk(
        &self,
        chunk: &Chunk,
        panels: &[Panel],
        accumulate: bool,
        scratch: &mut Scratch,
        sums: &mut [f32],
    ) {
        let Conv2dOptions { map, inputs, kernel, stride, .. } = *self.shape.options();
        let (positions, zeros) = (self.shape.output_map(), self.shape.leading_zeros());
        let words = positions.width.div_ceil(T::PER_WORD);
        let source = Map { pixels: self.input, extent: map, channels: inputs };
        let source_rows =
            Axis::forward(kernel.height, stride, zeros.height, positions.height).span(&chunk.rows);
        let columns = Axis::forward(kernel.width, stride, zeros.width, words * T::PER_WORD)
            .span(&(0..words * T::PER_WORD));
        let planes = Planes::new::<T>(chunk.photos.clone(), source_rows, columns, stride, kernel);
        let rows = chunk.photos.len() * chunk.rows.len();
        self.pack_panels(chunk, panels, words, &mut scratch.panels);

        let block =
            (PLANES_WORDS * T::PER_WORD / planes.step() / 16 * 16).clamp(16, inputs.max(16)).min(inputs);
        let (patch_len, planes_len) = (planes.positions() * block, planes.step() * block);
        scratch.patch.reserve(patch_len.div_ceil(T::PER_WORD));
        scratch.planes.reserve(planes_len.div_ceil(T::PER_WORD));
        for first_channel in (0..inputs).step_by(block) {
            let channels = first_channel..(first_channel + block).min(inputs);
            let (patch, transposed) =
                (scratch.patch.as_mut_slice(patch_len), scratch.planes.as_mut_slice(planes_len));
            planes.fill(self.isa, &source, channels.clone(), patch, transposed);
            for panel in panels {
                let before = panel.first - panels[0].first;
                scratch.runs.clear();
                scratch.runs.extend((0..rows).map(|row| {
                    let (photo, row_in_photo) = (row / chunk.rows.len(), row % chunk.rows.len());
                    Run {
                        x: planes.row(photo, row_in_photo * stride) / T::PER_WORD,
                        w: row * words * panel.width,
                    }
                }));
                let operands = Operands {
                    planes: &planes,
                    transposed: scratch.planes.as_ptr().cast::<T>(),
                    runs: &scratch.runs,
                    depth: words,
                    // SAFETY: the panels before this one take as many words.
                    panel: unsafe { scratch.panels.as_ptr().add(rows * words * before) },
                    accumulate,
                };
                let taps = kernel.area();
                let start = inputs * taps * before + channels.start * taps * panel.width;
                let sums = &mut sums[start..start + channels.len() * taps * panel.width];
                // SAFETY: a run reads `words` words of a plane's row from the tap's column on, for which `columns` leaves
                // room, and the panel has a row of words for each run.
                unsafe { self.run_tiles(&operands, *panel, sums) };
            }
        }
    }

    /// Packs the output gradient of a chunk, panel after panel.
    fn pack_panels(&self, chunk: &Chunk, panels: &[Panel], words: usize, packed: &mut AlignedWords) {
        let (positions, outputs) = (self.shape.output_map(), self.shape.options().outputs);
        let rows = chunk.photos.len() * chunk.rows.len();
        let columns: usize = panels.iter().map(|panel| panel.width).sum();
        packed.reserve(rows * words * columns);
        let mut rest = packed.as_mut_slice::<T>(rows * words * columns * T::PER_WORD);
        for panel in panels {
            let row_len = words * panel.width * T::PER_WORD;
            let (packed, after) = rest.split_at_mut(rows * row_len);
            for (row, packed) in packed.chunks_exact_mut(row_len).enumerate() {
                let (photo, row_in_photo) = (row / chunk.rows.len(), row % chunk.rows.len());
                let line = (chunk.photos.start + photo) * positions.height + chunk.rows.start + row_in_photo;
                let pixels = line * positions.width..(line + 1) * positions.width;
                let gradient = &self.output_gradient[pixels.start * outputs..pixels.end * outputs];
                pack_row(self.isa, gradient, outputs, *panel, packed);
            }
            rest = after;
        }
    }

    /// Runs the tile kernel over the rows of a block of input channels, whose sums are given.
    ///
    /// # Safety
    /// Every run of every tap must be within the planes and the panel.
    unsafe fn run_tiles(&self, operands: &Operands<'_, T>, panel: Panel, sums: &mut [f32]) {
        let kernels = T::microkernels(self.isa);
        let kernel = self.shape.options().kernel;
        for (first, count) in row_tiles(sums.len() / panel.width) {
            let mut rows = [operands.transposed.cast::<Word>(); MAX_ROWS];
            for (base, row) in rows.iter_mut().zip(first..first + count) {
                let (channel, tap) = (row / kernel.area(), row % kernel.area());
                let at = channel * operands.planes.step()
                    + operands.planes.tap(tap / kernel.width, tap % kernel.width);
                // SAFETY: the tap's first pixel is in its channel's plane.
                *base = unsafe { operands.transposed.add(at) }.cast();
            }
            let tile = Tile {
                rows: &rows,
                runs: operands.runs,
                depth: operands.depth,
                step: 1,
                w: operands.panel,
                c: sums[first * panel.width..(first + count) * panel.width].as_mut_ptr(),
                accumulate: operands.accumulate,
            };
            // SAFETY: the caller vouches for the operands, and the sums' slice was just cut to the tile.
            unsafe { kernels.get(count, panel.width)(&tile) };
        }
    }
}

/// What the tiles of a block of input channels and a panel of output channels share.
struct Operands<'a, T> {
    planes: &'a Planes,
    transposed: *const T,
    runs: &'a [Run],
    depth: usize,
    panel: *const Word,
    accumulate: bool,
}
