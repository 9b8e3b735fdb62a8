//! The gradients of a convolution whose batch norm is frozen and folded into it: fine-tuning at the price of evaluation.
//!
//! With a norm that does not learn, `activation(scale * conv(x, w) + shift + residual)` is `activation(conv(x, scale * w) +
//! shift + residual)`. So the map between convolution and norm is never written, forward or backward.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn_flex::FlexTensor;

use crate::batch_norm::{BatchNorm, FoldedBatchNorm};
use crate::clamp::Clamp;
use crate::conv::{self, Direction, PackedWeights};
use crate::elementwise;
use crate::extension::flex::{conv_shape, statistics};
use crate::extension::map::{MapElement, MapShape, Values, with_element, written};
use crate::extension::{ConvGeometry, FixedNorm};
use crate::isa::Isa;

#[derive(Debug)]
pub(super) struct ConvFrozenNorm;

#[derive(Clone, Debug)]
pub(super) struct SavedConvFrozenNorm {
    pub(super) input: FlexTensor,
    pub(super) weight: FlexTensor,
    pub(super) geometry: ConvGeometry,
    pub(super) norm: FixedNorm<Flex>,
    pub(super) epsilon: f32,
    pub(super) output: FlexTensor,
    pub(super) activation: Clamp,
}

/// Parents: input, weight, and the residual where there is one.
impl<const N: usize> Backward<Flex, N> for ConvFrozenNorm {
    type State = SavedConvFrozenNorm;

    fn backward(self, ops: Ops<SavedConvFrozenNorm, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let wanted = ops.parents.map(|parent| parent.map(|node| node.id));
        let found: [_; N] = with_element!(gradient.dtype(), T => {
            let before = ops.state.before_activation::<T>(gradient);
            std::array::from_fn(|parent| wanted[parent].is_some().then(|| match parent {
                0 => ops.state.to_input::<T>(&before),
                1 => ops.state.to_weight::<T>(&before),
                _ => before.clone(),
            }))
        });
        for (id, found) in wanted.into_iter().zip(found) {
            if let (Some(id), Some(found)) = (id, found) {
                gradients.register::<Flex>(id, found);
            }
        }
    }
}

impl SavedConvFrozenNorm {
    /// The gradient before the activation, which is also the residual's.
    fn before_activation<T: MapElement>(&self, gradient: FlexTensor) -> FlexTensor {
        if self.activation == Clamp::Identity {
            return gradient;
        }
        let (output, gradient) = (Values::new(&self.output), Values::new(&gradient));
        written(self.output.layout().shape().clone(), |to| {
            elementwise::activate_backward(Isa::best(), self.activation, output.of::<T>(), gradient.of(), to);
        })
    }

    fn to_input<T: MapElement>(&self, gradient: &FlexTensor) -> FlexTensor {
        let shape = conv_shape(&self.input, &self.weight, self.geometry);
        let folded = self.scaled(Values::new(&self.weight).of());
        written(MapShape::of(&self.input).to_array(), |to| {
            let weights = PackedWeights::<T>::new(Isa::best(), &shape, Direction::InputGradient, &folded);
            conv::input_gradient(&shape, Values::new(gradient).of::<T>(), &weights, to);
        })
    }

    fn to_weight<T: MapElement>(&self, gradient: &FlexTensor) -> FlexTensor {
        let shape = conv_shape(&self.input, &self.weight, self.geometry);
        let kernel = self.weight.layout().shape().clone();
        let mut folded = vec![0.0; kernel.num_elements()];
        let (input, gradient) = (Values::new(&self.input), Values::new(gradient));
        conv::weight_gradient(Isa::best(), &shape, input.of::<T>(), gradient.of::<T>(), &mut folded);
        written(kernel, |to| to.copy_from_slice(&self.scaled(&folded)))
    }

    /// Weights, or the gradient to folded ones, each output channel times the norm's scale.
    fn scaled(&self, weights: &[f32]) -> Vec<f32> {
        let FixedNorm { weight, bias, mean, variance } = &self.norm;
        let [weight, bias] = [weight, bias].map(Values::new);
        let layer = BatchNorm { weight: weight.of(), bias: bias.of(), epsilon: self.epsilon };
        FoldedBatchNorm::new(&layer, &statistics(mean, variance), weights, None).weights
    }
}
