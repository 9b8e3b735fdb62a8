//! Forward and to the input: the gathering product on vector instructions.
//!
//! The destination map is cut into bands: some rows of a photo, or some whole photos where they are small. For each
//! band the source pixels are copied into a padded patch that stays in the second-level cache (no copy where nothing
//! needs padding), and then, panel by panel of output channels and slab by slab of weights, the tile kernel runs over
//! the band's pixels, six at a time, across rows and photos.

use crate::aligned::{AlignedWords, Word};
use crate::conv::axis::Sweep;
use crate::conv::bands::{Band, bands};
use crate::conv::epilogue::finish_tile;
use crate::conv::gather::Gather;
use crate::conv::panel::PackedPanel;
use crate::conv::patch::{copy_patch, patch_len};
use crate::disjoint_slice::DisjointSlice;
use crate::element::Element;
use crate::memory::with_scratch;
use crate::microkernel::{Finish, MAX_ROWS, Panel, Run, Tile, row_tiles};
use crate::shape::Extent;
use crate::team::spread;

/// Destination pixels of a band, roughly: so many that a slab of weights is rarely read from beyond the cache, and so few
/// that their patch fits into the second-level cache.
const BAND_PIXELS: usize = 392;

/// Elements of a patch, at most, unless a single row of destinations needs more.
const PATCH_WORDS: usize = 128 * 1024;

/// Words of a slab of weights, at most: a quarter of a second-level cache of 1 MiB.
const SLAB_WORDS: usize = 80 * 1024;

/// The bias of a panel that has none.
const NO_BIAS: &[f32] = &[0.0; 256];

/// A part of the depth of a panel: its weights stay in cache for all pixels of the band.
#[derive(Clone, Debug)]
struct Slab {
    runs: Vec<Run>,
    depth: usize,
}

/// A thread's memory, kept from band to band.
#[derive(Default)]
struct Scratch {
    patch: AlignedWords,
    sums: AlignedWords,
    /// Each pixel's first word in the source.
    sources: Vec<usize>,
    /// Each pixel's index in the destination map.
    destinations: Vec<usize>,
}

/// Computes a gathering product into `output`.
pub(in crate::conv) fn gather<T: Element>(gather: &Gather<'_, T>, output: &mut [T]) {
    let output = DisjointSlice::new(output);
    let panels = gather.weights.panels.len();
    let bands = bands(&gather.sweeps, gather.batch, panels, |sweep| gather.rows_of(sweep));
    spread(bands.len(), |band| {
        with_scratch(|scratch: &mut Scratch| {
            // SAFETY: no two bands have a pixel and a panel in common.
            unsafe { gather.run_band(&bands[band], scratch, output) }
        });
    });
}

impl<T: Element> Gather<'_, T> {
    /// Rows of a band, at most.
    fn rows_of(&self, sweep: &Sweep) -> usize {
        let row_words = self.patch_pitch(sweep) * sweep.rows.source_step;
        (BAND_PIXELS / sweep.columns.count).min(PATCH_WORDS / row_words.max(1))
    }

    fn patch_pitch(&self, sweep: &Sweep) -> usize {
        sweep.columns.span(&(0..sweep.columns.count)).count * self.weights.source_words
    }

    /// # Safety
    /// While this runs, nothing else may use the band's part of `output`: its pixels, its panels' channels.
    unsafe fn run_band(&self, band: &Band, scratch: &mut Scratch, output: DisjointSlice<'_, T>) {
        let (pitch, source) = self.locate_pixels(band, scratch);
        for packed in &self.weights.panels[band.panels.clone()] {
            // SAFETY: the pixels have just been located, and the caller vouches for the band's part of the output.
            unsafe { self.run_panel(band, packed, pitch, source, scratch, output) };
        }
    }

    /// Finds the source and destination of every pixel of the band, copying the sources into the patch where they need
    /// padding. Returns the words of a row of sources and where the sources begin.
    fn locate_pixels(&self, band: &Band, scratch: &mut Scratch) -> (usize, *const Word) {
        let Sweep { rows, columns } = band.sweep;
        let pixel = self.weights.source_words;
        let Extent { height, width } = self.source.extent;
        // A phase of a gradient may have no taps. Then nothing is read, and its place may be outside of the map.
        let reads = rows.taps * columns.taps > 0;
        let in_place = reads
            && rows.stays_inside(height)
            && columns.stays_inside(width)
            && pixel * T::PER_WORD == self.source.channels;
        // Words of a row and a photo of the sources, and before the first pixel of the band.
        let (pitch, photo, start, base) = if in_place {
            let (pitch, photo) = (width * pixel, height * width * pixel);
            let first_row = rows.span(&band.rows).first as usize;
            let start = band.photos.start * photo + first_row * pitch + columns.source_first as usize * pixel;
            (pitch, photo, start, self.source.pixels.as_ptr().cast())
        } else {
            let (row_span, column_span) = (rows.span(&band.rows), columns.span(&(0..columns.count)));
            let len = patch_len(&self.source, band.photos.len(), row_span, column_span);
            scratch.patch.reserve(len.div_ceil(T::PER_WORD));
            let patch = scratch.patch.as_mut_slice(len);
            copy_patch(&self.source, band.photos.clone(), row_span, column_span, patch);
            let pitch = column_span.count * pixel;
            (pitch, row_span.count * pitch, 0, scratch.patch.as_ptr())
        };
        scratch.sources.clear();
        scratch.destinations.clear();
        for n in 0..band.photos.len() {
            for y in 0..band.rows.len() {
                let source = start + n * photo + y * rows.source_step * pitch;
                let row = rows.first + (band.rows.start + y) * rows.step;
                let row = (band.photos.start + n) * self.destination.height + row;
                let destination = row * self.destination.width + columns.first;
                let step = if reads { columns.source_step * pixel } else { 0 };
                let source = if reads { source } else { 0 };
                scratch.sources.extend((0..columns.count).map(|x| source + x * step));
                scratch.destinations.extend((0..columns.count).map(|x| destination + x * columns.step));
            }
        }
        (pitch, base)
    }

    /// # Safety
    /// `pitch`, `source` and the pixels in `scratch` must be the band's, see [`Self::locate_pixels`], and nothing
    /// else may use the part of `output` that belongs to these pixels and the panel's channels.
    unsafe fn run_panel(
        &self,
        band: &Band,
        packed: &PackedPanel,
        pitch: usize,
        source: *const Word,
        scratch: &mut Scratch,
        output: DisjointSlice<'_, T>,
    ) {
        let PackedPanel { panel, start } = *packed;
        let isa = self.weights.isa;
        let kernels = T::microkernels(isa);
        let slabs = self.slabs(&band.sweep, pitch, panel.width);
        let finish = self.finish(panel, output);
        // Sums of unfinished pixels wait in memory; with a single slab there are none, and one tile's room is reused.
        let one_slab = slabs.len() == 1;
        let kept = if one_slab { MAX_ROWS } else { scratch.destinations.len() };
        scratch.sums.reserve(kept * panel.width);
        for (index, slab) in slabs.iter().enumerate() {
            for (first, count) in row_tiles(scratch.destinations.len()) {
                let sums_at = if one_slab { 0 } else { first * panel.width };
                let mut rows = [source; MAX_ROWS];
                for (row, offset) in rows.iter_mut().zip(&scratch.sources[first..first + count]) {
                    // SAFETY: the pixel is in the patch or the source map, or at its begin where nothing is read.
                    *row = unsafe { source.add(*offset) };
                }
                let tile = Tile {
                    rows: &rows,
                    runs: &slab.runs,
                    depth: slab.depth,
                    step: 1,
                    // SAFETY: the panel is in the packed weights.
                    w: unsafe { self.weights.words.as_ptr().add(start) },
                    // SAFETY: room was made for `kept` rows of sums above.
                    c: unsafe { scratch.sums.as_mut_ptr().cast::<f32>().add(sums_at) },
                    accumulate: index > 0,
                };
                let last = index + 1 == slabs.len();
                if last
                    && let Some(finish) = finish
                    && let Some(kernel) =
                        kernels.finishing(count, panel.width, self.epilogue.residual.is_some())
                {
                    let pixels = scratch.destinations[first..first + count].as_ptr();
                    let finish = Finish { pixels, ..finish };
                    // SAFETY: as below; the map has the pixels, and the caller vouches for this panel of them.
                    unsafe { kernel(&tile, &finish) };
                    continue;
                }
                // SAFETY: the instruction set is there, since its kernels are. Each pixel's runs end within
                // the patch (or the map), by the definition of `Axis::span`, and within the panel's weights.
                unsafe { kernels.get(count, panel.width)(&tile) };
                if last {
                    let sums = &scratch.sums.as_slice::<f32>(sums_at + count * panel.width)[sums_at..];
                    let pixels = &scratch.destinations[first..first + count];
                    let (channels, epilogue) = (self.destination_channels, self.epilogue);
                    // SAFETY: the caller vouches for the band's pixels and this panel.
                    unsafe { finish_tile(isa, sums, panel, pixels, channels, epilogue, output) };
                }
            }
        }
    }

    /// How a panel's tiles end in the registers, where the map's type is one for that and the panel's last vector is whole.
    fn finish(&self, panel: Panel, output: DisjointSlice<'_, T>) -> Option<Finish> {
        let bias = match self.epilogue.bias {
            Some(bias) => &bias[panel.first..][..panel.outputs],
            None => &NO_BIAS[..panel.outputs],
        };
        (panel.outputs == panel.width).then_some(())?;
        Some(Finish {
            pixels: std::ptr::null(),
            channels: self.destination_channels,
            first: panel.first,
            bias: bias.as_ptr(),
            residual: match self.epilogue.residual {
                Some(residual) => T::as_bf16(residual)?.as_ptr(),
                None => std::ptr::null(),
            },
            bounds: self.epilogue.activation.bounds(),
            output: T::bf16_address(output.start())?,
        })
    }

    /// Cuts a panel's weights into slabs: whole kernel rows, or parts of one where even that is too much.
    fn slabs(&self, sweep: &Sweep, pitch: usize, width: usize) -> Vec<Slab> {
        let words = self.weights.source_words;
        let depth = sweep.columns.taps * words;
        let run = |row: usize| {
            let tap = (sweep.rows.first_tap + row) * self.kernel_width + sweep.columns.first_tap;
            Run { x: row * pitch, w: tap * words * width }
        };
        let rows = if depth == 0 { 0 } else { sweep.rows.taps };
        if rows == 0 {
            return vec![Slab { runs: Vec::new(), depth: 0 }];
        }
        let rows_each = SLAB_WORDS / (depth * width);
        if rows_each > 0 {
            let firsts = (0..rows).step_by(rows_each);
            return firsts
                .map(|first| Slab { runs: (first..(first + rows_each).min(rows)).map(run).collect(), depth })
                .collect();
        }
        let parts = (depth * width).div_ceil(SLAB_WORDS);
        let cut = |part: usize| part * depth / parts;
        (0..rows)
            .flat_map(|row| {
                (0..parts).map(move |part| {
                    let Run { x, w } = run(row);
                    let run = Run { x: x + cut(part), w: w + cut(part) * width };
                    Slab { runs: vec![run], depth: cut(part + 1) - cut(part) }
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conv::axis::Axis;
    use crate::conv::patch::Map;
    use crate::conv::{Direction, Epilogue, PackedWeights};
    use crate::isa::Isa;
    use crate::shape::{Conv2dOptions, Conv2dShape, Padding};

    /// Checks that each pixel of each band begins within its source, for the gradient to the input of a layer.
    fn check_sources(side: usize, kernel: usize, stride: usize) {
        let options = Conv2dOptions {
            batch: 2,
            map: Extent::square(side),
            inputs: 3,
            outputs: 4,
            kernel: Extent::square(kernel),
            stride,
            padding: Padding::Each(kernel / 2),
            groups: 1,
        };
        let shape = Conv2dShape::new(options).unwrap();
        let weights = vec![1.0; shape.weight_len()];
        let weights = PackedWeights::<f32>::new(Isa::best(), &shape, Direction::InputGradient, &weights);
        let output_gradient = vec![1.0; shape.output_len()];
        let axes = Axis::backward(kernel, stride, kernel / 2, side);
        let sweeps = axes.iter().flat_map(|&rows| axes.iter().map(move |&columns| Sweep { rows, columns }));
        let gather = Gather {
            source: Map { pixels: &output_gradient, extent: shape.output_map(), channels: options.outputs },
            batch: options.batch,
            kernel_width: kernel,
            weights: &weights,
            sweeps: sweeps.collect(),
            destination: options.map,
            destination_channels: options.inputs,
            epilogue: Epilogue::default(),
        };
        let panels = gather.weights.panels.len();
        let mut scratch = Scratch::default();
        for band in bands(&gather.sweeps, gather.batch, panels, |sweep| gather.rows_of(sweep)) {
            let (_, source) = gather.locate_pixels(&band, &mut scratch);
            let Sweep { rows, columns } = band.sweep;
            let in_place = source == output_gradient.as_ptr().cast();
            let (row_span, column_span) = (rows.span(&band.rows), columns.span(&(0..columns.count)));
            let patch = patch_len(&gather.source, band.photos.len(), row_span, column_span);
            let words = if in_place { output_gradient.len() } else { patch };
            for &offset in &scratch.sources {
                assert!(offset <= words, "{offset} of {words} words: {band:?}");
            }
        }
    }

    #[test]
    fn every_pixel_of_a_band_begins_within_its_source_also_where_a_phase_has_no_taps() {
        // A 1x1 kernel with stride 2 on an even map: the downsample of a residual network.
        for (side, kernel, stride) in [(8, 1, 2), (7, 1, 2), (9, 1, 3), (8, 2, 3), (8, 3, 2), (5, 3, 1)] {
            check_sources(side, kernel, stride);
        }
    }
}
