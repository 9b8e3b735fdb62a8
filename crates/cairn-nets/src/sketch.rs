//! An architecture's graph and the shapes of all in it, for which no weights are drawn.

use std::collections::BTreeMap;

use burn::tensor::Device;

use crate::architecture::{Architecture, NetworkSpec};
use crate::graph::{Graph, GraphError, Inferred, TensorShapes};
use crate::network::Network;
use crate::pooling::Pooling;

/// A network without weights.
pub(crate) struct Sketch {
    pub(crate) network: Network,
    /// The shape of each tensor of its state dict, by name.
    pub(crate) tensors: BTreeMap<String, Vec<usize>>,
    pub(crate) graph: Graph,
    /// What is known of each node of the graph, in their order.
    pub(crate) nodes: Vec<Inferred>,
}

impl Architecture {
    /// The network for so many classes and photos of this side.
    ///
    /// # Errors
    /// When the graph does not fit the tensors or the photos.
    pub(crate) fn sketch(self, classes: usize, side: usize) -> Result<Sketch, GraphError> {
        let spec = NetworkSpec { architecture: self, classes, side, dropout: 0.0, pooling: Pooling::Average };
        let network = spec.construct(&Device::flex());
        let tensors = network.tensor_shapes();
        let graph = network.graph(side);
        let shapes: TensorShapes =
            tensors.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
        let nodes = graph.infer(&shapes)?;
        Ok(Sketch { network, tensors, graph, nodes })
    }
}
