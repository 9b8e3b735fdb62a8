//! The gradient to the weights on the tile unit.
//!
//! Rows of a tile are input channels seen through one tap, its depth is pixels, two to a word: channel-major planes of
//! the input and panels of the output gradient, as [elsewhere](crate::conv::weight_gradient). But here lines follow each other
//! without an end that matters: the output gradient is packed with as many pixels a line as the planes have, zeros beyond
//! its own, so that the depth is one run over all lines and photos of a chunk.

use std::cell::RefCell;
use std::ops::Range;

use super::patch::{Layout, View};
use crate::aligned::{AlignedWords, Word};
use crate::conv::axis::Axis;
use crate::conv::groups::{Chunk, PixelProduct, chunks};
use crate::conv::patch::Map;
use crate::conv::transpose::{Pixels, transpose};
use crate::conv::weight_gradient::{Product, pack_row};
use crate::element::Element;
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};
use crate::tile::amx::{BLOCK_ROWS, BLOCK_TILES, Block, ROW_WORDS, TILE_ROWS, TileShape, TileUnit};
use crate::tile::{self, Panel, Run};

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

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// What the rows of the product are.
#[derive(Clone, Copy, Debug)]
struct Rows {
    /// Input channels. A few channels fill no tile; then those of all taps of a kernel row, which lie together in the map,
    /// count as the channels of one tap.
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
pub(in crate::conv) fn weight_gradient_on<U: TileUnit, T: Element>(
    product: &Product<'_, T>,
    gradient: &mut [f32],
) {
    let Conv2dOptions { batch, inputs, outputs, kernel, .. } = *product.shape.options();
    let rows = Rows::of(product.shape);
    let panels = tile::panels::<T>(product.isa, outputs);
    let pixel_product = PixelProduct {
        isa: product.isa,
        batch,
        panels: &panels,
        rows: rows.channels.next_multiple_of(TILE_ROWS) * rows.taps.area(),
        rows_kept: rows.channels * rows.taps.area(),
        task_outputs: TASK_OUTPUTS,
    };
    let task = |photos: Range<usize>, panels: &[Panel], sums: &mut [f32]| {
        SCRATCH.with_borrow_mut(|scratch| run_task::<U, T>(product, rows, photos, panels, scratch, sums));
    };
    if rows.taps == kernel {
        return pixel_product.sum(task, gradient);
    }
    let mut by_kernel_row = vec![0.0; gradient.len()];
    pixel_product.sum(task, &mut by_kernel_row);
    let filter = inputs * kernel.area();
    for (to, from) in gradient.chunks_exact_mut(filter).zip(by_kernel_row.chunks_exact(filter)) {
        for (at, to) in to.iter_mut().enumerate() {
            let (channel, y, x) = (at / kernel.area(), at / kernel.width % kernel.height, at % kernel.width);
            *to = from[(x * inputs + channel) * kernel.height + y];
        }
    }
}

/// Sums over some photos for some panels.
fn run_task<U: TileUnit, T: Element>(
    product: &Product<'_, T>,
    rows: Rows,
    photos: Range<usize>,
    panels: &[Panel],
    scratch: &mut Scratch,
    sums: &mut [f32],
) {
    // SAFETY: the machine has the unit, since `Isa::tile_unit` named it.
    let mut unit = unsafe { U::configured(TileShape { rows: TILE_ROWS, depth: ROW_WORDS }) };
    let chunks = chunks(photos, product.shape.output_map(), CHUNK_PIXELS);
    for (index, chunk) in chunks.into_iter().enumerate() {
        run_chunk(&mut unit, product, rows, &chunk, panels, index > 0, scratch, sums);
    }
}

/// Adds (or, the first time, sets) what some pixels contribute, a block of input channels after the other.
#[allow(clippy::too_many_arguments)]
fn run_chunk<U: TileUnit, T: Element>(
    unit: &mut U,
    product: &Product<'_, T>,
    rows: Rows,
    chunk: &Chunk,
    panels: &[Panel],
    accumulate: bool,
    scratch: &mut Scratch,
    sums: &mut [f32],
) {
    let Conv2dOptions { map, inputs, stride, padding, .. } = *product.shape.options();
    let positions = product.shape.output_map();
    let axis = |taps: usize, positions: usize| Axis::forward(taps, stride, padding, positions);
    let layout = Layout::of_planes(View {
        photos: chunk.photos.clone(),
        rows: axis(rows.taps.height, positions.height).span(&chunk.rows),
        columns: axis(rows.taps.width, positions.width).span(&(0..positions.width)),
        taps: rows.taps,
        stride,
        width: map.width,
    });
    let depth = pack_panels(product, chunk, panels, layout.pitch(), &mut scratch.panels);
    // An odd number of cache lines from plane to plane keeps them off the same sets.
    let plane = layout.pixels().next_multiple_of(64) + 32;
    let block = (PLANES_WORDS * T::PER_WORD / plane / BLOCK_ROWS * BLOCK_ROWS)
        .clamp(BLOCK_ROWS, rows.channels.next_multiple_of(BLOCK_ROWS));
    scratch.patch.reserve((layout.pixels() * block).div_ceil(T::PER_WORD));
    scratch.planes.reserve(plane * block / T::PER_WORD);
    let taps = rows.taps.area();
    let source = Map { pixels: product.input, extent: map, channels: inputs };
    for first_channel in (0..rows.channels).step_by(block) {
        let channels = first_channel..(first_channel + block).min(rows.channels);
        let (count, len) = (layout.pixels(), channels.len());
        let patch = scratch.patch.as_mut_slice::<T>(count * len);
        layout.fill(&source, channels.clone(), len, patch);
        let pixels = Pixels { elements: patch, step: len, count, channels: len };
        transpose(product.isa, pixels, scratch.planes.as_mut_slice(plane * block), plane);
        let planes = scratch.planes.as_ptr().cast::<T>();

        let mut panel_start = 0;
        for panel in panels {
            scratch.runs.clear();
            let steps = (0..depth).step_by(ROW_WORDS);
            scratch.runs.extend(steps.map(|word| Run { x: word, w: panel_start + word * panel.width }));
            panel_start += depth * panel.width;
            let panel_rows = sums.len() / panels.iter().map(|panel| panel.width).sum::<usize>();
            let panel_sums =
                &mut sums[(panel.first - panels[0].first) * panel_rows..][..panel_rows * panel.width];
            let sum_step = taps * panel.width;
            for channel in (0..len).step_by(BLOCK_ROWS) {
                let row_tiles = (len - channel).div_ceil(TILE_ROWS).min(BLOCK_TILES);
                for tap in 0..taps {
                    let at = (first_channel + channel) * sum_step + tap * panel.width;
                    let room = (row_tiles * TILE_ROWS - 1) * sum_step + panel.width;
                    let sums = panel_sums[at..at + room].as_mut_ptr();
                    let offset = layout.tap(tap / rows.taps.width, tap % rows.taps.width);
                    let row_at =
                        |channel: usize| planes.wrapping_add(channel * plane + offset).cast::<Word>();
                    let block = Block {
                        rows: [row_at(channel), row_at(channel + TILE_ROWS)],
                        row_step: plane / T::PER_WORD,
                        runs: &scratch.runs,
                        panel: scratch.panels.as_ptr(),
                        sums: [sums, sums.wrapping_add(TILE_ROWS * sum_step)],
                        sum_step,
                        accumulate,
                    };
                    // SAFETY: there are planes for whole tiles of channels, though what the last ones hold is left from
                    // before, as are their sums; a tap's offset and the depth lead to the end of a plane at
                    // most, by the layout's tail; the panels are as deep, and the sums' slice was just cut to the block.
                    unsafe { block.multiply(unit, row_tiles, panel.width / ROW_WORDS) };
                }
            }
        }
    }
}

/// Packs the output gradient of a chunk, panel after panel, in lines of `pitch` pixels. Returns the words of depth:
/// whole tiles, zeros beyond the last line.
fn pack_panels<T: Element>(
    product: &Product<'_, T>,
    chunk: &Chunk,
    panels: &[Panel],
    pitch: usize,
    packed: &mut AlignedWords,
) -> usize {
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
