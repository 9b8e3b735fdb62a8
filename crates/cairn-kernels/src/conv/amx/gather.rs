//! Forward and to the input: the gathering product on the tile unit.
//!
//! Rows of a tile are pixels, its depth is channels (of several taps, where there are few). A band's patch is laid
//! out once; then, panel by panel of 32 output channels, blocks of 32 positions are computed, each over its whole
//! depth, and finished while their sums are still in the first-level cache.

use super::patch::{Layout, View};
use super::run_depth;
use crate::aligned::{AlignedWords, Word};
use crate::conv::axis::{Axis, Sweep};
use crate::conv::bands::{Band, bands};
use crate::conv::epilogue::finish_tile;
use crate::conv::gather::Gather;
use crate::conv::panel::PackedPanel;
use crate::conv::patch::Map;
use crate::disjoint_slice::DisjointSlice;
use crate::element::Element;
use crate::memory::with_scratch;
use crate::microkernel::amx::{BLOCK_ROWS, BLOCK_TILES, Block, ROW_WORDS, TILE_ROWS, TileShape, TileUnit};
use crate::microkernel::{Panel, Run};
use crate::shape::Extent;
use crate::team::spread;

/// Positions of a band, roughly: sixteen blocks, so that a panel's weights are rarely read from beyond the cache.
const BAND_POSITIONS: usize = 512;

/// Words of a patch, at most, unless a single row of destinations needs more: with the weights of a panel, half of the
/// second-level cache of 2 MiB that processors with AMX have.
const PATCH_WORDS: usize = 192 * 1024;

/// Marks a position that has no destination.
const NOWHERE: usize = usize::MAX;

/// A thread's memory, kept from band to band.
#[derive(Default)]
struct Scratch {
    patch: AlignedWords,
    sums: AlignedWords,
    runs: Vec<Run>,
    /// Each position's index in the destination map.
    destinations: Vec<usize>,
}

/// A band's pixels as the unit reads them.
struct Pixels {
    layout: Layout,
    /// What the first tap reads for the first position.
    base: *const Word,
    /// Words from one position to the next.
    step: usize,
}

/// Computes a gathering product into `output`.
pub(in crate::conv) fn gather<U: TileUnit, T: Element>(gather: &Gather<'_, T>, output: &mut [T]) {
    let column = as_column(gather);
    let gather = column.as_ref().unwrap_or(gather);
    let output = DisjointSlice::new(output);
    let rows_of = |sweep: &Sweep| {
        let columns = sweep.columns.span(&(0..sweep.columns.count)).count.max(1);
        let row_words = columns * sweep.rows.source_step * gather.weights.source_words;
        (BAND_POSITIONS / sweep.columns.count).min(PATCH_WORDS / row_words)
    };
    let bands = bands(&gather.sweeps, gather.batch, gather.weights.panels.len(), rows_of);
    spread(bands.len(), |band| {
        with_scratch(|scratch: &mut Scratch| {
            // SAFETY: the process may use the unit, since `Isa::tile_unit` named it; no two bands have a pixel and a
            // panel in common.
            unsafe { run_band::<U, T>(gather, &bands[band], scratch, output) }
        });
    });
}

/// A convolution that reads every pixel for itself alone sees the maps of a batch as one long column, which needs
/// no patch.
fn as_column<'a, T: Element>(gather: &Gather<'a, T>) -> Option<Gather<'a, T>> {
    let [Sweep { rows, columns }] = gather.sweeps[..] else { return None };
    let itself = |axis: Axis, extent: usize| axis == Axis::forward(1, 1, 0, extent);
    let source = gather.source;
    if !itself(rows, source.extent.height) || !itself(columns, source.extent.width) {
        return None;
    }
    let extent = Extent { height: gather.batch * source.extent.area(), width: 1 };
    let axis = |positions: usize| Axis::forward(1, 1, 0, positions);
    Some(Gather {
        source: Map { extent, ..source },
        batch: 1,
        sweeps: vec![Sweep { rows: axis(extent.height), columns: axis(1) }],
        destination: extent,
        ..*gather
    })
}

/// # Safety
/// The process must be allowed to use the unit, and nothing else may use the band's part of `output`.
unsafe fn run_band<U: TileUnit, T: Element>(
    gather: &Gather<'_, T>,
    band: &Band,
    scratch: &mut Scratch,
    output: DisjointSlice<'_, T>,
) {
    let Sweep { rows, columns } = band.sweep;
    let pixel = gather.weights.source_words;
    let pixels = lay_out(gather, band, &mut scratch.patch);
    list_destinations(gather, band, pixels.layout.pitch() / columns.source_step, &mut scratch.destinations);
    let positions = scratch.destinations.len();
    let tile_rows = positions.min(TILE_ROWS);
    let run_words = columns.taps * pixel;
    let depth = run_depth(run_words);
    scratch.sums.reserve(BLOCK_ROWS * BLOCK_TILES * ROW_WORDS);
    let sums = scratch.sums.as_mut_ptr().cast::<f32>();
    // SAFETY: as the caller promises.
    let mut unit = unsafe { U::configured(TileShape { rows: tile_rows, depth }) };

    for &PackedPanel { panel, start } in &gather.weights.panels[band.panels.clone()] {
        scratch.runs.clear();
        for row in 0..rows.taps {
            let tap = (rows.first_tap + row) * gather.kernel_width + columns.first_tap;
            let (x, w) = (pixels.layout.tap(row, 0) * pixel, tap * pixel);
            let parts = (0..run_words).step_by(depth);
            scratch.runs.extend(parts.map(|part| Run { x: x + part, w: (w + part) * panel.width }));
        }
        for first in (0..positions).step_by(BLOCK_ROWS) {
            // The last tiles are moved back so that they end with the last position; some are computed twice.
            let row_tiles = (positions - first).div_ceil(TILE_ROWS).min(BLOCK_TILES);
            let firsts = [first, first + TILE_ROWS].map(|first| first.min(positions - tile_rows));
            let sums = [sums, sums.wrapping_add(TILE_ROWS * panel.width)];
            let block = Block {
                // A phase of a gradient without taps has no patch: its addresses are not read.
                rows: firsts.map(|first| pixels.base.wrapping_add(first * pixels.step)),
                row_step: pixels.step,
                runs: &scratch.runs,
                panel: gather.weights.words.as_ptr().wrapping_add(start),
                sums,
                sum_step: panel.width,
                accumulate: false,
            };
            // SAFETY: every position is in the patch or the map, and a tap's offset leads from it to a pixel
            // there, which a run leaves only for those of the next taps; the weights have a line of the panel for
            // each word; the sums have room for two tiles of rows.
            unsafe { unit.multiply(&block, row_tiles, panel.width / ROW_WORDS) };
            for (first, sums) in firsts.into_iter().zip(sums).take(row_tiles) {
                // SAFETY: just written, as many rows.
                let sums = unsafe { std::slice::from_raw_parts(sums, tile_rows * panel.width) };
                let destinations = &scratch.destinations[first..first + tile_rows];
                // SAFETY: the caller vouches for the band's pixels and this panel.
                unsafe { finish(gather, sums, panel, destinations, output) };
            }
        }
    }
}

/// Finishes a tile's positions, stretch by stretch of those that have a destination.
///
/// # Safety
/// While this runs, nothing else may use the part of `output` that belongs to the destinations and the panel.
unsafe fn finish<T: Element>(
    gather: &Gather<'_, T>,
    sums: &[f32],
    panel: Panel,
    destinations: &[usize],
    output: DisjointSlice<'_, T>,
) {
    let mut done = 0;
    for stretch in destinations.chunk_by(|a, b| (*a == NOWHERE) == (*b == NOWHERE)) {
        if stretch[0] != NOWHERE {
            let (isa, channels) = (gather.weights.isa, gather.destination_channels);
            let sums = &sums[done * panel.width..][..stretch.len() * panel.width];
            // SAFETY: as the caller promises.
            unsafe { finish_tile(isa, sums, panel, stretch, channels, gather.epilogue, output) };
        }
        done += stretch.len();
    }
}

/// Lays out the band's source pixels, in the patch unless they can be read where they are.
fn lay_out<T: Element>(gather: &Gather<'_, T>, band: &Band, patch: &mut AlignedWords) -> Pixels {
    let Sweep { rows, columns } = band.sweep;
    let source = &gather.source;
    let pixel = gather.weights.source_words;
    let step = columns.source_step * pixel;
    let (row_span, column_span) = (rows.span(&band.rows), columns.span(&(0..columns.count)));
    // A phase of a gradient may have no taps. Then nothing is read, and its place may be past the map.
    let reads = rows.taps * columns.taps > 0;
    let in_place = reads
        && rows.stays_inside(source.extent.height)
        && columns.stays_inside(source.extent.width)
        && columns.source_step == 1
        && band.photos.len() == 1
        && pixel * T::PER_WORD == source.channels;
    if in_place {
        let row = band.photos.start * source.extent.height + row_span.first as usize;
        let first = row * source.extent.width + column_span.first as usize;
        let base = source.pixels[first * source.channels..].as_ptr().cast();
        return Pixels { layout: Layout::of_map(source.extent.width), base, step };
    }
    let layout = Layout::of_pixels(View {
        photos: band.photos.clone(),
        rows: row_span,
        columns: column_span,
        taps: Extent { height: rows.taps, width: columns.taps },
        stride: columns.source_step,
        width: source.extent.width,
    });
    patch.reserve(layout.pixels() * pixel);
    if reads {
        let elements = pixel * T::PER_WORD;
        layout.fill(source, 0..source.channels, elements, patch.as_mut_slice(layout.pixels() * elements));
    }
    Pixels { layout, base: patch.as_ptr(), step }
}

/// Lists the destinations of all positions, from the first to the last that has one.
fn list_destinations<T: Element>(
    gather: &Gather<'_, T>,
    band: &Band,
    line: usize,
    destinations: &mut Vec<usize>,
) {
    let Sweep { rows, columns } = band.sweep;
    let Extent { height, width } = gather.destination;
    destinations.clear();
    for y in band.rows.clone() {
        for photo in band.photos.clone() {
            let first = (photo * height + rows.first + y * rows.step) * width + columns.first;
            destinations.resize(destinations.len().next_multiple_of(line), NOWHERE);
            destinations.extend((0..columns.count).map(|x| first + x * columns.step));
        }
    }
}
