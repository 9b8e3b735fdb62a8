//! Gradients of the operations on pixels.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;

use super::super::autodiff::record::record;
use super::super::map::{MapShape, Values, vector, with_element, written};
use super::PixelOps;
use crate::activation::Activation;
use crate::channel_scale;
use crate::isa::Isa;
use crate::layer_norm::LayerNorm;

impl<C: CheckpointStrategy> PixelOps for Autodiff<Flex, C> {
    fn map_activation(input: FloatTensor<Self>, activation: Activation) -> FloatTensor<Self> {
        let (input, node) = input.into_parts();
        let output = Flex::map_activation(input.clone(), activation);
        record::<_, C, 1>(ActivationStep, [node], output, || SavedArgument { input, activation })
    }

    fn map_scale(input: FloatTensor<Self>, factors: FloatTensor<Self>) -> FloatTensor<Self> {
        let ((input, input_node), (factors, factors_node)) = (input.into_parts(), factors.into_parts());
        let output = Flex::map_scale(input.clone(), factors.clone());
        record::<_, C, 2>(Scale, [input_node, factors_node], output, || SavedScale { input, factors })
    }

    fn map_layer_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        let parts = [input, weight, bias].map(FloatTensor::<Self>::into_parts);
        let [(input, input_node), (weight, weight_node), (bias, bias_node)] = parts;
        let output = Flex::map_layer_norm(input.clone(), weight.clone(), bias.clone(), epsilon);
        let state = || SavedLayerNorm { input, weight, bias, epsilon };
        record::<_, C, 3>(LayerNormStep, [input_node, weight_node, bias_node], output, state)
    }
}

#[derive(Debug)]
struct ActivationStep;

#[derive(Clone, Debug)]
struct SavedArgument {
    input: FlexTensor,
    activation: Activation,
}

impl Backward<Flex, 1> for ActivationStep {
    type State = SavedArgument;

    fn backward(self, ops: Ops<SavedArgument, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let [Some(parent)] = ops.parents else { return };
        let SavedArgument { input, activation } = ops.state;
        let found = with_element!(gradient.dtype(), T => written(input.layout().shape().clone(), |to| {
            let (input, gradient) = (Values::new(&input), Values::new(&gradient));
            activation.backward(Isa::best(), input.of::<T>(), gradient.of(), to);
        }));
        gradients.register::<Flex>(parent.id, found);
    }
}

#[derive(Debug)]
struct Scale;

#[derive(Clone, Debug)]
struct SavedScale {
    input: FlexTensor,
    factors: FlexTensor,
}

/// Parents: the map and the factors.
impl Backward<Flex, 2> for Scale {
    type State = SavedScale;

    fn backward(self, ops: Ops<SavedScale, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let [map, factors] = ops.parents;
        let SavedScale { input, factors: given } = ops.state;
        if let Some(factors) = factors {
            let MapShape { batch, channels, .. } = MapShape::of(&input);
            let found = with_element!(gradient.dtype(), T => written([batch, channels], |to| {
                let (input, gradient) = (Values::new(&input), Values::new(&gradient));
                channel_scale::factor_gradient(Isa::best(), channels, input.of::<T>(), gradient.of(), to);
            }));
            gradients.register::<Flex>(factors.id, found);
        }
        if let Some(map) = map {
            gradients.register::<Flex>(map.id, Flex::map_scale(gradient, given));
        }
    }
}

#[derive(Debug)]
struct LayerNormStep;

#[derive(Clone, Debug)]
struct SavedLayerNorm {
    input: FlexTensor,
    weight: FlexTensor,
    bias: FlexTensor,
    epsilon: f32,
}

/// Parents: the map, weight and bias.
impl Backward<Flex, 3> for LayerNormStep {
    type State = SavedLayerNorm;

    fn backward(self, ops: Ops<SavedLayerNorm, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let SavedLayerNorm { input, weight, bias, epsilon } = ops.state;
        let [weight, bias] = [&weight, &bias].map(Values::new);
        let layer = LayerNorm { weight: weight.of(), bias: bias.of(), epsilon };
        let mut parameters = None;
        let found = with_element!(gradient.dtype(), T => written(MapShape::of(&input).to_array(), |to| {
            let (input, gradient) = (Values::new(&input), Values::new(&gradient));
            parameters = Some(layer.backward(Isa::best(), input.of::<T>(), gradient.of(), to));
        }));
        let [map, weight, bias] = ops.parents;
        if let Some(map) = map {
            gradients.register::<Flex>(map.id, found);
        }
        if let Some(parameters) = parameters {
            for (parent, found) in [(weight, parameters.weight), (bias, parameters.bias)] {
                if let Some(parent) = parent {
                    gradients.register::<Flex>(parent.id, vector(found));
                }
            }
        }
    }
}
