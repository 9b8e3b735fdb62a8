//! What passes through a network: tensors, or places in a graph that is being traced.
//!
//! A network's code is written once, on [`Traceable`] values. Each operation says both what it computes and what a graph
//! calls it. It computes on tensors at once, and it adds a node where it meets a place in a graph.

use burn::nn::Dropout;
use burn::tensor::Tensor;
use burn::tensor::module::adaptive_avg_pool2d;
use cairn_kernels::Activation;
use cairn_kernels::layers::{self, PoolGeometry};

use crate::Precision;
use crate::graph::Op;
use crate::layers::dropped;
use crate::trace::Traced;

/// A tensor of `D` axes, or its place in a graph.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a pass holds a handful of them")]
pub(crate) enum Traceable<const D: usize> {
    Eager(Tensor<D>),
    Traced(Traced),
}

/// A map, `[batch, height, width, channels]`: pixel by pixel from the photo to the last pool.
pub(crate) type FeatureMap = Traceable<4>;

/// A vector for each photo, `[batch, features]`, of f32.
pub(crate) type Features = Traceable<2>;

impl<const D: usize> Traceable<D> {
    /// The tensor, in a pass that computes.
    ///
    /// # Panics
    /// In a pass that traces. A pass begins with one value, of either kind, and every operation gives the kind that
    /// it takes, so that the two never meet.
    pub(crate) fn tensor(self) -> Tensor<D> {
        match self {
            Self::Eager(tensor) => tensor,
            Self::Traced(traced) => panic!("{traced:?} is traced, not computed"),
        }
    }

    /// The place in the graph, in a pass that traces.
    ///
    /// # Panics
    /// In a pass that computes, as [`Traceable::tensor`] in one that traces.
    pub(crate) fn traced(self) -> Traced {
        match self {
            Self::Traced(traced) => traced,
            Self::Eager(tensor) => panic!("a tensor {:?} is computed, not traced", tensor.dims()),
        }
    }

    /// The result of `compute` on the tensor, or what `record` adds to the graph.
    pub(crate) fn apply<const E: usize>(
        self,
        compute: impl FnOnce(Tensor<D>) -> Tensor<E>,
        record: impl FnOnce(Traced) -> Traced,
    ) -> Traceable<E> {
        match self {
            Self::Eager(tensor) => Traceable::Eager(compute(tensor)),
            Self::Traced(traced) => Traceable::Traced(record(traced)),
        }
    }

    /// Dropout.
    pub(crate) fn dropout(self, dropout: &Dropout) -> Self {
        self.apply(|x| dropped(x, dropout), |x| x.then(Op::Dropout))
    }
}

impl FeatureMap {
    /// From photos, `[batch, 3, height, width]`.
    pub(crate) fn from_images(images: Tensor<4>, precision: Precision) -> Self {
        Self::Eager(layers::to_map(images, precision.dtype()))
    }

    /// An activation function.
    pub(crate) fn activate(self, activation: Activation) -> Self {
        self.apply(|x| layers::activate(x, None, activation), |x| x.activated(activation))
    }

    /// ReLU.
    pub(crate) fn relu(self) -> Self {
        self.activate(Activation::Relu)
    }

    /// The 2 x 2 max pool with stride 2 that halves a map, dropping an odd last row or column.
    pub(crate) fn halve(self) -> Self {
        self.max_pool(PoolGeometry { window: 2, stride: 2, padding: 0, ceil_mode: false })
    }

    /// The map twice, where a block's path and its skip part. Both must come together again.
    pub(crate) fn fork(self) -> [Self; 2] {
        match self {
            Self::Eager(tensor) => layers::fork(tensor).map(Self::Eager),
            Self::Traced(traced) => [Self::Traced(traced.clone()), Self::Traced(traced)],
        }
    }

    /// The greatest of every window.
    pub(crate) fn max_pool(self, geometry: PoolGeometry) -> Self {
        let PoolGeometry { window, stride, padding, ceil_mode } = geometry;
        let op = Op::MaxPool { kernel: [window; 2], stride: [stride; 2], padding: [padding; 2], ceil_mode };
        self.apply(|x| layers::max_pool2d(x, geometry), |x| x.then(op))
    }

    /// Mean over the pixels: `[batch, channels]`.
    pub(crate) fn average(self) -> Features {
        self.apply(layers::average, |x| x.then(Op::GlobalAveragePool).then(Op::Flatten))
    }

    /// Mean over the pixels, as a map of one pixel of f32: `[batch, 1, 1, channels]`.
    pub(crate) fn average_pixel(self) -> Self {
        self.apply(|x| as_pixels(layers::average(x)), |x| x.then(Op::GlobalAveragePool))
    }

    /// The means of `side` by `side` windows that cover the map between them, as PyTorch's `AdaptiveAvgPool2d` cuts it.
    pub(crate) fn adaptive_average(self, side: usize) -> Self {
        let compute = |x: Tensor<4>| {
            let [_, height, width, _] = x.dims();
            if [height, width] == [side; 2] {
                return x;
            }
            let dtype = x.dtype().into();
            layers::to_map(adaptive_avg_pool2d(layers::from_map(x), [side; 2]), dtype)
        };
        self.apply(compute, |x| x.then(Op::AdaptiveAveragePool { output: [side; 2] }))
    }

    /// The sum of two maps.
    pub(crate) fn add(self, other: Self) -> Self {
        let compute = |x, other| layers::activate(x, Some(other), Activation::Identity);
        self.combine(other, compute, |x, other| x.in_layer_with(Op::Add, &other))
    }

    /// The channels of two maps, one after the other.
    pub(crate) fn concat(self, other: Self) -> Self {
        let compute = |x, other| Tensor::cat(vec![x, other], 3);
        self.combine(other, compute, |x, other| x.join(Op::Concat, &other))
    }

    /// Every pixel times `factors`, a map of one pixel of f32.
    pub(crate) fn scale(self, factors: Self) -> Self {
        let compute = |x, factors| layers::scale(x, as_vectors(factors));
        self.combine(factors, compute, |x, factors| x.join(Op::Mul, &factors))
    }

    fn combine(
        self,
        other: Self,
        compute: impl FnOnce(Tensor<4>, Tensor<4>) -> Tensor<4>,
        record: impl FnOnce(Traced, Traced) -> Traced,
    ) -> Self {
        match self {
            Self::Eager(tensor) => Self::Eager(compute(tensor, other.tensor())),
            Self::Traced(traced) => Self::Traced(record(traced, other.traced())),
        }
    }

    /// All values of each photo, channel by channel as PyTorch flattens: `[batch, channels * height * width]`.
    pub(crate) fn flatten(self) -> Features {
        self.apply(|x| layers::from_map(x).flatten(1, 3), |x| x.then(Op::Flatten))
    }
}

impl Features {
    /// An activation function.
    pub(crate) fn activate(self, activation: Activation) -> Self {
        self.into_pixels().activate(activation).into_vectors()
    }

    /// ReLU.
    pub(crate) fn relu(self) -> Self {
        self.activate(Activation::Relu)
    }

    /// As maps of one pixel, for the layers that maps and vectors share. In a graph a vector stays what it is.
    pub(crate) fn into_pixels(self) -> FeatureMap {
        self.apply(as_pixels, |x| x)
    }
}

impl FeatureMap {
    /// What [`Features::into_pixels`] made, as vectors again.
    pub(crate) fn into_vectors(self) -> Features {
        self.apply(as_vectors, |x| x)
    }
}

/// `[batch, channels]` to `[batch, 1, 1, channels]`.
fn as_pixels(x: Tensor<2>) -> Tensor<4> {
    let [batch, channels] = x.dims();
    x.reshape([batch, 1, 1, channels])
}

/// `[batch, 1, 1, channels]` to `[batch, channels]`.
fn as_vectors(x: Tensor<4>) -> Tensor<2> {
    let [batch, _, _, channels] = x.dims();
    x.reshape([batch, channels])
}
