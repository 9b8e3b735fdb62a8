//! Gradients of the operations: each a node of Burn's graph with a backward pass of its own.

mod frozen;
mod norm;
pub(super) mod record;

use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::FloatDType;
use burn_flex::FlexTensor;

use super::flex::{conv_shape, max_pool2d, pool_shape, statistics};
use super::folded_conv_cache::FoldedConvCache;
use super::map::{MapElement, MapShape, Values, with_element, written};
use super::{ConvGeometry, FixedNorm, NetworkOps, Normalised, Optional, PoolGeometry};
use crate::clamp::Clamp;
use crate::conv::{self, Direction, PackedWeights};
use crate::isa::Isa;
use crate::{elementwise, pool};

use frozen::{ConvFrozenNorm, SavedConvFrozenNorm};
use norm::Layer;
use record::record;

impl<C: CheckpointStrategy> NetworkOps for Autodiff<Flex, C> {
    fn to_map(planes: FloatTensor<Self>, dtype: FloatDType) -> FloatTensor<Self> {
        let (planes, node) = planes.into_parts();
        let output = Flex::to_map(planes, dtype);
        ToMap.prepare::<C>([node]).compute_bound().stateless(output)
    }

    fn from_map(map: FloatTensor<Self>) -> FloatTensor<Self> {
        let (map, node) = map.into_parts();
        let dtype = map.dtype().into();
        record::<_, C, 1>(FromMap, [node], Flex::from_map(map), || dtype)
    }

    fn map_conv2d(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Optional<Self>,
        geometry: ConvGeometry,
    ) -> FloatTensor<Self> {
        let (weight, weight_node) = weight.into_parts();
        let (bias, bias_node) = split(bias);
        let output = Flex::map_conv2d(input.primitive().clone(), weight.clone(), bias, geometry);
        match bias_node {
            None => record_conv::<C, 2>([input.node(), weight_node], &input, weight, geometry, output),
            Some(bias_node) => {
                record_conv::<C, 3>([input.node(), weight_node, bias_node], &input, weight, geometry, output)
            }
        }
    }

    fn map_conv2d_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: Optional<Self>,
        geometry: ConvGeometry,
        norm: FixedNorm<Self>,
        epsilon: f32,
        residual: Optional<Self>,
        activation: Clamp,
        _folded: &FoldedConvCache,
    ) -> FloatTensor<Self> {
        if let Optional::Given(_) = bias {
            let map = Self::map_conv2d(input, weight, bias, geometry);
            return Self::map_norm_fixed(map, norm, epsilon, residual, activation);
        }
        let ((input, input_node), (weight, weight_node)) = (input.into_parts(), weight.into_parts());
        let (residual, residual_node) = split(residual);
        let FixedNorm { weight: scale, bias: shift, mean, variance } = norm;
        let [scale, shift, mean, variance] =
            [scale, shift, mean, variance].map(FloatTensor::<Self>::into_primitive);
        let norm = FixedNorm::<Flex> { weight: scale, bias: shift, mean, variance };
        // Weights that learn are others at every step: nothing is worth keeping, and what is kept cannot change in place.
        let folded = FoldedConvCache::default();
        let output = Flex::map_conv2d_norm(
            input.clone(),
            weight.clone(),
            Optional::Absent,
            geometry,
            norm.clone(),
            epsilon,
            residual,
            activation,
            &folded,
        );
        let saved = output.clone();
        let state =
            || SavedConvFrozenNorm { input, weight, geometry, norm, epsilon, output: saved, activation };
        match residual_node {
            None => record::<_, C, 2>(ConvFrozenNorm, [input_node, weight_node], output, state),
            Some(residual_node) => {
                record::<_, C, 3>(ConvFrozenNorm, [input_node, weight_node, residual_node], output, state)
            }
        }
    }

    fn map_norm_train(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f32,
        residual: Optional<Self>,
        activation: Clamp,
    ) -> Normalised<Self> {
        let parameters = [&weight, &bias].map(|tensor| tensor.primitive().clone());
        let [scale, shift] = parameters.clone();
        let (residual, residual_node) = split(residual);
        let (output, mean, variance) =
            Flex::map_norm_train(input.primitive().clone(), scale, shift, epsilon, residual, activation);
        let statistics = statistics(&mean, &variance);
        let layer = Layer { parameters, epsilon, statistics, of_batch: true, activation };
        let output = layer.record::<C>([&input, &weight, &bias], residual_node, output);
        (output, FloatTensor::<Self>::new(mean), FloatTensor::<Self>::new(variance))
    }

    fn map_norm_fixed(
        input: FloatTensor<Self>,
        norm: FixedNorm<Self>,
        epsilon: f32,
        residual: Optional<Self>,
        activation: Clamp,
    ) -> FloatTensor<Self> {
        let FixedNorm { weight, bias, mean, variance } = norm;
        let parameters = [&weight, &bias].map(|tensor| tensor.primitive().clone());
        let [scale, shift] = parameters.clone();
        let (residual, residual_node) = split(residual);
        let (mean, variance) = (mean.into_primitive(), variance.into_primitive());
        let statistics = statistics(&mean, &variance);
        let given = FixedNorm { weight: scale, bias: shift, mean, variance };
        let output = Flex::map_norm_fixed(input.primitive().clone(), given, epsilon, residual, activation);
        let layer = Layer { parameters, epsilon, statistics, of_batch: false, activation };
        layer.record::<C>([&input, &weight, &bias], residual_node, output)
    }

    fn map_activate(
        input: FloatTensor<Self>,
        residual: Optional<Self>,
        activation: Clamp,
    ) -> FloatTensor<Self> {
        let (input, node) = input.into_parts();
        let (residual, residual_node) = split(residual);
        let output = Flex::map_activate(input, residual, activation);
        let saved = output.clone();
        let state = || SavedActivation { output: saved, activation };
        match residual_node {
            None => record::<_, C, 1>(Activate, [node], output, state),
            Some(residual_node) => record::<_, C, 2>(Activate, [node, residual_node], output, state),
        }
    }

    fn map_fork(input: FloatTensor<Self>) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let gradient = FirstArm::default();
        let arm = |input: FloatTensor<Self>| {
            let (map, node) = input.into_parts();
            record::<_, C, 1>(Arm, [node], map, || gradient.clone())
        };
        (arm(input.clone()), arm(input))
    }

    fn map_max_pool2d(input: FloatTensor<Self>, geometry: PoolGeometry) -> FloatTensor<Self> {
        let (input, node) = input.into_parts();
        let map = MapShape::of(&input);
        let (output, taps) = with_element!(input.dtype(), T => max_pool2d::<T>(&input, geometry));
        record::<_, C, 1>(MaxPool, [node], output, || SavedMaxPool { map, geometry, taps })
    }

    fn map_average(input: FloatTensor<Self>) -> FloatTensor<Self> {
        let (input, node) = input.into_parts();
        let (map, dtype) = (MapShape::of(&input), input.dtype().into());
        record::<_, C, 1>(Average, [node], Flex::map_average(input), || SavedAverage { map, dtype })
    }
}

/// An optional tensor, and its node in the graph.
fn split<C: CheckpointStrategy>(tensor: Optional<Autodiff<Flex, C>>) -> (Optional<Flex>, Option<NodeGuard>) {
    match tensor {
        Optional::Given(tensor) => {
            let (tensor, node) = tensor.into_parts();
            (Optional::Given(tensor), Some(node))
        }
        Optional::Absent => (Optional::Absent, None),
    }
}

#[derive(Debug)]
struct ToMap;

impl Backward<Flex, 1> for ToMap {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        if let [Some(planes)] = ops.parents {
            gradients.register::<Flex>(planes.id, Flex::from_map(gradient));
        }
    }
}

#[derive(Debug)]
struct FromMap;

impl Backward<Flex, 1> for FromMap {
    type State = FloatDType;

    fn backward(self, ops: Ops<FloatDType, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        if let [Some(map)] = ops.parents {
            gradients.register::<Flex>(map.id, Flex::to_map(gradient, ops.state));
        }
    }
}

#[derive(Debug)]
struct Conv;

#[derive(Clone, Debug)]
struct SavedConv {
    /// Whose output it read: kept, or computed again.
    input: NodeId,
    weight: FlexTensor,
    geometry: ConvGeometry,
}

fn record_conv<C: CheckpointStrategy, const N: usize>(
    nodes: [NodeGuard; N],
    input: &FloatTensor<Autodiff<Flex, C>>,
    weight: FlexTensor,
    geometry: ConvGeometry,
    output: FlexTensor,
) -> FloatTensor<Autodiff<Flex, C>> {
    match Conv.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let input = prepared.checkpoint(input);
            prepared.finish(SavedConv { input, weight, geometry }, output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

/// Parents: input, weight, and the bias where there is one.
impl<const N: usize> Backward<Flex, N> for Conv {
    type State = SavedConv;

    fn backward(self, ops: Ops<SavedConv, N>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let wanted = ops.parents.map(|parent| parent.map(|node| node.id));
        let input = checkpointer.retrieve_node_output::<FlexTensor>(ops.state.input);
        let found = with_element!(gradient.dtype(), T => {
            conv_gradients::<T, N>(&ops.state, &input, &gradient, wanted.each_ref().map(Option::is_some))
        });
        for (id, found) in wanted.into_iter().zip(found) {
            if let (Some(id), Some(found)) = (id, found) {
                gradients.register::<Flex>(id, found);
            }
        }
    }
}

fn conv_gradients<T: MapElement, const N: usize>(
    SavedConv { weight, geometry, .. }: &SavedConv,
    input: &FlexTensor,
    gradient: &FlexTensor,
    wanted: [bool; N],
) -> [Option<FlexTensor>; N] {
    let (isa, shape) = (Isa::best(), conv_shape(input, weight, *geometry));
    let gradient = Values::new(gradient);
    let gradient = gradient.of::<T>();
    std::array::from_fn(|parent| {
        wanted[parent].then(|| match parent {
            0 => written(MapShape::of(input).to_array(), |to| {
                let weights = Values::new(weight);
                let weights = PackedWeights::<T>::new(isa, &shape, Direction::InputGradient, weights.of());
                conv::input_gradient(&shape, gradient, &weights, to);
            }),
            1 => written(weight.layout().shape().clone(), |to| {
                conv::weight_gradient(isa, &shape, Values::new(input).of::<T>(), gradient, to);
            }),
            _ => written([shape.options().outputs], |to| conv::bias_gradient(isa, &shape, gradient, to)),
        })
    })
}

#[derive(Debug)]
struct Activate;

#[derive(Clone, Debug)]
struct SavedActivation {
    output: FlexTensor,
    activation: Clamp,
}

/// Parents: the input, and the residual where there is one; both get the same gradient.
impl<const N: usize> Backward<Flex, N> for Activate {
    type State = SavedActivation;

    fn backward(self, ops: Ops<SavedActivation, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let SavedActivation { output, activation } = &ops.state;
        let passed = with_element!(gradient.dtype(), T => {
            written(output.layout().shape().clone(), |to| {
                let (output, gradient) = (Values::new(output), Values::new(&gradient));
                elementwise::activate_backward(Isa::best(), *activation, output.of::<T>(), gradient.of(), to);
            })
        });
        for parent in ops.parents.into_iter().flatten() {
            gradients.register::<Flex>(parent.id, passed.clone());
        }
    }
}

/// One of a fork's two arms.
///
/// Burn would add the arms' gradients itself, on one thread. Here the arm that comes first leaves its gradient to the
/// second, which passes the sum on.
#[derive(Debug)]
struct Arm;

/// The gradient of the arm that came first.
type FirstArm = Arc<Mutex<Option<FlexTensor>>>;

impl Backward<Flex, 1> for Arm {
    type State = FirstArm;

    fn backward(self, ops: Ops<FirstArm, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let [Some(input)] = ops.parents else { return };
        let mut first = ops.state.lock().unwrap_or_else(PoisonError::into_inner);
        match first.take() {
            None => *first = Some(gradient),
            Some(other) => {
                let sum = Flex::map_activate(gradient, Optional::Given(other), Clamp::Identity);
                gradients.register::<Flex>(input.id, sum);
            }
        }
    }
}

#[derive(Debug)]
struct MaxPool;

#[derive(Clone, Debug)]
struct SavedMaxPool {
    map: MapShape,
    geometry: PoolGeometry,
    taps: Vec<u8>,
}

impl Backward<Flex, 1> for MaxPool {
    type State = SavedMaxPool;

    fn backward(self, ops: Ops<SavedMaxPool, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let [Some(input)] = ops.parents else { return };
        let SavedMaxPool { map, geometry, taps } = ops.state;
        let found = with_element!(gradient.dtype(), T => written(map.to_array(), |to| {
            let gradient = Values::new(&gradient);
            pool::max_pool_backward(Isa::best(), &pool_shape(map, geometry), &taps, gradient.of::<T>(), to);
        }));
        gradients.register::<Flex>(input.id, found);
    }
}

#[derive(Debug)]
struct Average;

#[derive(Clone, Debug)]
struct SavedAverage {
    map: MapShape,
    dtype: FloatDType,
}

impl Backward<Flex, 1> for Average {
    type State = SavedAverage;

    fn backward(self, ops: Ops<SavedAverage, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let gradient = gradients.consume::<Flex>(&ops.node);
        let [Some(input)] = ops.parents else { return };
        let SavedAverage { map, dtype } = ops.state;
        let found = with_element!(dtype.into(), T => written(map.to_array(), |to: &mut [T]| {
            let gradient = Values::new(&gradient);
            pool::global_average_pool_backward(Isa::best(), map.channels, gradient.of(), to);
        }));
        gradients.register::<Flex>(input.id, found);
    }
}
