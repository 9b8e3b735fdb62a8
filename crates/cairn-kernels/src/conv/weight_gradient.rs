//! The gradient to the weights of a dense convolution.
//!
//! For each weight it is a sum over all pixels: `gradient[out][m] = sum over pixels q of X[m][q] * dY[q][out]`, where
//! row `m` is an input channel seen through one tap. The tile kernel computes it with the rows `m` as its rows and
//! the pixels as its depth: the input map is transposed to channel-major planes once, in which every tap of a channel is
//! a shifted view of the same plane (with stride s, of one of s interleaved planes), and the output gradient is packed
//! into panels. In bf16 a word is two neighbouring pixels.
//!
//! The work is cut, by the shape alone, into groups of photos and blocks of output channels; each pair is one task, and
//! the groups are added up in order. So the result has the same bits on any number of threads.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use rayon::prelude::*;

use super::axis::Axis;
use super::patch::Map;
use super::planes::Planes;
use super::transpose::{Pixels, transpose};
use crate::aligned::{AlignedWords, Word};
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::{Conv2dOptions, Conv2dShape};
use crate::shared::SharedSlice;
use crate::tile::{MAX_ROWS, Panel, Run, Tile, row_tiles};
use crate::vectorised::vectorised;

/// Pixels of depth that are multiplied at a time, roughly: enough that adding to the sums in memory costs little, few
/// enough that the planes stay in the second-level cache.
const CHUNK_PIXELS: usize = 448;

/// Words of the planes of a block of input channels, at most: a quarter of a second-level cache of 1 MiB.
const PLANES_WORDS: usize = 64 * 1024;

/// Output channels of a task, roughly: as each task transposes the input for itself, not too few.
const TASK_OUTPUTS: usize = 64;

/// Tasks to cut a layer into, at least, where it has the photos.
const MIN_TASKS: usize = 16;

/// A thread's memory, kept from task to task.
#[derive(Default)]
struct Scratch {
    patch: AlignedWords,
    planes: AlignedWords,
    panels: AlignedWords,
    runs: Vec<Run>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
    /// The groups' sums. Taken out while in use: a thread that waits for its tasks may begin another gradient.
    static SUMS: Cell<AlignedWords> = Cell::default();
}

/// What a task needs to know of the layer.
struct Product<'a, T> {
    isa: Isa,
    shape: &'a Conv2dShape,
    input: &'a [T],
    output_gradient: &'a [T],
    /// Rows of the product: input channels times taps, in the order of the weights.
    rows: usize,
}

/// Some output rows of some photos.
struct Chunk {
    photos: Range<usize>,
    rows: Range<usize>,
}

/// Writes the gradient to the weights, in their own layout.
pub(crate) fn weight_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    input: &[T],
    output_gradient: &[T],
    gradient: &mut [f32],
) {
    let Conv2dOptions { batch, inputs, outputs, kernel, .. } = *shape.options();
    let product = Product { isa, shape, input, output_gradient, rows: inputs * kernel.area() };
    let panels = T::tile_kernels(isa).panels(outputs);
    let blocks: Vec<&[Panel]> = panels.chunks((TASK_OUTPUTS / panels[0].width).max(1)).collect();
    let groups = MIN_TASKS.div_ceil(blocks.len()).min(batch);
    let group_len = product.rows * panels.iter().map(|panel| panel.width).sum::<usize>();

    let mut sums = SUMS.take();
    sums.reserve(groups * group_len);
    let all = SharedSlice::new(sums.as_mut_slice::<f32>(groups * group_len));
    let tasks: Vec<(usize, &[Panel])> =
        (0..groups).flat_map(|group| blocks.iter().map(move |&block| (group, block))).collect();
    tasks.into_par_iter().with_max_len(1).for_each(|(group, block)| {
        let photos = group * batch / groups..(group + 1) * batch / groups;
        let start = group * group_len + product.rows * block[0].first;
        let width: usize = block.iter().map(|panel| panel.width).sum();
        // SAFETY: every group and block of panels has its own part.
        let sums = unsafe { all.part(start..start + product.rows * width) };
        SCRATCH.with_borrow_mut(|scratch| product.run(photos, block, scratch, sums));
    });

    let sums_of_all = sums.as_slice::<f32>(groups * group_len);
    let gradient = SharedSlice::new(gradient);
    panels.par_iter().for_each(|panel| {
        let rows = product.rows;
        // SAFETY: every panel has its own output channels, which are rows of the gradient.
        let gradient = unsafe { gradient.part(panel.first * rows..(panel.first + panel.outputs) * rows) };
        let groups = (0..groups).map(|group| {
            let start = group * group_len + rows * panel.first;
            &sums_of_all[start..start + rows * panel.width]
        });
        add_groups(isa, groups.collect(), *panel, rows, gradient);
    });
    SUMS.set(sums);
}

impl<T: Element> Product<'_, T> {
    /// Sums over a group's photos for some panels.
    fn run(&self, photos: Range<usize>, panels: &[Panel], scratch: &mut Scratch, sums: &mut [f32]) {
        for (index, chunk) in self.chunks(photos).into_iter().enumerate() {
            self.run_chunk(&chunk, panels, index > 0, scratch, sums);
        }
    }

    fn chunks(&self, photos: Range<usize>) -> Vec<Chunk> {
        let positions = self.shape.output_map();
        let rows = (CHUNK_PIXELS / positions.width).clamp(1, positions.height);
        let photos_each = if rows < positions.height { 1 } else { (CHUNK_PIXELS / positions.area()).max(1) };
        let rows = positions.height.div_ceil(positions.height.div_ceil(rows));
        photos
            .clone()
            .step_by(photos_each)
            .flat_map(|photo| {
                let photos = photo..(photo + photos_each).min(photos.end);
                let firsts = (0..positions.height).step_by(rows);
                firsts.map(move |row| Chunk {
                    photos: photos.clone(),
                    rows: row..(row + rows).min(positions.height),
                })
            })
            .collect()
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
        let Conv2dOptions { map, inputs, kernel, stride, padding, .. } = *self.shape.options();
        let positions = self.shape.output_map();
        let words = positions.width.div_ceil(T::PER_WORD);
        let source = Map { pixels: self.input, extent: map, channels: inputs };
        let source_rows = Axis::forward(kernel.height, stride, padding, positions.height).span(&chunk.rows);
        let columns =
            Axis::forward(kernel.width, stride, padding, words * T::PER_WORD).span(&(0..words * T::PER_WORD));
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
                    // SAFETY: the panels before this one take so many words.
                    panel: unsafe { scratch.panels.as_ptr().add(rows * words * before) },
                    accumulate,
                };
                let taps = kernel.area();
                let start = self.rows * before + channels.start * taps * panel.width;
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
    /// Every run of every tap must lie within the planes and the panel.
    unsafe fn run_tiles(&self, operands: &Operands<'_, T>, panel: Panel, sums: &mut [f32]) {
        let kernels = T::tile_kernels(self.isa);
        let kernel = self.shape.options().kernel;
        for (first, count) in row_tiles(sums.len() / panel.width) {
            let mut rows = [operands.transposed.cast::<Word>(); MAX_ROWS];
            for (base, row) in rows.iter_mut().zip(first..first + count) {
                let (channel, tap) = (row / kernel.area(), row % kernel.area());
                let at = channel * operands.planes.step()
                    + operands.planes.tap(tap / kernel.width, tap % kernel.width);
                // SAFETY: the tap's first pixel lies in its channel's plane.
                *base = unsafe { operands.transposed.add(at) }.cast();
            }
            let tile = Tile {
                rows,
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

vectorised! {
    /// Packs a row of the output gradient: for each word of pixels, the panel's channels; zeros where there is none.
    fn pack_row<T: Element>(gradient: &[T], outputs: usize, panel: Panel, packed: &mut [T]) {
        let pixels = T::PER_WORD;
        let words = packed.chunks_exact_mut(panel.width * pixels).zip(gradient.chunks(outputs * pixels));
        for (to, from) in words {
            let channels = panel.first..panel.first + panel.outputs;
            let first = &from[channels.clone()];
            if pixels == 1 {
                to[..panel.outputs].copy_from_slice(first);
                to[panel.outputs..].fill(T::ZERO);
                continue;
            }
            to[panel.outputs * 2..].fill(T::ZERO);
            let pairs = to.chunks_exact_mut(2).zip(first);
            if from.len() > outputs {
                let second = &from[outputs..][channels];
                for ((pair, first), second) in pairs.zip(second) {
                    pair.copy_from_slice(&[*first, *second]);
                }
            } else {
                for (pair, first) in pairs {
                    pair.copy_from_slice(&[*first, T::ZERO]);
                }
            }
        }
    }
}

/// Adds up the groups' sums of a panel, in order, and turns its columns into rows of the gradient.
fn add_groups(isa: Isa, groups: Vec<&[f32]>, panel: Panel, rows: usize, gradient: &mut [f32]) {
    /// Rows at a time: a stretch that stays in the first-level cache.
    const STRETCH: usize = 64;
    let mut totals = vec![0.0; STRETCH * panel.width];
    for first in (0..rows).step_by(STRETCH) {
        let count = STRETCH.min(rows - first);
        let totals = &mut totals[..count * panel.width];
        let stretch = first * panel.width..(first + count) * panel.width;
        totals.copy_from_slice(&groups[0][stretch.clone()]);
        for group in &groups[1..] {
            add(isa, &group[stretch.clone()], totals);
        }
        let rows_as_pixels = Pixels { elements: totals, step: panel.width, count, channels: panel.outputs };
        transpose(isa, rows_as_pixels, &mut gradient[first..], rows);
    }
}

vectorised! {
    /// Adds `terms` to `totals`.
    fn add(terms: &[f32], totals: &mut [f32]) {
        for (total, term) in totals.iter_mut().zip(terms) {
            *total += term;
        }
    }
}
