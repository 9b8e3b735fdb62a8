//! The network's graph as nodes of ONNX.

use cairn_nets::graph::{ConvPadding, Graph, Inferred, Node, Op};

use super::proto::{Attribute, Nodes};

/// Adds a network's nodes.
pub(super) struct NetworkNodes<'a> {
    pub(super) nodes: &'a mut Nodes,
    pub(super) graph: &'a Graph,
    /// What is known of each node of `graph`.
    pub(super) inferred: &'a [Inferred],
}

impl NetworkNodes<'_> {
    /// Adds all nodes, `input` being what the first takes; gives back the name of the logits.
    pub(super) fn add(mut self, input: String) -> String {
        let mut outputs = vec![input];
        for (_, node) in self.graph.nodes().skip(1) {
            let inputs: Vec<&str> = node.inputs.iter().map(|id| outputs[id.index()].as_str()).collect();
            let output = self.add_node(node, &inputs);
            outputs.push(output);
        }
        outputs.swap_remove(self.graph.output().index())
    }

    /// Adds what computes `node`; gives back the name of its output.
    fn add_node(&mut self, node: &Node, inputs: &[&str]) -> String {
        let name = format!("network/{}", node.name);
        // The shape of the only input, or of the first.
        let shape = &self.inferred[node.inputs[0].index()].shape;
        match &node.op {
            // `Graph::infer` lets no second input pass, and dropout leaves its own as it is.
            Op::Input { .. } | Op::Dropout => inputs[0].to_owned(),
            Op::Conv2d { weight, bias, stride, padding, groups } => {
                let inputs: Vec<&str> =
                    inputs.iter().copied().chain([weight.as_str()]).chain(bias.as_deref()).collect();
                self.nodes.add("Conv", &inputs, &name, &windows(*stride, *padding, *groups))
            }
            Op::BatchNorm { weight, bias, running_mean, running_var, eps } => {
                let inputs = [inputs[0], weight, bias, running_mean, running_var];
                self.nodes.add("BatchNormalization", &inputs, &name, &[epsilon(*eps)])
            }
            Op::Relu => self.nodes.add("Relu", inputs, &name, &[]),
            Op::Relu6 => self.add_clip(inputs[0], &name),
            Op::HardSwish => self.nodes.add("HardSwish", inputs, &name, &[]),
            Op::HardSigmoid => {
                let slope = ("alpha", Attribute::Float(1.0 / 6.0));
                self.nodes.add("HardSigmoid", inputs, &name, &[slope, ("beta", Attribute::Float(0.5))])
            }
            Op::Silu => {
                let gate = self.nodes.add("Sigmoid", inputs, &format!("{name}/sigmoid"), &[]);
                self.nodes.add("Mul", &[inputs[0], &gate], &name, &[])
            }
            Op::Sigmoid => self.nodes.add("Sigmoid", inputs, &name, &[]),
            Op::Gelu => self.add_gelu(inputs[0], &name),
            Op::Add => self.nodes.add("Add", inputs, &name, &[]),
            Op::Mul => self.nodes.add("Mul", inputs, &name, &[]),
            Op::Concat => self.nodes.add("Concat", inputs, &name, &[("axis", Attribute::Int(1))]),
            Op::MaxPool { kernel, stride, padding, ceil_mode } => {
                let ceil = ("ceil_mode", Attribute::Int(i64::from(*ceil_mode)));
                let attributes = [kernel_shape(*kernel), strides(*stride), pads(*padding), ceil];
                self.nodes.add("MaxPool", inputs, &name, &attributes)
            }
            Op::AveragePool { kernel, stride, padding } => {
                let zeros = ("count_include_pad", Attribute::Int(1));
                let attributes = [kernel_shape(*kernel), strides(*stride), pads(*padding), zeros];
                self.nodes.add("AveragePool", inputs, &name, &attributes)
            }
            Op::AdaptiveAveragePool { output } => {
                self.add_adaptive(inputs[0], &name, [shape[1], shape[2]], *output)
            }
            Op::GlobalAveragePool => self.nodes.add("GlobalAveragePool", inputs, &name, &[]),
            Op::GeneralisedMean { power, eps } => self.add_generalised_mean(inputs[0], &name, power, *eps),
            Op::Flatten => self.nodes.add("Flatten", inputs, &name, &[]),
            Op::Linear { weight, bias } => self.add_linear(inputs[0], &name, weight, bias.as_deref(), shape),
            Op::LayerNorm { weight, bias, eps } => {
                self.add_layer_norm([inputs[0], weight, bias], &name, *eps, shape)
            }
            Op::LayerScale { scale } => {
                // The channels, then a side of 1 for each of the map's.
                let sides = [&[-1], [1, 1].get(..shape.len() - 1).unwrap_or_default()].concat();
                let sides = self.nodes.ints(&format!("{name}/shape"), &[sides.len()], &sides);
                let scale = self.nodes.add("Reshape", &[scale, &sides], &format!("{name}/scale"), &[]);
                self.nodes.add("Mul", &[inputs[0], &scale], &name, &[])
            }
        }
    }

    fn add_clip(&mut self, input: &str, name: &str) -> String {
        let lowest = self.nodes.floats(&format!("{name}/lowest"), &[], &[0.0]);
        let highest = self.nodes.floats(&format!("{name}/highest"), &[], &[6.0]);
        self.nodes.add("Clip", &[input, &lowest, &highest], name, &[])
    }

    /// Of values divided by the greatest, so that no power of one is infinite; their mean is then multiplied by it.
    fn add_generalised_mean(&mut self, input: &str, name: &str, power: &str, eps: f64) -> String {
        let named = |what: &str| format!("{name}/{what}");
        let least = self.nodes.floats(&named("eps"), &[], &[eps as f32]);
        let least_power = self.nodes.floats(&named("least_power"), &[], &[Op::LEAST_POWER as f32]);
        let power = self.nodes.add("Clip", &[power, &least_power], &named("power"), &[]);
        let clamped = self.nodes.add("Clip", &[input, &least], &named("clamped"), &[]);
        let greatest = self.nodes.add("GlobalMaxPool", &[&clamped], &named("greatest"), &[]);
        let shares = self.nodes.add("Div", &[&clamped, &greatest], &named("shares"), &[]);
        let powers = self.nodes.add("Pow", &[&shares, &power], &named("powers"), &[]);
        let mean = self.nodes.add("GlobalAveragePool", &[&powers], &named("mean"), &[]);
        let root = self.nodes.add("Reciprocal", &[&power], &named("root"), &[]);
        let share = self.nodes.add("Pow", &[&mean, &root], &named("share"), &[]);
        self.nodes.add("Mul", &[&share, &greatest], name, &[])
    }

    /// `x / 2 * (1 + erf(x / √2))`; opset 18 has no operator for it.
    fn add_gelu(&mut self, input: &str, name: &str) -> String {
        let named = |what: &str| format!("{name}/{what}");
        let slope = self.nodes.floats(&named("slope"), &[], &[std::f32::consts::FRAC_1_SQRT_2]);
        let one = self.nodes.floats(&named("one"), &[], &[1.0]);
        let half = self.nodes.floats(&named("half"), &[], &[0.5]);
        let scaled = self.nodes.add("Mul", &[input, &slope], &named("scaled"), &[]);
        let erf = self.nodes.add("Erf", &[&scaled], &named("erf"), &[]);
        let raised = self.nodes.add("Add", &[&erf, &one], &named("raised"), &[]);
        let halved = self.nodes.add("Mul", &[input, &half], &named("halved"), &[]);
        self.nodes.add("Mul", &[&halved, &raised], name, &[])
    }

    /// As a product with a matrix of means on either side, which ONNX has no operator for, or, where all windows are
    /// alike and none overlap, as an average pool.
    fn add_adaptive(&mut self, input: &str, name: &str, old: [usize; 2], new: [usize; 2]) -> String {
        if old[0].is_multiple_of(new[0]) && old[1].is_multiple_of(new[1]) {
            let window = [old[0] / new[0], old[1] / new[1]];
            return self.nodes.add("AveragePool", &[input], name, &[kernel_shape(window), strides(window)]);
        }
        let down = self.nodes.floats(&format!("{name}/down"), &[new[0], old[0]], &means(old[0], new[0]));
        let across = self.nodes.floats(&format!("{name}/across"), &[new[1], old[1]], &means(old[1], new[1]));
        let across = self.nodes.add("Transpose", &[&across], &format!("{name}/across_transposed"), &[]);
        let narrowed = self.nodes.add("MatMul", &[input, &across], &format!("{name}/narrowed"), &[]);
        self.nodes.add("MatMul", &[&down, &narrowed], name, &[])
    }

    /// For a map, the convolution of one pixel that does the same.
    fn add_linear(
        &mut self,
        input: &str,
        name: &str,
        weight: &str,
        bias: Option<&str>,
        shape: &[usize],
    ) -> String {
        let with_bias =
            |weight| [Some(input), Some(weight), bias].into_iter().flatten().collect::<Vec<&str>>();
        if shape.len() == 1 {
            return self.nodes.add("Gemm", &with_bias(weight), name, &[("transB", Attribute::Int(1))]);
        }
        let sides = self.nodes.ints(&format!("{name}/shape"), &[4], &[0, 0, 1, 1]);
        let weight = self.nodes.add("Reshape", &[weight, &sides], &format!("{name}/weight"), &[]);
        self.nodes.add("Conv", &with_bias(&weight), name, &windows([1, 1], ConvPadding::Each([0, 0]), 1))
    }

    /// ONNX normalises over the last axes; a map's channels are brought there and back.
    fn add_layer_norm(&mut self, inputs: [&str; 3], name: &str, eps: f64, shape: &[usize]) -> String {
        let attributes = [("axis", Attribute::Int(-1)), epsilon(eps)];
        if shape.len() == 1 {
            return self.nodes.add("LayerNormalization", &inputs, name, &attributes);
        }
        let order = |axes: [i64; 4]| ("perm", Attribute::Ints(axes.to_vec()));
        let (last, normed) = (format!("{name}/channels_last"), format!("{name}/normalised"));
        let last = self.nodes.add("Transpose", &inputs[..1], &last, &[order([0, 2, 3, 1])]);
        let [_, weight, bias] = inputs;
        let normed = self.nodes.add("LayerNormalization", &[&last, weight, bias], &normed, &attributes);
        self.nodes.add("Transpose", &[&normed], name, &[order([0, 3, 1, 2])])
    }
}

/// The matrix `[new, old]` of an adaptive average pool along one axis.
fn means(old: usize, new: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; new * old];
    for (window, row) in matrix.chunks_exact_mut(old).enumerate() {
        let (start, end) = (window * old / new, ((window + 1) * old).div_ceil(new));
        row[start..end].fill(1.0 / (end - start) as f32);
    }
    matrix
}

fn pair([first, second]: [usize; 2]) -> Attribute {
    Attribute::Ints(vec![first as i64, second as i64])
}

fn kernel_shape(window: [usize; 2]) -> (&'static str, Attribute) {
    ("kernel_shape", pair(window))
}

fn strides(stride: [usize; 2]) -> (&'static str, Attribute) {
    ("strides", pair(stride))
}

/// The same padding before and behind.
fn pads([down, across]: [usize; 2]) -> (&'static str, Attribute) {
    let [down, across] = [down as i64, across as i64];
    ("pads", Attribute::Ints(vec![down, across, down, across]))
}

/// A convolution's attributes. Dilations of 1 go without saying in ONNX, but not in every runtime.
fn windows(stride: [usize; 2], padding: ConvPadding, groups: usize) -> [(&'static str, Attribute); 4] {
    let groups = ("group", Attribute::Int(groups as i64));
    let padding = match padding {
        ConvPadding::Each(each) => pads(each),
        ConvPadding::Same => ("auto_pad", Attribute::Text("SAME_UPPER")),
    };
    [strides(stride), padding, ("dilations", pair([1, 1])), groups]
}

fn epsilon(eps: f64) -> (&'static str, Attribute) {
    ("epsilon", Attribute::Float(eps as f32))
}
