//! Operations that treat each pixel by itself: curves, factors for channels, layer norm.

mod autodiff;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, TensorMetadata, backend_extension};
use burn::tensor::{FloatDType, Shape};

use super::composed::{cast, like};
use super::kernels_enabled;
use super::map::{MapShape, Values, with_element, written};
use crate::channel_scale;
use crate::curve::Curve;
use crate::isa::Isa;
use crate::layer_norm::LayerNorm;

/// What activations that bend, squeeze-and-excitation and ConvNeXts need beside
/// [`NetworkOps`](super::NetworkOps); maps are as there.
#[backend_extension(Flex, Autodiff)]
pub trait PixelOps: Backend {
    /// An activation function that bends.
    fn map_curve(input: FloatTensor<Self>, curve: Curve) -> FloatTensor<Self> {
        composed_curve::<Self>(input, curve)
    }

    /// Every pixel times its photo's factors, `[batch, channels]` of f32.
    fn map_scale(input: FloatTensor<Self>, factors: FloatTensor<Self>) -> FloatTensor<Self> {
        composed_scale::<Self>(input, factors)
    }

    /// Layer norm over the channels of each pixel; weight and bias are `[channels]` of f32.
    fn map_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        composed_layer_norm::<Self>(input, weight, bias, epsilon)
    }
}

fn composed_curve<B: Backend>(input: FloatTensor<B>, curve: Curve) -> FloatTensor<B> {
    let hard_sigmoid = |input| B::hard_sigmoid(input, (1.0 / 6.0).into(), 0.5.into());
    match curve {
        Curve::Sigmoid => B::sigmoid(input),
        Curve::Silu => B::float_mul(input.clone(), B::sigmoid(input)),
        Curve::Gelu => B::gelu(input),
        Curve::HardSigmoid => hard_sigmoid(input),
        Curve::HardSwish => B::float_mul(input.clone(), hard_sigmoid(input)),
    }
}

fn composed_scale<B: Backend>(input: FloatTensor<B>, factors: FloatTensor<B>) -> FloatTensor<B> {
    let shape = factors.shape();
    let factors = B::float_reshape(factors, Shape::new([shape[0], 1, 1, shape[1]]));
    let factors = like::<B>(factors, &input);
    B::float_mul(input, factors)
}

/// In f32 whatever the map is made of, as the kernels have it.
fn composed_layer_norm<B: Backend>(
    input: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
    epsilon: f32,
) -> FloatTensor<B> {
    let dtype = input.dtype().into();
    let wide = cast::<B>(input, FloatDType::F32);
    let channels = wide.shape()[3];
    let centred = B::float_sub(wide.clone(), B::float_mean_dim(wide, 3));
    let variance = B::float_mean_dim(B::float_mul(centred.clone(), centred.clone()), 3);
    let deviation = B::float_sqrt(B::float_add_scalar(variance, epsilon.into()));
    let along_channels = |vector| B::float_reshape(vector, Shape::new([1, 1, 1, channels]));
    let scaled = B::float_mul(B::float_div(centred, deviation), along_channels(weight));
    cast::<B>(B::float_add(scaled, along_channels(bias)), dtype)
}

impl PixelOps for Flex {
    fn map_curve(input: FloatTensor<Self>, curve: Curve) -> FloatTensor<Self> {
        if !kernels_enabled() {
            return composed_curve::<Self>(input, curve);
        }
        with_element!(input.dtype(), T => written(input.layout().shape().clone(), |output| {
            curve.forward(Isa::best(), Values::new(&input).of::<T>(), output);
        }))
    }

    fn map_scale(input: FloatTensor<Self>, factors: FloatTensor<Self>) -> FloatTensor<Self> {
        if !kernels_enabled() {
            return composed_scale::<Self>(input, factors);
        }
        let map = MapShape::of(&input);
        with_element!(input.dtype(), T => written(map.to_array(), |output| {
            let (input, factors) = (Values::new(&input), Values::new(&factors));
            channel_scale::scale(Isa::best(), map.channels, input.of::<T>(), factors.of(), output);
        }))
    }

    fn map_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        if !kernels_enabled() {
            return composed_layer_norm::<Self>(input, weight, bias, epsilon);
        }
        let [weight, bias] = [&weight, &bias].map(Values::new);
        let layer = LayerNorm { weight: weight.of(), bias: bias.of(), epsilon };
        with_element!(input.dtype(), T => written(MapShape::of(&input).to_array(), |output| {
            layer.forward(Isa::best(), Values::new(&input).of::<T>(), output);
        }))
    }
}
