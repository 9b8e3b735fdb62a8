//! Weights in the order in which the kernels read them.

use rayon::prelude::*;

use super::amx;
use super::axis::backward_taps;
use super::paired_weights;
use super::panel::{Direction, PackedPanel};
use super::patch::padded_channels;
use super::winograd;
use crate::aligned::Word;
use crate::disjoint_slice::DisjointSlice;
use crate::element::Element;
use crate::isa::Isa;
use crate::memory::Buffer;
use crate::microkernel;
use crate::shape::{Conv2dShape, Padding, check_len};

/// A convolution's weights in the order in which its kernels read them, for one direction and instruction set.
///
/// They serve for any batch and map size, best for those of the shape given. Pack again when the weights change.
///
/// Dense weights: panel after panel of output channels, and in each panel, for every kernel row, kernel column and
/// source channel, one word per output channel. So the words that one output pixel meets along a row of the patch are
/// together, for any number of channels: the three channels of a photo make long runs too. Depthwise
/// weights: for every tap, all channels, as f32, or in pairs where they are multiplied so. Weights in groups: each group's, dense.
#[derive(Debug)]
pub struct PackedWeights<T> {
    pub(crate) isa: Isa,
    pub(crate) direction: Direction,
    pub(crate) panels: Vec<PackedPanel>,
    pub(crate) words: Buffer,
    /// Words of a source pixel; those beyond its channels meet weights of zero.
    pub(crate) source_words: usize,
    /// Whether they are in Winograd's basis.
    pub(crate) winograd: bool,
    /// Of a convolution in several groups, each group's; then there is nothing else.
    pub(crate) groups: Vec<Self>,
    layer: Layer,
    element: std::marker::PhantomData<T>,
}

/// The part of a shape that packed weights depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layer {
    inputs: usize,
    outputs: usize,
    kernel: crate::shape::Extent,
    stride: usize,
    padding: Padding,
    groups: usize,
}

impl Layer {
    fn of(shape: &Conv2dShape) -> Self {
        let options = shape.options();
        Self {
            inputs: options.inputs,
            outputs: options.outputs,
            kernel: options.kernel,
            stride: options.stride,
            padding: options.padding,
            groups: options.groups,
        }
    }
}

impl<T: Element> PackedWeights<T> {
    /// Packs weights in torchvision's layout, `[outputs, inputs / groups, kernel height, kernel width]`.
    ///
    /// # Panics
    /// When `weights` has not [`Conv2dShape::weight_len`] elements, or bf16 is asked for where it is not offered.
    pub fn new(isa: Isa, shape: &Conv2dShape, direction: Direction, weights: &[f32]) -> Self {
        check_len("weights", weights.len(), shape.weight_len());
        let layer = Layer::of(shape);
        if shape.is_grouped() {
            pack_groups(isa, shape, direction, weights)
        } else if shape.is_depthwise() {
            pack_depthwise(isa, layer, direction, weights)
        } else if winograd::serves::<T>(isa, shape) {
            let (panels, words) = winograd::pack(isa, shape.options(), direction, weights);
            let source_words = 0;
            Self {
                isa,
                direction,
                panels,
                words,
                source_words,
                winograd: true,
                groups: Vec::new(),
                layer,
                element: std::marker::PhantomData,
            }
        } else {
            pack_dense(isa, layer, direction, weights)
        }
    }

    /// Panics unless the weights were packed for this layer and direction.
    #[track_caller]
    pub(crate) fn check(&self, shape: &Conv2dShape, direction: Direction) {
        assert!(
            self.direction == direction && self.layer == Layer::of(shape),
            "weights packed for {:?} of {:?} are used for {direction:?} of {:?}",
            self.direction,
            self.layer,
            Layer::of(shape),
        );
    }
}

fn pack_dense<T: Element>(isa: Isa, layer: Layer, direction: Direction, weights: &[f32]) -> PackedWeights<T> {
    let taps = layer.kernel.area();
    let in_order = |count: usize| match direction {
        Direction::Forward => (0..count).collect(),
        Direction::InputGradient => backward_taps(count, layer.stride),
    };
    let (rows, columns): (Vec<usize>, Vec<usize>) =
        (in_order(layer.kernel.height), in_order(layer.kernel.width));
    let tap_order: Vec<usize> = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| row * layer.kernel.width + column))
        .collect();
    // Steps through the weights, in elements, from one source and one destination channel to the next.
    let (sources, destinations, source_step, destination_step) = match direction {
        Direction::Forward => (layer.inputs, layer.outputs, taps, layer.inputs * taps),
        Direction::InputGradient => (layer.outputs, layer.inputs, layer.inputs * taps, taps),
    };
    let source_words = match (padded_channels::<T>(sources) / T::PER_WORD, T::tile_unit(isa)) {
        (words, Some(_)) => amx::pixel_words(words),
        (words, None) => words,
    };
    let depth = taps * source_words;

    let mut start = 0;
    let panels: Vec<PackedPanel> = microkernel::panels::<T>(isa, destinations)
        .into_iter()
        .map(|panel| {
            let packed = PackedPanel { panel, start };
            start += depth * panel.width;
            packed
        })
        .collect();

    let mut words = Buffer::of::<f32>(start);
    let elements = words.as_mut_slice::<T>(start * T::PER_WORD);
    if source_words * T::PER_WORD > sources {
        // Weights beyond the last channel are multiplied by zeros, and so must be numbers.
        elements.fill(T::ZERO);
    }
    let all = DisjointSlice::new(elements);
    // A stretch of source channels at a time: the lines of the weights that it touches stay in the first cache.
    const STRETCH: usize = 16;
    let tasks: Vec<(PackedPanel, usize)> = panels
        .iter()
        .flat_map(|&packed| (0..sources).step_by(STRETCH).map(move |source| (packed, source)))
        .collect();
    tasks.into_par_iter().for_each(|(PackedPanel { panel, start }, first_source)| {
        for source in first_source..(first_source + STRETCH).min(sources) {
            for (position, tap) in tap_order.iter().enumerate() {
                let word = start + (position * source_words + source / T::PER_WORD) * panel.width;
                let from = panel.first * destination_step + source * source_step + tap;
                // SAFETY: a row of words holds one or two source channels; a stretch has both or neither.
                let row = unsafe { all.part(word * T::PER_WORD..(word + panel.outputs) * T::PER_WORD) };
                for (column, to) in row.chunks_exact_mut(T::PER_WORD).enumerate() {
                    to[source % T::PER_WORD] = T::from_f32(weights[from + column * destination_step]);
                }
            }
        }
    });
    PackedWeights {
        isa,
        direction,
        panels,
        words,
        source_words,
        winograd: false,
        groups: Vec::new(),
        layer,
        element: std::marker::PhantomData,
    }
}

fn pack_groups<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    direction: Direction,
    weights: &[f32],
) -> PackedWeights<T> {
    let group = shape.group();
    let groups = weights.par_chunks_exact(group.weight_len());
    PackedWeights {
        isa,
        direction,
        panels: Vec::new(),
        words: Buffer::of::<f32>(0),
        source_words: 0,
        winograd: false,
        groups: groups.map(|weights| PackedWeights::new(isa, &group, direction, weights)).collect(),
        layer: Layer::of(shape),
        element: std::marker::PhantomData,
    }
}

fn pack_depthwise<T: Element>(
    isa: Isa,
    layer: Layer,
    direction: Direction,
    weights: &[f32],
) -> PackedWeights<T> {
    let taps = layer.kernel.area();
    let words = if paired_weights::serves::<T>(isa) {
        let len = paired_weights::packed_len(layer.groups, taps);
        let mut words = Buffer::of::<Word>(len);
        paired_weights::pack(weights, layer.groups, taps, words.as_mut_slice::<Word>(len));
        words
    } else {
        let mut words = Buffer::of::<f32>(weights.len());
        let packed = words.as_mut_slice::<f32>(weights.len());
        for (tap, row) in packed.chunks_exact_mut(layer.groups).enumerate() {
            for (channel, to) in row.iter_mut().enumerate() {
                *to = weights[channel * taps + tap];
            }
        }
        words
    };
    PackedWeights {
        isa,
        direction,
        panels: Vec::new(),
        words,
        source_words: 0,
        winograd: false,
        groups: Vec::new(),
        layer,
        element: std::marker::PhantomData,
    }
}
