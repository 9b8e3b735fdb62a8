//! Convolutions and linear layers, of bytes or of floats.

use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::int8::{ByteConv, Dot, Quantisation, Requantise};
use cairn_kernels::{Clamp, Conv2dOptions, Conv2dShape, Element, Extent, Isa};
use half::bf16;

use super::fold::Folded;
use super::map::Meaning;
use super::plan::Layer;
use super::settings::QuantiseError;
use super::tensor::QuantisedTensor;
use crate::graph::NodeProblem;
use crate::{Precision, StateDict};

/// A layer that is ready to run.
#[derive(Debug)]
pub(super) struct ReadyLayer {
    options: Conv2dOptions,
    pub(super) kernel: Kernel,
}

/// The kernels of a layer.
#[derive(Debug)]
pub(super) enum Kernel {
    /// Of bytes.
    Bytes(ByteConv),
    /// Of floats.
    F32(FloatKernel<f32>),
    /// Of floats where the machine multiplies short ones faster.
    Bf16(FloatKernel<bf16>),
}

/// Weights with batch norm folded in, and the end of the layer.
#[derive(Debug)]
pub(super) struct FloatKernel<T> {
    weights: PackedWeights<T>,
    bias: Vec<f32>,
    activation: Clamp,
}

/// What the levels around a layer mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Around {
    pub(super) input: Meaning,
    pub(super) residual: Option<Quantisation>,
    pub(super) output: Quantisation,
}

impl ReadyLayer {
    /// The layer for maps of about this size, in floats if that is asked for or there are no kernels of bytes.
    pub(super) fn new(
        layer: &Layer,
        [inputs, height, width]: [usize; 3],
        weights: &StateDict,
        rounded: Option<&QuantisedTensor>,
        in_floats: bool,
        around: Around,
    ) -> Result<Self, QuantiseError> {
        let missing = || layer.fault(&layer.weight);
        let shape = weights.shape(&layer.weight).ok_or_else(missing)?;
        let values = weights.values(&layer.weight).ok_or_else(missing)?;
        let (outputs, kernel) = match *shape {
            [outputs, _, height, width] => (outputs, Extent { height, width }),
            [outputs, _] => (outputs, Extent::square(1)),
            _ => return Err(missing()),
        };
        let (map, stride, padding, groups) =
            (Extent { height, width }, layer.stride, layer.padding, layer.groups);
        let options = Conv2dOptions { batch: 1, map, inputs, outputs, kernel, stride, padding, groups };
        let conv_shape = Conv2dShape::new(options).map_err(|_| {
            let problem = NodeProblem::InputShapes(vec![vec![inputs, height, width]]);
            QuantiseError::Graph(crate::graph::GraphError { node: layer.path.clone(), op: "layer", problem })
        })?;
        if values.len() != conv_shape.weight_len() {
            return Err(missing());
        }
        let folded = Folded::of(layer, outputs, weights)?;
        let kernel = if in_floats || !ByteConv::serves(&conv_shape) {
            float_kernel(layer, &conv_shape, values, &folded)
        } else {
            Kernel::Bytes(byte_conv(layer, &conv_shape, shape, values, rounded, &folded, around)?)
        };
        Ok(Self { options, kernel })
    }

    /// Whether it computes in bytes.
    pub(super) fn is_of_bytes(&self) -> bool {
        matches!(self.kernel, Kernel::Bytes(_))
    }

    /// The shape of a pass over `batch` maps of this size.
    ///
    /// # Panics
    /// When maps of this size are too small for the network.
    pub(super) fn shape(&self, [batch, height, width, _]: [usize; 4]) -> Conv2dShape {
        let options = Conv2dOptions { batch, map: Extent { height, width }, ..self.options };
        Conv2dShape::new(options).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Kernel {
    /// The layer's output for floats; for a kernel of floats.
    pub(super) fn floats(&self, shape: &Conv2dShape, input: &[f32], residual: Option<&[f32]>) -> Vec<f32> {
        match self {
            Self::F32(kernel) => kernel.run(shape, input, residual),
            Self::Bf16(kernel) => kernel.run(shape, input, residual),
            Self::Bytes(_) => unreachable!("a kernel of bytes takes levels"),
        }
    }
}

impl<T: Element> FloatKernel<T> {
    fn run(&self, shape: &Conv2dShape, input: &[f32], residual: Option<&[f32]>) -> Vec<f32> {
        let narrow = |values: &[f32]| values.iter().map(|&value| T::from_f32(value)).collect::<Vec<T>>();
        let (input, residual) = (narrow(input), residual.map(narrow));
        let mut output = vec![T::ZERO; shape.output_len()];
        let epilogue =
            Epilogue { bias: Some(&self.bias), residual: residual.as_deref(), activation: self.activation };
        conv::forward(shape, &input, &self.weights, epilogue, &mut output);
        output.into_iter().map(Element::to_f32).collect()
    }
}

fn float_kernel(layer: &Layer, shape: &Conv2dShape, values: &[f32], folded: &Folded) -> Kernel {
    let channel_len = values.len() / folded.factors.len();
    let channels = values.chunks_exact(channel_len).zip(&folded.factors);
    let values: Vec<f32> = channels
        .flat_map(|(values, factor)| values.iter().map(move |&value| (f64::from(value) * factor) as f32))
        .collect();
    let bias = folded.terms.iter().map(|&term| term as f32).collect();
    let (isa, activation) = (Isa::best(), layer.activation);
    match Precision::best() {
        Precision::F32 => Kernel::F32(FloatKernel {
            weights: PackedWeights::new(isa, shape, Direction::Forward, &values),
            bias,
            activation,
        }),
        Precision::Bf16 => Kernel::Bf16(FloatKernel {
            weights: PackedWeights::new(isa, shape, Direction::Forward, &values),
            bias,
            activation,
        }),
    }
}

fn byte_conv(
    layer: &Layer,
    conv_shape: &Conv2dShape,
    shape: &[usize],
    values: &[f32],
    rounded: Option<&QuantisedTensor>,
    folded: &Folded,
    Around { input, residual, output }: Around,
) -> Result<ByteConv, QuantiseError> {
    let inputs = conv_shape.options().inputs;
    let group_inputs = inputs / conv_shape.options().groups;
    let taps = conv_shape.options().kernel.area();
    // What an input's level means: its distance from `zero`, in units of one for photos, whose channels' own are part of the
    // weights, or of the quantisation's scale.
    let (quantised, input_scale, zeros): (_, f64, Vec<f64>) = match input {
        Meaning::Photo(photo) => {
            let unit = |at: usize| photo.unit(at / taps % group_inputs);
            let values: Vec<f32> =
                values.iter().enumerate().map(|(at, value)| (f64::from(*value) * unit(at)) as f32).collect();
            let zeros = (0..inputs).map(|channel| photo.zero(channel)).collect();
            (QuantisedTensor::of(shape, &values), 1.0, zeros)
        }
        Meaning::Levels(Quantisation { scale, zero_point }) => {
            let fits = |tensor: &&QuantisedTensor| tensor.is_sound() && tensor.shape == shape;
            let quantised = match rounded {
                Some(tensor) => Some(tensor).filter(fits).cloned(),
                None => Some(QuantisedTensor::of(shape, values)),
            };
            let quantised = quantised.ok_or_else(|| QuantiseError::Weights(layer.path.clone()))?;
            (quantised, f64::from(scale), vec![f64::from(zero_point); inputs])
        }
    };
    let group_outputs = folded.factors.len() / conv_shape.options().groups;
    // The sum that pixels of zeros alone would give.
    let resting = |channel: usize| -> f64 {
        let weights = &quantised.values[channel * group_inputs * taps..][..group_inputs * taps];
        let first = channel / group_outputs * group_inputs;
        let of_input = weights.chunks_exact(taps).zip(&zeros[first..]);
        of_input.map(|(taps, zero)| taps.iter().map(|&weight| f64::from(weight)).sum::<f64>() * zero).sum()
    };
    let (unit, zero_point) = (f64::from(output.scale), f64::from(output.zero_point));
    let residual_scale = residual.map_or(0.0, |residual| f64::from(residual.scale) / unit);
    let residual_zero = residual.map_or(0.0, |residual| f64::from(residual.zero_point));
    let (mut scales, mut offsets) = (Vec::new(), Vec::new());
    for (channel, (factor, term)) in folded.factors.iter().zip(&folded.terms).enumerate() {
        let scale = factor * f64::from(quantised.scales[channel]) * input_scale;
        let resting = scale * resting(channel);
        scales.push((scale / unit) as f32);
        offsets.push(((term - resting) / unit + zero_point - residual_zero * residual_scale) as f32);
    }
    let (low, high) = bounds(layer.activation, output);
    let requantise = Requantise { scales, offsets, residual: residual_scale as f32, low, high };
    let figures = requantise.scales.iter().chain(&requantise.offsets).chain([&requantise.residual]);
    if !figures.into_iter().all(|figure| figure.is_finite()) {
        return Err(QuantiseError::Scale(layer.path.clone()));
    }
    let zeros: Vec<u8> = zeros.iter().map(|zero| zero.round().clamp(0.0, 255.0) as u8).collect();
    Ok(ByteConv::new(Dot::of(Isa::best()), conv_shape, &quantised.values, &zeros, requantise))
}

/// The lowest and highest level of an activation's results.
pub(super) fn bounds(activation: Clamp, output: Quantisation) -> (f32, f32) {
    let zero = f32::from(output.zero_point);
    match activation {
        Clamp::Identity => (0.0, 255.0),
        Clamp::Relu => (zero, 255.0),
        Clamp::Relu6 => (zero, (6.0 / output.scale + zero).min(255.0)),
    }
}
