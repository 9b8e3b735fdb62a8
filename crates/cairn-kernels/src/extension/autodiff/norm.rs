//! The gradients of batch norm with residual add and activation.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;

use super::record;
use crate::activation::Activation;
use crate::batch_norm::{BatchNorm, ResidualBackward, Source, Statistics};
use crate::extension::map::{MapElement, MapShape, Values, vector, with_element, written};
use crate::isa::Isa;

#[derive(Debug)]
pub(super) struct Norm;

#[derive(Clone, Debug)]
pub(super) struct SavedNorm {
    pub(super) input: FlexTensor,
    pub(super) weight: FlexTensor,
    pub(super) bias: FlexTensor,
    pub(super) epsilon: f32,
    pub(super) statistics: Statistics,
    /// Whether the statistics are the batch's own.
    pub(super) of_batch: bool,
    pub(super) activation: Activation,
    /// Kept where there is a residual: without one, it is computed again.
    pub(super) output: Option<FlexTensor>,
}

pub(super) fn record_norm<C: CheckpointStrategy>(
    [input, weight, bias]: [NodeGuard; 3],
    residual: Option<NodeGuard>,
    output: FlexTensor,
    saved: SavedNorm,
) -> FloatTensor<Autodiff<Flex, C>> {
    match residual {
        None => record::<_, C, 3>(Norm, [input, weight, bias], output, || saved),
        Some(residual) => {
            let saved = SavedNorm { output: Some(output.clone()), ..saved };
            record::<_, C, 4>(Norm, [input, weight, bias, residual], output, || saved)
        }
    }
}

/// Parents: input, weight, bias, and the residual where there is one.
impl<const N: usize> Backward<Flex, N> for Norm {
    type State = SavedNorm;

    fn backward(self, ops: Ops<SavedNorm, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let found = with_element!(gradient.dtype(), T => norm_gradients::<T>(&ops.state, &gradient));
        for (parent, found) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(found)) = (parent, found) {
                gradients.register::<Flex>(parent.id, found);
            }
        }
    }
}

/// To input, weight, bias and residual.
fn norm_gradients<T: MapElement>(saved: &SavedNorm, gradient: &FlexTensor) -> [Option<FlexTensor>; 4] {
    let [weight, bias] = [&saved.weight, &saved.bias].map(Values::new);
    let layer = BatchNorm { weight: weight.of(), bias: bias.of(), epsilon: saved.epsilon };
    let source =
        if saved.of_batch { Source::Batch(&saved.statistics) } else { Source::Given(&saved.statistics) };
    let (values, gradient) = (Values::new(&saved.input), Values::new(gradient));
    let shape = MapShape::of(&saved.input).to_array();
    let mut parameters = None;
    let mut run = |residual: Option<ResidualBackward<'_, T>>| {
        written(shape, |to| {
            let (values, gradient) = (values.of::<T>(), gradient.of::<T>());
            parameters =
                Some(layer.backward(Isa::best(), source, values, saved.activation, gradient, residual, to));
        })
    };
    let (input, residual) = match saved.output.as_ref().map(Values::new) {
        None => (run(None), None),
        Some(output) => {
            let mut input = None;
            let residual = written(shape, |to| {
                input = Some(run(Some(ResidualBackward { output: output.of::<T>(), gradient: to })));
            });
            (input.expect("it was just made"), Some(residual))
        }
    };
    let parameters = parameters.expect("they come with the input's gradient");
    [Some(input), Some(vector(parameters.weight)), Some(vector(parameters.bias)), residual]
}
