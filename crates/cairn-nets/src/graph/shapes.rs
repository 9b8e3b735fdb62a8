//! Whether a graph and its tensors fit together, the shape of every node's output, and what computing it costs.

use std::collections::{BTreeMap, HashSet};

use super::{ConvPadding, Graph, Node, Op};

/// The shape of each tensor of a state dict, by name.
pub type TensorShapes<'a> = BTreeMap<&'a str, &'a [usize]>;

/// What is known of a node once its inputs' shapes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inferred {
    /// The shape of its output for one photo: `[channels, height, width]` or `[channels]`.
    pub shape: Vec<usize>,
    /// Multiplications that are each followed by an addition, for one photo. Counted are convolutions and linear
    /// layers, as is the custom; the rest is little beside them.
    pub multiply_adds: u64,
}

/// A node that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("node `{node}` ({op}): {problem}")]
pub struct GraphError {
    /// The node's name.
    pub node: String,
    /// Its operation.
    pub op: &'static str,
    /// What is wrong with it.
    pub problem: NodeProblem,
}

/// What is wrong with a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeProblem {
    /// Another node has its name.
    #[error("its name is taken by another node")]
    Name,
    /// It takes the output of itself or of a later node.
    #[error("it takes the output of a node that is not computed before it")]
    Order,
    /// It takes too few or too many inputs.
    #[error("it has {0} inputs")]
    Inputs(usize),
    /// The operation does not take inputs of these shapes, or with these attributes.
    #[error("it cannot take inputs of the shapes {0:?}")]
    InputShapes(Vec<Vec<usize>>),
    /// The weights lack a tensor.
    #[error("there is no tensor `{0}`")]
    MissingTensor(String),
    /// A tensor has more or fewer axes than the operation asks for.
    #[error("tensor `{name}` is {found:?}, and should have {expected} axes")]
    TensorAxes {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// How many axes fit.
        expected: usize,
    },
    /// A tensor has another shape than the inputs ask for.
    #[error("tensor `{name}` is {found:?}, not {expected:?}")]
    TensorShape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that fits.
        expected: Vec<usize>,
    },
}

impl Node {
    pub(super) fn fault(&self, problem: NodeProblem) -> GraphError {
        GraphError { node: self.name.clone(), op: self.op.name(), problem }
    }
}

impl Graph {
    /// Checks the graph against the tensors of a state dict and infers what each node gives, in the order of the nodes.
    ///
    /// # Errors
    /// The first node that does not fit.
    pub fn infer(&self, tensors: &TensorShapes) -> Result<Vec<Inferred>, GraphError> {
        let mut inferred: Vec<Inferred> = Vec::with_capacity(self.nodes.len());
        let mut names = HashSet::new();
        for (id, node) in self.nodes() {
            let fault = |problem| node.fault(problem);
            if !names.insert(&node.name) {
                return Err(fault(NodeProblem::Name));
            }
            if node.inputs.iter().any(|input| *input >= id) {
                return Err(fault(NodeProblem::Order));
            }
            if !takes(node, id.index()) {
                return Err(fault(NodeProblem::Inputs(node.inputs.len())));
            }
            let inputs = node.inputs.iter().map(|input| inferred[input.index()].shape.as_slice()).collect();
            let step = Step { inputs, tensors };
            inferred.push(step.infer(&node.op).map_err(fault)?);
        }
        Ok(inferred)
    }
}

/// Whether the node has as many inputs as its operation takes; the input's node is the first and no other.
fn takes(node: &Node, index: usize) -> bool {
    let inputs = node.inputs.len();
    match node.op {
        Op::Input { .. } => inputs == 0 && index == 0,
        Op::Add | Op::Mul => inputs == 2,
        Op::Concat => inputs > 0,
        _ => inputs == 1,
    }
}

/// A node's surroundings.
struct Step<'a> {
    inputs: Vec<&'a [usize]>,
    tensors: &'a TensorShapes<'a>,
}

impl Step<'_> {
    fn infer(&self, op: &Op) -> Result<Inferred, NodeProblem> {
        let mut multiply_adds = 0;
        let shape = match op {
            Op::Input { shape } => shape.to_vec(),
            Op::Conv2d { weight, bias, stride, padding, groups } => {
                let [outputs, inputs, height, width] = self.tensor_of(weight)?;
                let [channels, ..] = self.map()?;
                let grouped = *groups > 0 && channels % groups == 0 && outputs % groups == 0;
                self.require(grouped)?;
                self.expect(weight, &[outputs, channels / groups, height, width])?;
                bias.iter().try_for_each(|bias| self.expect(bias, &[outputs]))?;
                let [rows, columns] = self.convolved([height, width], *stride, *padding)?;
                multiply_adds = product(&[outputs, rows, columns, inputs, height, width]);
                vec![outputs, rows, columns]
            }
            Op::Linear { weight, bias } => {
                let [outputs, _] = self.tensor_of(weight)?;
                let (channels, pixels) = self.channels()?;
                self.expect(weight, &[outputs, channels])?;
                bias.iter().try_for_each(|bias| self.expect(bias, &[outputs]))?;
                multiply_adds = product(&[outputs, channels]) * product(pixels);
                [&[outputs], pixels].concat()
            }
            Op::BatchNorm { .. } | Op::LayerNorm { .. } => {
                let (channels, _) = self.channels()?;
                op.tensors().into_iter().try_for_each(|tensor| self.expect(tensor, &[channels]))?;
                self.inputs[0].to_vec()
            }
            Op::LayerScale { scale } => {
                let (channels, _) = self.channels()?;
                self.expect(scale, &[channels, 1, 1]).or_else(|_| self.expect(scale, &[channels]))?;
                self.inputs[0].to_vec()
            }
            Op::Add => self.broadcast(|a, b| a == b)?,
            Op::Mul => self.broadcast(|a, b| a == b || a == 1 || b == 1)?,
            Op::Concat => self.concatenated()?,
            Op::MaxPool { kernel, stride, padding, ceil_mode } => {
                self.pooled(*kernel, *stride, *padding, *ceil_mode)?
            }
            Op::AveragePool { kernel, stride, padding } => self.pooled(*kernel, *stride, *padding, false)?,
            Op::AdaptiveAveragePool { output: [height, width] } => {
                let [channels, rows, columns] = self.map()?;
                self.require(*height > 0 && *width > 0 && rows > 0 && columns > 0)?;
                vec![channels, *height, *width]
            }
            Op::GlobalAveragePool => vec![self.map()?[0], 1, 1],
            Op::GeneralisedMean { power, .. } => {
                self.expect(power, &[1])?;
                vec![self.map()?[0], 1, 1]
            }
            Op::Flatten => vec![self.inputs[0].iter().product()],
            Op::Relu | Op::Relu6 | Op::HardSwish | Op::HardSigmoid | Op::Silu | Op::Sigmoid | Op::Gelu => {
                self.inputs[0].to_vec()
            }
            Op::Dropout => self.inputs[0].to_vec(),
        };
        Ok(Inferred { shape, multiply_adds })
    }

    /// The problem with the inputs, unless `holds`.
    fn require(&self, holds: bool) -> Result<(), NodeProblem> {
        if holds { Ok(()) } else { Err(self.misfit()) }
    }

    fn misfit(&self) -> NodeProblem {
        NodeProblem::InputShapes(self.inputs.iter().map(|shape| shape.to_vec()).collect())
    }

    /// The only input, as a map.
    fn map(&self) -> Result<[usize; 3], NodeProblem> {
        self.inputs[0].try_into().map_err(|_| self.misfit())
    }

    /// Channels and pixels of the only input, a map or a vector.
    fn channels(&self) -> Result<(usize, &[usize]), NodeProblem> {
        self.require(matches!(self.inputs[0].len(), 1 | 3))?;
        Ok((self.inputs[0][0], &self.inputs[0][1..]))
    }

    /// The shape of a tensor that has `AXES` axes.
    fn tensor_of<const AXES: usize>(&self, name: &str) -> Result<[usize; AXES], NodeProblem> {
        let found = self.tensors.get(name).ok_or_else(|| NodeProblem::MissingTensor(name.to_owned()))?;
        (*found).try_into().map_err(|_| NodeProblem::TensorAxes {
            name: name.to_owned(),
            found: found.to_vec(),
            expected: AXES,
        })
    }

    fn expect(&self, name: &str, expected: &[usize]) -> Result<(), NodeProblem> {
        match self.tensors.get(name) {
            None => Err(NodeProblem::MissingTensor(name.to_owned())),
            Some(found) if *found == expected => Ok(()),
            Some(found) => Err(NodeProblem::TensorShape {
                name: name.to_owned(),
                found: found.to_vec(),
                expected: expected.to_vec(),
            }),
        }
    }

    /// The shape of two inputs of as many axes, each pair of sides fit together.
    fn broadcast(&self, fits: impl Fn(usize, usize) -> bool) -> Result<Vec<usize>, NodeProblem> {
        let (a, b) = (self.inputs[0], self.inputs[1]);
        self.require(a.len() == b.len() && a.iter().zip(b).all(|(&a, &b)| fits(a, b)))?;
        Ok(a.iter().zip(b).map(|(&a, &b)| a.max(b)).collect())
    }

    fn concatenated(&self) -> Result<Vec<usize>, NodeProblem> {
        let pixels = self.inputs[0].get(1..);
        self.require(pixels.is_some() && self.inputs.iter().all(|input| input.get(1..) == pixels))?;
        let channels = self.inputs.iter().map(|input| input[0]).sum();
        Ok([&[channels], pixels.unwrap_or_default()].concat())
    }

    fn pooled(
        &self,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        ceil: bool,
    ) -> Result<Vec<usize>, NodeProblem> {
        // PyTorch's rule: no window is within the padding alone.
        self.require(padding[0] <= kernel[0] / 2 && padding[1] <= kernel[1] / 2)?;
        let [rows, columns] = self.windows(kernel, stride, padding, ceil)?;
        Ok(vec![self.map()?[0], rows, columns])
    }

    /// How many positions a convolution has, down and across.
    fn convolved(
        &self,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: ConvPadding,
    ) -> Result<[usize; 2], NodeProblem> {
        match padding {
            ConvPadding::Each(padding) => self.windows(kernel, stride, padding, false),
            ConvPadding::Same => {
                let [_, height, width] = self.map()?;
                self.require(kernel.iter().chain(&stride).all(|size| *size > 0))?;
                Ok([height.div_ceil(stride[0]), width.div_ceil(stride[1])])
            }
        }
    }

    /// How many windows fit on the map, down and across.
    fn windows(
        &self,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
        ceil: bool,
    ) -> Result<[usize; 2], NodeProblem> {
        let [_, height, width] = self.map()?;
        let count = |axis: usize, len: usize| {
            let padded = len + 2 * padding[axis];
            self.require(kernel[axis] > 0 && stride[axis] > 0 && padded >= kernel[axis])?;
            let free = padded - kernel[axis];
            let steps = if ceil { free.div_ceil(stride[axis]) } else { free / stride[axis] };
            // With `ceil`, a last window that would begin in the padding behind the map is left out.
            let beyond = ceil && steps * stride[axis] >= len + padding[axis];
            Ok(steps + usize::from(!beyond))
        };
        Ok([count(0, height)?, count(1, width)?])
    }
}

fn product(sides: &[usize]) -> u64 {
    sides.iter().map(|&side| side as u64).product()
}

#[cfg(test)]
mod tests;
