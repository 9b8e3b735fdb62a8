//! The product forward and to the input.

use std::ops::Range;

use super::square::Square;
use super::tiling::{PIXELS, POSITIONS, SIDE, Tiling, blocks, with_block};
use super::transforms::{self, Lanes, square};
use crate::aligned::{AlignedWords, Word};
use crate::clamp::Bounds;
use crate::conv::epilogue::Epilogue;
use crate::conv::pack::PackedWeights;
use crate::conv::panel::PackedPanel;
use crate::conv::patch::Map;
use crate::disjoint_slice::DisjointSlice;
use crate::element::Element;
use crate::memory::with_scratch;
use crate::microkernel::{MAX_ROWS, Panel, Run, Tile, TileElement, row_tiles};
use crate::shape::Extent;
use crate::team::spread;
use crate::vectorised::vectorised;

/// Words of a band's tiles and their sums: they stay in a second-level cache of 1 MiB.
const BAND_WORDS: usize = 160 * 1024;

/// Columns of a panel, roughly.
const PANEL: usize = 64;

/// Tasks to make at least, where the layer allows: panels are spread over tasks when there are few bands.
const MIN_TASKS: usize = 8;

/// A 3x3 convolution with stride 1 from one map to another.
pub(in crate::conv) struct Product<'a, T> {
    pub(in crate::conv) source: Map<'a, T>,
    pub(in crate::conv) batch: usize,
    pub(in crate::conv) padding: usize,
    pub(in crate::conv) weights: &'a PackedWeights<T>,
    pub(in crate::conv) destination: Extent,
    pub(in crate::conv) destination_channels: usize,
    pub(in crate::conv) epilogue: Epilogue<'a, T>,
}

/// Some tiles, and some panels of their channels.
struct Band {
    tiles: Range<usize>,
    panels: Range<usize>,
}

/// A thread's memory, kept from band to band.
#[derive(Default)]
struct Scratch {
    /// `[positions, tiles, source channels]`
    tiles: AlignedWords,
    /// `[positions, tiles, panel]`
    sums: AlignedWords,
}

impl<T: Element> Product<'_, T> {
    /// Computes the product into `output`.
    pub(in crate::conv) fn run(&self, output: &mut [T]) {
        let output = DisjointSlice::new(output);
        let bands = self.bands();
        spread(bands.len(), |band| {
            with_scratch(|scratch: &mut Scratch| {
                // SAFETY: no two bands have a tile and a panel in common.
                unsafe { self.run_band(&bands[band], scratch, output) }
            });
        });
    }

    fn tiling(&self) -> Tiling {
        Tiling::of(self.destination)
    }

    /// With few channels, many tiles stay in cache. With many channels a band must have enough tiles to make up for reading
    /// the weights, which come from beyond the cache.
    fn bands(&self) -> Vec<Band> {
        let (tiles, panels) = (self.batch * self.tiling().tiles(), self.weights.panels.len());
        let fitting = BAND_WORDS / (POSITIONS * (self.source.channels + PANEL));
        let each = fitting.max(self.source.channels / 4).next_multiple_of(MAX_ROWS);
        let count = tiles.div_ceil(each);
        let panels_each = (panels * count).div_ceil(MIN_TASKS).clamp(1, panels);
        (0..count)
            .flat_map(|band| {
                let tiles = band * each..((band + 1) * each).min(tiles);
                (0..panels).step_by(panels_each).map(move |panel| Band {
                    tiles: tiles.clone(),
                    panels: panel..(panel + panels_each).min(panels),
                })
            })
            .collect()
    }

    /// # Safety
    /// While this runs, nothing else may use the band's part of `output`: its tiles, its panels' channels.
    unsafe fn run_band(&self, band: &Band, scratch: &mut Scratch, output: DisjointSlice<'_, T>) {
        let isa = self.weights.isa;
        let tiles = band.tiles.len();
        let len = POSITIONS * tiles * self.source.channels;
        scratch.tiles.reserve(len);
        let transformed = scratch.tiles.as_mut_slice::<f32>(len);
        transform_tiles(isa, self.source, self.tiling(), self.padding, band.tiles.clone(), transformed);
        for packed in &self.weights.panels[band.panels.clone()] {
            self.multiply(packed, tiles, scratch);
            let sums = scratch.sums.as_slice::<f32>(POSITIONS * tiles * packed.panel.width);
            // SAFETY: as the caller promises.
            unsafe { finish_tiles(isa, self, packed.panel, band.tiles.clone(), sums, output) };
        }
    }

    /// The sums of a panel: for every position, tiles times weights.
    fn multiply(&self, &PackedPanel { panel, start }: &PackedPanel, tiles: usize, scratch: &mut Scratch) {
        let kernels = f32::microkernels(self.weights.isa);
        let words = self.source.channels;
        scratch.sums.reserve(POSITIONS * tiles * panel.width);
        let sums = scratch.sums.as_mut_ptr().cast::<f32>();
        for position in 0..POSITIONS {
            for (first, count) in row_tiles(tiles) {
                let at = |row: usize| (position * tiles + first + row) * words;
                let rows: [*const Word; MAX_ROWS] = std::array::from_fn(|row| {
                    // SAFETY: the tile is one of the band's; rows past the last are not looked at.
                    unsafe { scratch.tiles.as_ptr().add(at(row.min(count - 1))) }
                });
                let tile = Tile {
                    rows: &rows,
                    runs: &[Run { x: 0, w: 0 }],
                    depth: words,
                    step: 1,
                    // SAFETY: the panel's weights hold every position.
                    w: unsafe { self.weights.words.as_ptr().add(start + position * words * panel.width) },
                    // SAFETY: room was made for every position and tile.
                    c: unsafe { sums.add((position * tiles + first) * panel.width) },
                    accumulate: false,
                };
                // SAFETY: the instruction set is there, since its kernels are; every row has `words` words, and the
                // panel's weights have as many rows.
                unsafe { kernels.get(count, panel.width)(&tile) };
            }
        }
    }
}

vectorised! {
    /// Brings tiles into the basis: `[positions, tiles, channels]`.
    pub(super) fn transform_tiles<T: Element>(
        source: Map<'_, T>,
        tiling: Tiling,
        padding: usize,
        tiles: Range<usize>,
        transformed: &mut [f32],
    ) {
        let channels = source.channels;
        let pitch = tiles.len() * channels;
        for (index, tile) in tiles.enumerate() {
            let (photo, row, column) = tiling.locate(tile);
            for (first, width) in blocks(source.channels) {
                let to = &mut transformed[index * channels + first..];
                let [row, column] = [row, column].map(|at| at as isize - padding as isize);
                let pixels = Square { map: source, photo, row, column, first };
                with_block!(width, transform_block::<T>(pixels, pitch, to));
            }
        }
    }
}

#[inline(always)]
fn transform_block<T: Element, const L: usize>(pixels: Square<'_, T>, pitch: usize, to: &mut [f32]) {
    square(
        |y, x| pixels.pixel::<L>(y, x),
        transforms::input,
        |position, values| {
            to[position * pitch..position * pitch + L].copy_from_slice(values);
        },
    );
}

vectorised! {
    /// Brings the sums of a panel back to pixels, finishes them and stores those in the map.
    ///
    /// # Safety
    /// While this runs, nothing else may use the part of `output` that belongs to these tiles and the panel.
    unsafe fn finish_tiles<T: Element>(
        product: &Product<'_, T>,
        panel: Panel,
        tiles: Range<usize>,
        sums: &[f32],
        output: DisjointSlice<'_, T>,
    ) {
        let pitch = tiles.len() * panel.width;
        let bounds = product.epilogue.activation.bounds();
        let tiling = product.tiling();
        for (index, tile) in tiles.enumerate() {
            let place = tiling.locate(tile);
            for (first, width) in blocks(panel.outputs) {
                let sums = &sums[index * panel.width + first..];
                let channel = panel.first + first;
                // SAFETY: as the caller promises.
                unsafe {
                    with_block!(width, finish_block::<T>(product, bounds, place, channel, pitch, sums, output));
                }
            }
        }
    }
}

/// # Safety
/// While this runs, nothing else may use the part of `output` that belongs to this tile and its `L` channels.
#[inline(always)]
unsafe fn finish_block<T: Element, const L: usize>(
    product: &Product<'_, T>,
    bounds: Bounds,
    (photo, row, column): (usize, usize, usize),
    channel: usize,
    pitch: usize,
    sums: &[f32],
    output: DisjointSlice<'_, T>,
) {
    let Extent { height, width } = product.destination;
    let mut bias = [0.0; L];
    if let Some(all) = product.epilogue.bias {
        bias.copy_from_slice(&all[channel..channel + L]);
    }
    let lanes = |row: usize, column: usize| -> Lanes<L> {
        let position = row * SIDE + column;
        let mut lanes = [0.0; L];
        lanes.copy_from_slice(&sums[position * pitch..position * pitch + L]);
        lanes
    };
    square(lanes, transforms::output, |index, values| {
        let (y, x) = (row + index / PIXELS, column + index % PIXELS);
        if y >= height || x >= width {
            return;
        }
        let at = ((photo * height + y) * width + x) * product.destination_channels + channel;
        // SAFETY: nothing else uses this part, as the caller promises.
        let to = unsafe { output.part(at..at + L) };
        match product.epilogue.residual {
            None => {
                for lane in 0..L {
                    to[lane] = T::from_f32(bounds.clamp(values[lane] + bias[lane]));
                }
            }
            Some(residual) => {
                let residual = &residual[at..at + L];
                for lane in 0..L {
                    let sum = values[lane] + bias[lane] + residual[lane].to_f32();
                    to[lane] = T::from_f32(bounds.clamp(sum));
                }
            }
        }
    });
}
