//! A network as pure data: what it computes, step by step, without the tensors.
//!
//! A network fills a [`Graph`] by following its own forward pass; whoever writes it down in another format (ONNX,
//! TorchScript), counts what it costs or computes it node by node ([`ComputedGraph`]) reads it.

mod compute;
mod computed;
mod op;
mod shapes;

use std::fmt;

pub use computed::ComputedGraph;
pub use op::{ConvPadding, Op};
pub use shapes::{GraphError, Inferred, NodeProblem, TensorShapes};

/// A network's evaluation, from a normalised photo to the logits: nodes in the order in which they can be computed.
///
/// The first node is the input, the last one the output. Shapes are those of one photo, without the batch: a map is
/// `[channels, height, width]`, a vector `[channels]`. Channels come first everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
}

/// One step of a [`Graph`].
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What its output is called; no two nodes share a name.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Which nodes' outputs it takes, in the order in which the operation takes them.
    pub inputs: Vec<NodeId>,
}

/// A node of a [`Graph`], by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(usize);

impl NodeId {
    /// Its place in the order of the nodes, counted from 0.
    pub fn index(self) -> usize {
        self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl Graph {
    /// A graph of the input alone, a photo of `[channels, height, width]`.
    pub fn new(input: [usize; 3]) -> Self {
        Self {
            nodes: vec![Node { name: "input".to_owned(), op: Op::Input { shape: input }, inputs: vec![] }],
        }
    }

    /// The input's node.
    pub fn input(&self) -> NodeId {
        NodeId(0)
    }

    /// The node whose output is the graph's: the one that was added last.
    pub fn output(&self) -> NodeId {
        NodeId(self.nodes.len() - 1)
    }

    /// Adds a node whose output is called `name`, usually the module's path, such as `layer1.0.conv1`.
    pub fn add(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId]) -> NodeId {
        self.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec() });
        self.output()
    }

    /// The node of this name, or else the last one of the module of this name: `layer4` is the end of that layer.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        let is_inside = |node: &Node| node.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let named = self.nodes.iter().position(|node| node.name == name);
        named.or_else(|| self.nodes.iter().rposition(is_inside)).map(NodeId)
    }

    /// The name of the map that features are made of: what the last pool takes, or what is flattened where there is none
    /// after it. The input of a graph without either.
    pub(crate) fn last_map(&self) -> &str {
        let is_pool = |node: &&Node| {
            matches!(
                node.op,
                Op::GlobalAveragePool | Op::GeneralisedMean { .. } | Op::AdaptiveAveragePool { .. }
            )
        };
        let is_flatten = |node: &&Node| node.op == Op::Flatten;
        let nodes = || self.nodes.iter().rev();
        let end = nodes().find(is_pool).or_else(|| nodes().find(is_flatten));
        let map = end.and_then(|node| node.inputs.first()).map_or(0, |map| map.index());
        &self.nodes[map].name
    }

    /// The nodes, in order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index), node))
    }
}

/// A line for each node: `%3 layer1.0.bn1 = batch_norm(%2) eps 1e-5`.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (id, Node { name, op, inputs }) in self.nodes() {
            let inputs: Vec<String> = inputs.iter().map(NodeId::to_string).collect();
            let attributes = op.attributes();
            let gap = if attributes.is_empty() { "" } else { " " };
            writeln!(f, "{id} {name} = {}({}){gap}{attributes}", op.name(), inputs.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_is_written_a_line_a_node() {
        let mut graph = Graph::new([3, 8, 8]);
        let conv = graph.add("conv1", Op::conv2d("conv1", false, [2, 2], [1, 1], 1), &[graph.input()]);
        let norm = graph.add("bn1", Op::batch_norm("bn1"), &[conv]);
        let sum = graph.add("sum", Op::Add, &[norm, conv]);
        assert_eq!(graph.output(), sum);
        assert_eq!(
            graph.to_string(),
            "%0 input = input() 3x8x8\n\
             %1 conv1 = conv2d(%0) weight conv1.weight, stride 2x2, padding 1x1\n\
             %2 bn1 = batch_norm(%1) weight bn1.weight, eps 1e-5\n\
             %3 sum = add(%2, %1)\n"
        );
    }

    #[test]
    fn a_node_is_found_by_its_name_or_as_the_end_of_its_module() {
        let mut graph = Graph::new([3, 8, 8]);
        let conv = graph.add(
            "layer1.0.conv",
            Op::conv2d("layer1.0.conv", false, [1; 2], [1; 2], 1),
            &[graph.input()],
        );
        let end = graph.add("layer1.0.relu", Op::Relu, &[conv]);
        graph.add("layer10.relu", Op::Relu, &[end]);
        assert_eq!(graph.find("layer1.0.conv"), Some(conv));
        assert_eq!(graph.find("layer1"), Some(end));
        assert_eq!(graph.find("layer"), None);
    }
}
