//! A graph as steps, each with all that one pass can take in.

use std::collections::HashMap;

use cairn_kernels::layers::PoolGeometry;
use cairn_kernels::{Clamp, Padding};

use crate::graph::{ConvPadding, Graph, Node, NodeId, Op};

/// The steps of a graph, in the order in which they can be computed. The first is the photo.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Step {
    /// The node whose output it gives: the last of those that it takes in.
    pub(super) output: NodeId,
    /// The name of that node.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Steps whose outputs it takes.
    pub(super) inputs: Vec<usize>,
}

/// What a step computes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// The photo.
    Photo,
    /// A convolution, or a linear layer of every pixel. A second input is the residual.
    Layer(Layer),
    /// The linear layer that gives the logits.
    Logits { weight: String, bias: Option<String> },
    /// The greatest of every window.
    MaxPool(PoolGeometry),
    /// The mean of every channel.
    Average,
    /// The sum of two maps, clamped.
    Add(Clamp),
    /// The channels of several maps.
    Concat,
    /// A function of one value.
    Function(Op),
    /// A map as a vector, channel by channel.
    Flatten,
    /// The means of windows that cover the map; its input where they are its pixels.
    AdaptiveAverage { output: [usize; 2], op: Op },
    /// What its input is.
    Same,
    /// Any other operation.
    Other(Op),
}

/// A convolution with what follows it in one pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layer {
    /// Its path, such as `layer1.0.conv1`.
    pub(super) path: String,
    pub(super) weight: String,
    pub(super) bias: Option<String>,
    pub(super) stride: usize,
    pub(super) padding: Padding,
    pub(super) groups: usize,
    pub(super) norm: Option<Norm>,
    pub(super) activation: Clamp,
}

/// A batch norm's tensors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Norm {
    pub(super) weight: String,
    pub(super) bias: String,
    pub(super) mean: String,
    pub(super) variance: String,
    pub(super) epsilon: f64,
}

impl Plan {
    pub(super) fn of(graph: &Graph) -> Self {
        Planner::new(graph).plan()
    }

    /// The convolutions and linear layers, but not the one that gives the logits.
    pub(super) fn layers(&self) -> impl Iterator<Item = (&Step, &Layer)> {
        self.steps.iter().filter_map(|step| match &step.kind {
            Kind::Layer(layer) => Some((step, layer)),
            _ => None,
        })
    }

    /// The step whose output the last layer takes, of the path `head`.
    pub(super) fn features(&self, head: &str) -> Option<usize> {
        let weight = format!("{head}.weight");
        let is_head = |step: &&Step| match &step.kind {
            Kind::Logits { weight: found, .. } | Kind::Layer(Layer { weight: found, .. }) => *found == weight,
            _ => false,
        };
        self.steps.iter().find(is_head).and_then(|step| step.inputs.first().copied())
    }
}

/// A plan in the making.
struct Planner<'a> {
    graph: &'a Graph,
    nodes: Vec<&'a Node>,
    /// Of each node, those that take its output.
    consumers: Vec<Vec<NodeId>>,
    /// The step that gives a node's output, once it is planned.
    steps_of: HashMap<NodeId, usize>,
    steps: Vec<Step>,
}

impl<'a> Planner<'a> {
    fn new(graph: &'a Graph) -> Self {
        let nodes: Vec<&Node> = graph.nodes().map(|(_, node)| node).collect();
        let mut consumers = vec![Vec::new(); nodes.len()];
        for (id, node) in graph.nodes() {
            node.inputs.iter().for_each(|input| consumers[input.index()].push(id));
        }
        Self { graph, nodes, consumers, steps_of: HashMap::new(), steps: Vec::new() }
    }

    fn plan(mut self) -> Plan {
        let mut taken = vec![false; self.nodes.len()];
        for (id, node) in self.graph.nodes() {
            if taken[id.index()] {
                continue;
            }
            let mut inputs = node.inputs.clone();
            let (kind, output) = match &node.op {
                Op::Linear { weight, bias } if id == self.graph.output() => {
                    (Kind::Logits { weight: weight.clone(), bias: bias.clone() }, id)
                }
                op => match Layer::of(op) {
                    Some(mut layer) => {
                        let (mut output, residual) = self.norm_and_residual(id, &mut layer);
                        inputs.extend(residual);
                        output = self.clamp(output, &mut layer.activation);
                        (Kind::Layer(layer), output)
                    }
                    None => self.other(id, op),
                },
            };
            // The nodes on the way have one consumer each: the next one.
            let mut on_the_way = id;
            while on_the_way != output {
                on_the_way = self.consumers[on_the_way.index()][0];
                taken[on_the_way.index()] = true;
            }
            let inputs = inputs.iter().map(|input| self.steps_of[input]).collect();
            let name = self.nodes[output.index()].name.clone();
            self.steps_of.insert(output, self.steps.len());
            self.steps.push(Step { output, name, kind, inputs });
        }
        Plan { steps: self.steps }
    }

    /// The only node that takes this one's output.
    fn only_consumer(&self, id: NodeId) -> Option<(NodeId, &'a Node)> {
        match self.consumers[id.index()].as_slice() {
            [only] => Some((*only, self.nodes[only.index()])),
            _ => None,
        }
    }

    /// Takes in what follows a layer: batch norm and a sum with what is computed before it. The last node that is taken in,
    /// and the residual's.
    fn norm_and_residual(&self, id: NodeId, layer: &mut Layer) -> (NodeId, Option<NodeId>) {
        let mut output = id;
        if let Some((next, Node { op, .. })) = self.only_consumer(output)
            && let Op::BatchNorm { weight, bias, running_mean, running_var, eps } = op
        {
            layer.norm = Some(Norm {
                weight: weight.clone(),
                bias: bias.clone(),
                mean: running_mean.clone(),
                variance: running_var.clone(),
                epsilon: *eps,
            });
            output = next;
        }
        if layer.groups == 1
            && let Some((next, Node { op: Op::Add, inputs, .. })) = self.only_consumer(output)
            && let Some(other) = inputs.iter().find(|input| **input != output)
            && self.steps_of.contains_key(other)
        {
            return (next, Some(*other));
        }
        (output, None)
    }

    /// Takes in the activation that follows, if it is a clamp.
    fn clamp(&self, id: NodeId, activation: &mut Clamp) -> NodeId {
        let clamp = self.only_consumer(id).and_then(|(next, node)| match node.op {
            Op::Relu => Some((next, Clamp::Relu)),
            Op::Relu6 => Some((next, Clamp::Relu6)),
            _ => None,
        });
        match clamp {
            Some((next, clamp)) => {
                *activation = clamp;
                next
            }
            None => id,
        }
    }

    /// An operation that is no layer.
    fn other(&self, id: NodeId, op: &Op) -> (Kind, NodeId) {
        let kind = match op {
            Op::Input { .. } => Kind::Photo,
            Op::MaxPool { kernel: [window, across], stride: [stride, along], padding, ceil_mode }
                if window == across && stride == along && padding[0] == padding[1] =>
            {
                let (window, stride, padding) = (*window, *stride, padding[0]);
                Kind::MaxPool(PoolGeometry { window, stride, padding, ceil_mode: *ceil_mode })
            }
            Op::GlobalAveragePool => Kind::Average,
            Op::Add => {
                let mut clamp = Clamp::Identity;
                let output = self.clamp(id, &mut clamp);
                return (Kind::Add(clamp), output);
            }
            Op::Concat => Kind::Concat,
            Op::Relu | Op::Relu6 | Op::HardSwish | Op::HardSigmoid | Op::Silu | Op::Sigmoid | Op::Gelu => {
                Kind::Function(op.clone())
            }
            Op::Flatten => Kind::Flatten,
            Op::Dropout => Kind::Same,
            Op::AdaptiveAveragePool { output } => Kind::AdaptiveAverage { output: *output, op: op.clone() },
            other => Kind::Other(other.clone()),
        };
        (kind, id)
    }
}

impl Layer {
    /// The layer of a convolution of one stride and one padding, or of a linear layer.
    fn of(op: &Op) -> Option<Self> {
        let path = |weight: &str| weight.strip_suffix(".weight").unwrap_or(weight).to_owned();
        match op {
            Op::Conv2d { weight, bias, stride: [down, across], padding, groups } if down == across => {
                let padding = match padding {
                    ConvPadding::Each([rows, columns]) if rows == columns => Padding::Each(*rows),
                    ConvPadding::Each(_) => return None,
                    ConvPadding::Same => Padding::Same,
                };
                Some(Self {
                    path: path(weight),
                    weight: weight.clone(),
                    bias: bias.clone(),
                    stride: *down,
                    padding,
                    groups: *groups,
                    norm: None,
                    activation: Clamp::Identity,
                })
            }
            Op::Linear { weight, bias } => Some(Self {
                path: path(weight),
                weight: weight.clone(),
                bias: bias.clone(),
                stride: 1,
                padding: Padding::Each(0),
                groups: 1,
                norm: None,
                activation: Clamp::Identity,
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{Architecture, NetworkSpec, Pooling};

    fn plan(architecture: Architecture) -> (Plan, String) {
        let spec =
            NetworkSpec { architecture, classes: 5, side: 224, dropout: 0.2, pooling: Pooling::Average };
        let network = spec.blank(&Device::flex()).unwrap();
        (Plan::of(&network.graph(224)), network.head_prefix())
    }

    /// Kinds of the steps that are no layers.
    fn others(plan: &Plan) -> Vec<&'static str> {
        let kinds = plan.steps.iter().filter_map(|step| match step.kind {
            Kind::Photo => Some("photo"),
            Kind::Layer(_) => None,
            Kind::Logits { .. } => Some("logits"),
            Kind::MaxPool(_) => Some("max pool"),
            Kind::Average => Some("average"),
            Kind::Add(_) => Some("add"),
            Kind::Concat => Some("concat"),
            Kind::Function(_) => Some("function"),
            Kind::Flatten => Some("flatten"),
            Kind::AdaptiveAverage { .. } => Some("adaptive average"),
            Kind::Same => Some("same"),
            Kind::Other(_) => Some("other"),
        });
        kinds.collect()
    }

    #[test]
    fn norms_sums_and_clamps_are_part_of_their_convolutions() {
        for (architecture, layers, residuals, rest) in [
            (Architecture::ResNet34, 36, 16, &["photo", "max pool", "average", "flatten", "logits"][..]),
            (Architecture::MobileNetV2, 52, 10, &["photo", "average", "flatten", "same", "logits"]),
            (Architecture::EfficientNetLite0, 49, 9, &["photo", "average", "flatten", "same", "logits"]),
        ] {
            let (plan, head) = plan(architecture);
            let count =
                |adds: bool| plan.layers().filter(|(step, _)| (step.inputs.len() == 2) == adds).count();
            assert_eq!((count(false) + count(true), count(true)), (layers, residuals), "{architecture}");
            assert!(plan.layers().all(|(_, layer)| layer.norm.is_some()), "{architecture}");
            let rest: Vec<&str> = rest.to_vec();
            let found: Vec<&str> = others(&plan).into_iter().filter(|kind| *kind != "same").collect();
            assert_eq!(
                found,
                rest.into_iter().filter(|kind| *kind != "same").collect::<Vec<_>>(),
                "{architecture}"
            );
            assert!(plan.features(&head).is_some_and(|step| step + 2 >= plan.steps.len()), "{architecture}");
        }
    }

    #[test]
    fn every_network_is_planned_and_every_step_takes_steps_before_it() {
        for architecture in Architecture::ALL {
            let (plan, head) = plan(architecture);
            for (index, step) in plan.steps.iter().enumerate() {
                assert!(step.inputs.iter().all(|&input| input < index), "{architecture}: {step:?}");
            }
            assert!(plan.features(&head).is_some(), "{architecture}");
        }
    }
}
