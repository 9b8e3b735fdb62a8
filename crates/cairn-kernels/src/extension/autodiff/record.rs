//! How an operation enters the graph.

use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, NodeGuard, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn_flex::FlexTensor;

/// Enters an operation into the graph; `state` is made only where a backward pass will want it.
pub(in crate::extension) fn record<BO, C, const N: usize>(
    operation: BO,
    nodes: [NodeGuard; N],
    output: FlexTensor,
    state: impl FnOnce() -> BO::State,
) -> FloatTensor<Autodiff<Flex, C>>
where
    BO: Backward<Flex, N>,
    C: CheckpointStrategy,
{
    match operation.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state(), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}
