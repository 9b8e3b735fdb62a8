//! Convolutions of bytes: dense, or of every channel on its own.

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::dot::Dot;
use super::requantise::Requantise;
use crate::shape::{Conv2dOptions, Conv2dShape, Extent, Padding, check_len};

/// The most products of an output value whose sum is exact in 32 bits, whatever the bytes.
pub const MOST_PRODUCTS: usize = i32::MAX as usize / (255 * 128);

/// A convolution of maps of bytes: weights in the order in which its kernels read them, and the end of the layer.
///
/// It serves for any batch and map size.
#[derive(Debug)]
pub struct ByteConv {
    weights: Weights,
    layer: Layer,
    /// The levels of a pixel outside of the map.
    zeros: Vec<u8>,
}

#[derive(Debug)]
enum Weights {
    Dense(Dense),
    Depthwise(Depthwise),
}

/// The part of a shape that packed weights depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layer {
    inputs: usize,
    outputs: usize,
    kernel: Extent,
    stride: usize,
    padding: Padding,
    groups: usize,
}

impl Layer {
    fn of(shape: &Conv2dShape) -> Self {
        let Conv2dOptions { batch: _, map: _, inputs, outputs, kernel, stride, padding, groups } =
            *shape.options();
        Self { inputs, outputs, kernel, stride, padding, groups }
    }
}

impl ByteConv {
    /// Whether there are kernels for a layer of this shape: dense or depthwise, and of sums that 32 bits hold.
    pub fn serves(shape: &Conv2dShape) -> bool {
        let Conv2dOptions { inputs, kernel, groups, .. } = *shape.options();
        !shape.is_grouped() && inputs / groups * kernel.area() <= MOST_PRODUCTS
    }

    /// Packs weights in torchvision's layout, `[outputs, inputs / groups, kernel height, kernel width]`. `zeros` is the level
    /// of each input channel outside of the map, usually the zero point of the input.
    ///
    /// # Panics
    /// When lengths do not belong to the shape, [`ByteConv::serves`] says no, or the machine lacks `dot`.
    pub fn new(dot: Dot, shape: &Conv2dShape, weights: &[i8], zeros: &[u8], requantise: Requantise) -> Self {
        check_len("weights", weights.len(), shape.weight_len());
        check_len("zeros", zeros.len(), shape.options().inputs);
        assert!(Self::serves(shape), "no kernels for {shape:?}");
        requantise.check(shape.options().outputs);
        let weights = if shape.is_depthwise() {
            Weights::Depthwise(Depthwise::new(dot, shape, weights, requantise))
        } else {
            Weights::Dense(Dense::new(dot, shape, weights, &requantise))
        };
        Self { weights, layer: Layer::of(shape), zeros: zeros.to_vec() }
    }

    /// Convolves. `input` is NHWC of [`Conv2dShape::input_len`] levels, `output` of [`Conv2dShape::output_len`], and so is the
    /// residual; all of `output` is written.
    ///
    /// # Panics
    /// When a slice's length, or the packed weights, do not belong to the shape, and when a depthwise convolution is given a
    /// residual.
    pub fn forward(&self, shape: &Conv2dShape, input: &[u8], residual: Option<&[u8]>, output: &mut [u8]) {
        check_len("input", input.len(), shape.input_len());
        check_len("output", output.len(), shape.output_len());
        if let Some(residual) = residual {
            check_len("residual", residual.len(), shape.output_len());
        }
        assert!(self.layer == Layer::of(shape), "weights packed for {:?} are used for {shape:?}", self.layer);
        match &self.weights {
            Weights::Dense(dense) => dense.forward(shape, input, &self.zeros, residual, output),
            Weights::Depthwise(depthwise) => {
                assert!(residual.is_none(), "depthwise convolutions take no residual");
                depthwise.forward(shape, input, &self.zeros, output);
            }
        }
    }
}
