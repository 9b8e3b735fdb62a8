//! Operations that treat each pixel by itself: activations, factors for channels, layer norm.

mod autodiff;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};

use super::fallback;
use super::map::{MapShape, Values, with_element, written};
use crate::activation::Activation;
use crate::channel_scale;
use crate::isa::Isa;
use crate::layer_norm::LayerNorm;

/// What smooth activations, squeeze-and-excitation and ConvNeXts need beside
/// [`NetworkOps`](super::NetworkOps); maps are as there.
#[backend_extension(Flex, Cube: cfg(feature = "cube"), Autodiff)]
pub trait PixelOps: Backend {
    /// An activation function.
    fn map_activation(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        fallback::map_activation::<Self>(input, activation)
    }

    /// Every pixel times its photo's factors, `[batch, channels]` of f32.
    fn map_scale(input: FloatTensor<Self>, factors: FloatTensor<Self>) -> FloatTensor<Self> {
        fallback::map_scale::<Self>(input, factors)
    }

    /// Layer norm over the channels of each pixel; weight and bias are `[channels]` of f32.
    fn map_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        fallback::map_layer_norm::<Self>(input, weight, bias, epsilon)
    }
}

impl PixelOps for Flex {
    fn map_activation(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        with_element!(input.dtype(), T => written(input.layout().shape().clone(), |output| {
            activation.forward(Isa::best(), Values::new(&input).of::<T>(), output);
        }))
    }

    fn map_scale(input: FloatTensor<Self>, factors: FloatTensor<Self>) -> FloatTensor<Self> {
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
        let [weight, bias] = [&weight, &bias].map(Values::new);
        let layer = LayerNorm { weight: weight.of(), bias: bias.of(), epsilon };
        with_element!(input.dtype(), T => written(MapShape::of(&input).to_array(), |output| {
            layer.forward(Isa::best(), Values::new(&input).of::<T>(), output);
        }))
    }
}
