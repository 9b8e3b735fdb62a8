//! Weights in Winograd's basis.

use rayon::prelude::*;

use super::tiling::POSITIONS;
use super::transforms::{self, square};
use crate::conv::panel::{Direction, PackedPanel};
use crate::disjoint_slice::DisjointSlice;
use crate::isa::Isa;
use crate::memory::Buffer;
use crate::microkernel::{self, Panel};
use crate::shape::Conv2dOptions;
use crate::vectorised::vectorised;

/// Source channels that a task transforms.
const STRETCH: usize = 16;

/// Panel after panel of destination channels, and in each panel, for every position and source channel, one word per
/// destination channel.
pub(in crate::conv) fn pack(
    isa: Isa,
    options: &Conv2dOptions,
    direction: Direction,
    weights: &[f32],
) -> (Vec<PackedPanel>, Buffer) {
    let (sources, destinations) = match direction {
        Direction::Forward => (options.inputs, options.outputs),
        Direction::InputGradient => (options.outputs, options.inputs),
    };
    let mut start = 0;
    let panels: Vec<PackedPanel> = microkernel::panels::<f32>(isa, destinations)
        .into_iter()
        .map(|panel| {
            let packed = PackedPanel { panel, start };
            start += POSITIONS * sources * panel.width;
            packed
        })
        .collect();
    let mut words = Buffer::of::<f32>(start);
    let all = DisjointSlice::new(words.as_mut_slice::<f32>(start));
    let tasks: Vec<(PackedPanel, usize)> = panels
        .iter()
        .flat_map(|&packed| (0..sources).step_by(STRETCH).map(move |source| (packed, source)))
        .collect();
    let layer = Layer { inputs: options.inputs, sources, direction };
    tasks.into_par_iter().for_each(|(packed, first)| {
        let sources = first..(first + STRETCH).min(sources);
        // SAFETY: no two tasks have a panel and a source channel in common.
        unsafe { transform_stretch(isa, layer, packed, sources, weights, all) };
    });
    (panels, words)
}

#[derive(Clone, Copy)]
struct Layer {
    inputs: usize,
    sources: usize,
    direction: Direction,
}

impl Layer {
    /// The nine weights between two channels. Backward they are turned by half a turn.
    #[inline(always)]
    fn kernel(self, weights: &[f32], source: usize, destination: usize) -> [[f32; 3]; 3] {
        let (input, output) = match self.direction {
            Direction::Forward => (source, destination),
            Direction::InputGradient => (destination, source),
        };
        let at = (output * self.inputs + input) * 9;
        let taps = &weights[at..at + 9];
        match self.direction {
            Direction::Forward => std::array::from_fn(|y| std::array::from_fn(|x| taps[3 * y + x])),
            Direction::InputGradient => std::array::from_fn(|y| std::array::from_fn(|x| taps[8 - 3 * y - x])),
        }
    }
}

vectorised! {
    /// All weights from some source channels to the channels of a panel.
    ///
    /// # Safety
    /// While this runs, nothing else may use the part of `all` that belongs to these channels and the panel.
    unsafe fn transform_stretch(
        layer: Layer,
        packed: PackedPanel,
        sources: std::ops::Range<usize>,
        weights: &[f32],
        all: DisjointSlice<'_, f32>,
    ) {
        for source in sources {
            // SAFETY: as the caller promises.
            unsafe { transform_source(layer, packed, source, weights, all) };
        }
    }
}

/// All weights from one source channel to the channels of a panel.
///
/// # Safety
/// As for [`transform_stretch`].
#[inline(always)]
unsafe fn transform_source(
    layer: Layer,
    PackedPanel { panel, start }: PackedPanel,
    source: usize,
    weights: &[f32],
    all: DisjointSlice<'_, f32>,
) {
    const L: usize = 16;
    let Panel { first, width, outputs } = panel;
    for block in (0..outputs).step_by(L) {
        let lanes = L.min(outputs - block);
        let mut kernels = [[[0.0; L]; 3]; 3];
        #[expect(clippy::needless_range_loop, reason = "the lane is the last index")]
        for lane in 0..lanes {
            let kernel = layer.kernel(weights, source, first + block + lane);
            for y in 0..3 {
                for x in 0..3 {
                    kernels[y][x][lane] = kernel[y][x];
                }
            }
        }
        square(
            |y, x| kernels[y][x],
            transforms::weights,
            |position, values| {
                let at = start + (position * layer.sources + source) * width + block;
                // SAFETY: every source channel and panel has its own words, and nothing else uses these.
                unsafe { all.part(at..at + lanes) }.copy_from_slice(&values[..lanes]);
            },
        );
    }
}
