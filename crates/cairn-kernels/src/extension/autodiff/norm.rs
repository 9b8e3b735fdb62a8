//! The gradients of batch norm with residual add and activation.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::retro_forward::RetroForward;
use burn::backend::autodiff::checkpoint::state::BackwardStates;
use burn::backend::autodiff::checkpoint::strategy::{BalancedCheckpointing, CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;

use super::record::record;
use crate::batch_norm::{BatchNorm, ResidualBackward, Source, Statistics};
use crate::clamp::Clamp;
use crate::extension::Optional;
use crate::extension::flex::normalise;
use crate::extension::map::{MapElement, MapShape, Values, vector, with_element, written};
use crate::isa::Isa;

#[derive(Debug)]
struct Norm;

/// A batch norm with what follows it, and what it went by.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Weight and bias.
    pub(super) parameters: [FlexTensor; 2],
    pub(super) epsilon: f32,
    pub(super) statistics: Statistics,
    /// Whether the statistics are the batch's own.
    pub(super) of_batch: bool,
    pub(super) activation: Clamp,
}

#[derive(Clone, Debug)]
struct SavedNorm {
    layer: Layer,
    input: FlexTensor,
    /// Kept where there is a residual: without one, it is computed again.
    output: Option<FlexTensor>,
}

impl Layer {
    /// Enters the norm into the graph. Its parents: input, weight, bias, and the residual where there is one.
    ///
    /// Without a residual, a convolution that reads the output has it computed again on the way back, whatever the strategy:
    /// that takes a hundredth of a step, and the map need not be kept beside the norm's input.
    pub(super) fn record<C: CheckpointStrategy>(
        self,
        parents: [&FloatTensor<Autodiff<Flex, C>>; 3],
        residual: Option<NodeGuard>,
        output: FlexTensor,
    ) -> FloatTensor<Autodiff<Flex, C>> {
        let [input, weight, bias] = parents.map(|parent| parent.node());
        let saved = |output| SavedNorm { input: parents[0].primitive().clone(), layer: self.clone(), output };
        if let Some(residual) = residual {
            let kept = Some(output.clone());
            return record::<_, C, 4>(Norm, [input, weight, bias, residual], output, || saved(kept));
        }
        let again = Again { layer: self.clone(), input: input.id() };
        let prepared =
            Norm.prepare::<BalancedCheckpointing>([input, weight, bias]).memory_bound().retro_forward(again);
        match prepared.parents(parents).stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(saved(None), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

/// Computes a norm's output again, from its input.
#[derive(Debug)]
struct Again {
    layer: Layer,
    input: NodeId,
}

impl RetroForward for Again {
    fn forward(&self, states: &mut BackwardStates, node: NodeId) {
        let input = states.get_state::<FlexTensor>(&self.input);
        let Layer { parameters: [weight, bias], epsilon, statistics, activation, .. } = &self.layer;
        let output = normalise(&input, [weight, bias], *epsilon, statistics, &Optional::Absent, *activation);
        states.save(node, output);
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
    let Layer { ref parameters, epsilon, ref statistics, of_batch, activation } = saved.layer;
    let [weight, bias] = parameters.each_ref().map(Values::new);
    let layer = BatchNorm { weight: weight.of(), bias: bias.of(), epsilon };
    let source = if of_batch { Source::Batch(statistics) } else { Source::Given(statistics) };
    let (values, gradient) = (Values::new(&saved.input), Values::new(gradient));
    let shape = MapShape::of(&saved.input).to_array();
    let mut parameters = None;
    let mut run = |residual: Option<ResidualBackward<'_, T>>| {
        written(shape, |to| {
            let (values, gradient) = (values.of::<T>(), gradient.of::<T>());
            parameters =
                Some(layer.backward(Isa::best(), source, values, activation, gradient, residual, to));
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
