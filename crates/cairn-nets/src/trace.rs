//! Following a network's forward pass to write down its [`Graph`].

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use burn::module::{Param, ParamId};
use burn::tensor::Tensor;
use cairn_kernels::Activation;

use crate::graph::{Graph, NodeId, Op};

/// A graph under construction.
#[derive(Debug)]
struct Trace {
    graph: RefCell<Graph>,
    /// The names of its nodes.
    taken: RefCell<HashSet<String>>,
    /// The network's tensors by name: a layer finds its path by the ids of its parameters.
    tensors: HashMap<ParamId, String>,
}

/// A node of a graph under construction.
#[derive(Debug, Clone)]
pub(crate) struct Traced {
    trace: Rc<Trace>,
    node: NodeId,
    /// The path of the last layer with tensors on the way to this node, such as `layer1.0.bn1`.
    layer: Rc<str>,
}

/// The graph of what `pass` does to a square photo of `side` pixels; `tensors` are the network's tensors by name.
pub(crate) fn trace(side: usize, tensors: HashMap<ParamId, String>, pass: impl FnOnce(Traced)) -> Graph {
    let graph = Graph::new([3, side, side]);
    let node = graph.input();
    let trace = Rc::new(Trace { graph: RefCell::new(graph), taken: RefCell::default(), tensors });
    pass(Traced { trace: Rc::clone(&trace), node, layer: Rc::from("") });
    trace.graph.borrow().clone()
}

impl Traced {
    /// Adds a layer with tensors. `weight` is one of them. The layer's path goes to `op` and is the node's name.
    pub(crate) fn layer<const D: usize>(
        self,
        weight: &Param<Tensor<D>>,
        op: impl FnOnce(&str) -> Op,
    ) -> Self {
        // All parameters were visited before the trace began, and their names end in their own.
        let name = self.trace.tensors.get(&weight.id).map_or("", String::as_str);
        let path = name.rsplit_once('.').map_or(name, |(path, _)| path);
        let node = self.add(path.to_owned(), op(path), &[self.node]);
        Self { layer: Rc::from(path), ..node }
    }

    /// Adds an operation that follows in the same layer, such as its activation: `layer1.0.bn1.relu`.
    pub(crate) fn in_layer(self, op: Op) -> Self {
        self.add(format!("{}.{}", self.layer, op.name()), op, &[self.node])
    }

    /// Adds an operation in the same layer that takes another node, too: `layer1.0.bn2.add`.
    pub(crate) fn in_layer_with(self, op: Op, other: &Self) -> Self {
        self.add(format!("{}.{}", self.layer, op.name()), op, &[self.node, other.node])
    }

    /// Adds an operation that belongs to no layer: `max_pool`.
    pub(crate) fn then(self, op: Op) -> Self {
        self.add(op.name().to_owned(), op, &[self.node])
    }

    /// Adds an operation on the outputs of two layers, named after the module that holds both: `features.3.concat`.
    pub(crate) fn join(self, op: Op, other: &Self) -> Self {
        let steps = self.layer.split('.').zip(other.layer.split('.'));
        let mut name: Vec<&str> = steps.take_while(|(a, b)| a == b).map(|(step, _)| step).collect();
        name.push(op.name());
        self.add(name.join("."), op, &[self.node, other.node])
    }

    /// Adds a layer's activation.
    pub(crate) fn activated(self, activation: Activation) -> Self {
        match Op::activation(activation) {
            Some(op) => self.in_layer(op),
            None => self,
        }
    }

    /// Adds a node; a name that is taken gets a number.
    fn add(&self, name: String, op: Op, inputs: &[NodeId]) -> Self {
        let mut taken = self.trace.taken.borrow_mut();
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        let free = [name.clone()].into_iter().chain(numbered).find(|name| taken.insert(name.clone()));
        let node = self.trace.graph.borrow_mut().add(free.unwrap_or(name), op, inputs);
        Self { trace: Rc::clone(&self.trace), node, layer: Rc::clone(&self.layer) }
    }
}
