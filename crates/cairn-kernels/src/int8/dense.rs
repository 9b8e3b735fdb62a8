//! Dense convolutions of bytes.

use super::bands::{Band, bands};
use super::dot::Dot;
use super::patch::Reach;
use super::product::{MAX_ROWS, Products, Tile, products};
use super::requantise::Requantise;
use crate::aligned::AlignedWords;
use crate::disjoint_slice::DisjointSlice;
use crate::memory::with_scratch;
use crate::shape::{Conv2dOptions, Conv2dShape};
use crate::team::{spread, threads};

/// Weights in panels of output channels, and the end of the layer.
///
/// A panel has, for every kernel row and for each word of four bytes along that row of the patch (kernel columns, and in each
/// the channels; the last word is filled with zeros), the weights of its columns, a vector of them at a time.
#[derive(Debug)]
pub(super) struct Dense {
    products: &'static Products,
    panels: Vec<Panel>,
    weights: AlignedWords,
    /// Of each column, those of the panels one after the other; zeros for columns that only fill a vector.
    scales: Vec<f32>,
    offsets: Vec<f32>,
    residual: f32,
    bounds: [f32; 2],
    /// Words of a kernel row.
    depth: usize,
}

/// Output channels that are computed at a time.
#[derive(Clone, Copy, Debug)]
struct Panel {
    /// The first output channel.
    first: usize,
    /// How many there are.
    outputs: usize,
    /// Columns: whole vectors.
    width: usize,
    /// The first column, those of all panels counted through.
    column: usize,
}

/// What a thread keeps from task to task.
#[derive(Default)]
struct Scratch {
    patch: Vec<u8>,
    offsets: Vec<usize>,
}

impl Dense {
    pub(super) fn new(dot: Dot, shape: &Conv2dShape, weights: &[i8], requantise: &Requantise) -> Self {
        let Conv2dOptions { inputs, outputs, kernel, .. } = *shape.options();
        let products = products(dot);
        let panels = panels(outputs, products);
        let columns: usize = panels.iter().map(|panel| panel.width).sum();
        let depth = (kernel.width * inputs).div_ceil(4);
        let mut packed = AlignedWords::default();
        let len = columns * kernel.height * depth * products.weight_bytes;
        packed.reserve(len.div_ceil(4));
        // The output channel of a column, unless the column only fills a vector.
        let output = |panel: &Panel, column: usize| {
            let vectors = panel.width / products.lanes;
            let channel = (products.channel)(vectors, column / products.lanes, column % products.lanes);
            (channel < panel.outputs).then_some(panel.first + channel)
        };
        let mut by_column = [vec![0.0; columns], vec![0.0; columns]];
        for panel in &panels {
            for column in 0..panel.width {
                let Some(output) = output(panel, column) else { continue };
                for (to, from) in by_column.iter_mut().zip([&requantise.scales, &requantise.offsets]) {
                    to[panel.column + column] = from[output];
                }
            }
        }
        // A weight of an output channel by its kernel row and its place along that row; zero beyond its end.
        let weight = |output: usize, row: usize, place: usize| {
            let (column, channel) = (place / inputs, place % inputs);
            let at = ((output * inputs + channel) * kernel.height + row) * kernel.width + column;
            if column < kernel.width { weights[at] } else { 0 }
        };
        let to = packed.as_mut_slice::<i8>(len);
        for panel in &panels {
            let mut at = panel.column * kernel.height * depth * products.weight_bytes;
            for row in 0..kernel.height {
                for word in 0..depth {
                    for vector in (0..panel.width).step_by(products.lanes) {
                        let to = &mut to[at..][..products.lanes * products.weight_bytes];
                        for lane in 0..products.lanes {
                            let lane_weights = match output(panel, vector + lane) {
                                Some(output) => {
                                    std::array::from_fn(|byte| weight(output, row, 4 * word + byte))
                                }
                                None => [0; 4],
                            };
                            products.store_weights(to, lane, lane_weights);
                        }
                        at += products.lanes * products.weight_bytes;
                    }
                }
            }
        }
        let [scales, offsets] = by_column;
        Self {
            products,
            panels,
            weights: packed,
            scales,
            offsets,
            residual: requantise.residual,
            bounds: [requantise.low, requantise.high],
            depth,
        }
    }

    pub(super) fn forward(
        &self,
        shape: &Conv2dShape,
        input: &[u8],
        zeros: &[u8],
        residual: Option<&[u8]>,
        output: &mut [u8],
    ) {
        let reach = Reach::of(shape);
        let bands = bands(shape.options().batch, shape.output_map(), self.panels.len(), threads());
        let output = DisjointSlice::new(output);
        spread(bands.len(), |band| {
            with_scratch(|scratch: &mut Scratch| {
                self.run(shape, &reach, &bands[band], scratch, input, zeros, residual, output);
            });
        });
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a layer's operands, as `forward` has them, and a task's own"
    )]
    fn run(
        &self,
        shape: &Conv2dShape,
        reach: &Reach,
        band: &Band,
        scratch: &mut Scratch,
        input: &[u8],
        zeros: &[u8],
        residual: Option<&[u8]>,
        output: DisjointSlice<'_, u8>,
    ) {
        let Conv2dOptions { outputs, kernel, .. } = *shape.options();
        let map = shape.output_map();
        let Scratch { patch, offsets } = scratch;
        let source = reach.source(band, input, zeros, patch);
        reach.offsets(band, offsets);
        let first_pixel = band.photos.start * map.area() + band.rows.start * map.width;
        let (runs, run_step) = (kernel.height, reach.line());
        // What the last pixel of the band reads last is in the source, and so is all that comes before it.
        let last = offsets.last().map_or(0, |last| last + (runs - 1) * run_step + 4 * self.depth);
        assert!(last <= source.len(), "a band reads {last} bytes of {}", source.len());
        for panel in &self.panels[band.panels.clone()] {
            let weights_at = panel.column * runs * self.depth * self.products.weight_bytes;
            for (first, rows) in row_tiles(offsets.len(), self.products.max_rows(panel.width)) {
                let at = (first_pixel + first) * outputs + panel.first;
                let mut tile = Tile {
                    rows: [source.as_ptr(); MAX_ROWS],
                    runs,
                    run_step,
                    depth: self.depth,
                    weights: self.weights.as_ptr().cast::<u8>().wrapping_add(weights_at),
                    scales: self.scales[panel.column..].as_ptr(),
                    offsets: self.offsets[panel.column..].as_ptr(),
                    residual: residual.map_or(std::ptr::null(), |residual| residual[at..].as_ptr()),
                    residual_scale: self.residual,
                    bounds: self.bounds,
                    output: output.at(at),
                    step: outputs,
                    columns: panel.outputs,
                };
                for (to, offset) in tile.rows.iter_mut().zip(&offsets[first..first + rows]) {
                    *to = source.as_ptr().wrapping_add(*offset);
                }
                // SAFETY: `products` made sure that the machine has the instructions. All rows' reads end within the source,
                // as checked above. The panel's weights, scales and offsets were laid out for its whole width. Residual and
                // output have `outputs` bytes for each pixel, of which these are within the band, and no other task has
                // the band's pixels and this panel's channels.
                unsafe { self.products.get(rows, panel.width, &tile)(&tile) };
            }
        }
    }
}

impl Products {
    /// Stores the weights of one column and one word in a vector, as the product takes them.
    fn store_weights(&self, vector: &mut [i8], lane: usize, weights: [i8; 4]) {
        if self.weight_bytes == 4 {
            vector[4 * lane..][..4].copy_from_slice(&weights);
            return;
        }
        // Widened: first and third of every column, then second and fourth.
        let half = vector.len() / 2;
        for (byte, weight) in weights.into_iter().enumerate() {
            let at = byte % 2 * half + 4 * lane + 2 * (byte / 2);
            let [low, high] = i16::from(weight).to_le_bytes();
            vector[at..at + 2].copy_from_slice(&[low as i8, high as i8]);
        }
    }
}

/// Cuts output channels into panels of nearly equal numbers of vectors: an odd rest would leave a panel of one.
fn panels(outputs: usize, products: &Products) -> Vec<Panel> {
    let vectors = outputs.div_ceil(products.lanes);
    let count = vectors.div_ceil(products.max_vectors());
    (0..count)
        .map(|panel| {
            let [first, end] = [panel, panel + 1].map(|panel| panel * vectors / count * products.lanes);
            Panel { first, outputs: (end - first).min(outputs - first), width: end - first, column: first }
        })
        .collect()
}

/// Splits `count` rows into tiles of at most `most`, as evenly as possible, as (first, rows).
fn row_tiles(count: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let tiles = count.div_ceil(most);
    (0..tiles).map(move |tile| {
        let first = tile * count / tiles;
        (first, (tile + 1) * count / tiles - first)
    })
}
