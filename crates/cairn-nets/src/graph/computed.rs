//! A graph computed for a batch of photos: the output of every node, and gradients at any.

use std::collections::BTreeMap;

use burn::tensor::{FloatDType, Tensor};
use cairn_kernels::layers;

use super::{Graph, GraphError, NodeId, TensorShapes};
use crate::StateDict;

/// A [`Graph`] with the values of its nodes, in f32.
///
/// Outputs are `[batch, height, width, channels]`; a vector is a map of one pixel.
#[derive(Debug)]
pub struct ComputedGraph<'a> {
    graph: &'a Graph,
    weights: &'a StateDict,
    outputs: Vec<Tensor<4>>,
}

impl Graph {
    /// Computes every node for normalised photos, `[batch, 3, height, width]` of the sides that the graph is for, with
    /// the tensors of `weights`.
    ///
    /// # Errors
    /// The first node that does not fit.
    pub fn compute<'a>(
        &'a self,
        weights: &'a StateDict,
        images: Tensor<4>,
    ) -> Result<ComputedGraph<'a>, GraphError> {
        let shapes: TensorShapes = weights.shapes().collect();
        self.infer(&shapes)?;
        let mut outputs: Vec<Tensor<4>> = Vec::with_capacity(self.nodes.len());
        for (_, node) in self.nodes() {
            let output = if node.inputs.is_empty() {
                layers::to_map(images.clone(), FloatDType::F32)
            } else {
                let inputs = node.inputs.iter().map(|input| outputs[input.index()].clone()).collect();
                node.op.compute(inputs, weights).map_err(|problem| node.fault(problem))?
            };
            outputs.push(output);
        }
        Ok(ComputedGraph { graph: self, weights, outputs })
    }
}

impl ComputedGraph<'_> {
    /// The value of a node.
    pub fn output(&self, node: NodeId) -> Tensor<4> {
        self.outputs[node.index()].clone()
    }

    /// The logits, `[batch, classes]`.
    pub fn logits(&self) -> Tensor<2> {
        let logits = self.output(self.graph.output());
        let [batch, _, _, classes] = logits.dims();
        logits.reshape([batch, classes])
    }

    /// How the logit of `class` changes with each value of a node's output, of whose shape the gradient is; zeros where
    /// the logits do not depend on the node. Every photo's is of its own logit.
    ///
    /// Only the nodes after this one are computed again, with gradients.
    ///
    /// # Errors
    /// None that [`Graph::compute`] has not had.
    pub fn gradient(&self, node: NodeId, class: usize) -> Result<Tensor<4>, GraphError> {
        let start = self.output(node).autodiff().require_grad();
        let mut dependent = BTreeMap::from([(node, start.clone())]);
        for (id, step) in self.graph.nodes() {
            if !step.inputs.iter().any(|input| dependent.contains_key(input)) {
                continue;
            }
            let input = |input: &NodeId| match dependent.get(input) {
                Some(output) => output.clone(),
                None => self.output(*input).autodiff(),
            };
            let inputs = step.inputs.iter().map(input).collect();
            let output = step.op.compute(inputs, self.weights);
            dependent.insert(id, output.map_err(|problem| step.fault(problem))?);
        }
        let zeros = || self.output(node).zeros_like();
        let Some(logits) = dependent.remove(&self.graph.output()) else { return Ok(zeros()) };
        // Summed over the photos, which know nothing of each other.
        let gradients = logits.narrow(3, class, 1).sum().backward();
        Ok(start.grad(&gradients).unwrap_or_else(zeros))
    }
}
