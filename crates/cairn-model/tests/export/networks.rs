//! The networks of `export_reference.py` as graphs.

use cairn_nets::graph::{Graph, NodeId, Op};

/// A graph under construction: each operation on the output of the one before, unless inputs are given.
struct Builder(Graph);

impl Builder {
    fn on(&mut self, op: Op, inputs: &[NodeId]) -> NodeId {
        let name = format!("{}{}", op.name(), self.0.output().index() + 1);
        self.0.add(name, op, inputs)
    }

    fn then(&mut self, op: Op) -> NodeId {
        let input = self.0.output();
        self.on(op, &[input])
    }
}

fn conv(module: &str, bias: bool, stride: usize, padding: usize, groups: usize) -> Op {
    Op::conv2d(module, bias, [stride; 2], [padding; 2], groups)
}

fn without_bias(module: &str) -> Op {
    Op::Linear { weight: format!("{module}.weight"), bias: None }
}

pub(crate) fn classic(input: [usize; 3]) -> Graph {
    let mut net = Builder(Graph::new(input));
    net.then(Op::conv2d("conv", true, [2, 1], [2, 0], 1));
    net.then(Op::Relu);
    net.then(Op::MaxPool { kernel: [3; 2], stride: [2; 2], padding: [0; 2], ceil_mode: true });
    net.then(Op::MaxPool { kernel: [2, 3], stride: [1, 2], padding: [1, 1], ceil_mode: false });
    net.then(conv("squeeze", true, 1, 0, 1));
    let squeezed = net.then(Op::Relu);
    let left = net.then(conv("left", true, 1, 0, 1));
    net.on(conv("right", false, 1, 1, 1), &[squeezed]);
    let right = net.then(Op::Relu);
    net.on(Op::Concat, &[left, right]);
    net.then(Op::AdaptiveAveragePool { output: [3, 4] });
    net.then(Op::Flatten);
    net.then(Op::linear("fc1"));
    net.then(Op::Relu);
    net.then(Op::Dropout);
    net.then(Op::linear("fc2"));
    net.0
}

pub(crate) fn mobile(input: [usize; 3]) -> Graph {
    let mut net = Builder(Graph::new(input));
    net.then(conv("features.0", false, 2, 1, 1));
    net.then(Op::batch_norm("features.1"));
    let x = net.then(Op::HardSwish);
    net.then(conv("block.expand", false, 1, 0, 1));
    let mut norm = Op::batch_norm("block.0");
    if let Op::BatchNorm { eps, .. } = &mut norm {
        *eps = 1e-3;
    }
    let normed = net.then(norm);
    // Four times what the norm gives, so that some values pass the six.
    let doubled = net.on(Op::Add, &[normed, normed]);
    net.on(Op::Add, &[doubled, doubled]);
    net.then(Op::Relu6);
    net.then(conv("block.depthwise", false, 1, 2, 16));
    net.then(Op::batch_norm("block.1"));
    let y = net.then(Op::Silu);
    net.then(Op::GlobalAveragePool);
    net.then(conv("block.fc1", true, 1, 0, 1));
    net.then(Op::Relu);
    net.then(conv("block.fc2", true, 1, 0, 1));
    let gate = net.then(Op::HardSigmoid);
    net.on(Op::Mul, &[gate, y]);
    let projected = net.then(conv("block.project", true, 1, 0, 2));
    let sum = net.on(Op::Add, &[x, projected]);
    let gate = net.then(Op::Sigmoid);
    net.on(Op::Mul, &[sum, gate]);
    net.then(Op::AveragePool { kernel: [3; 2], stride: [2; 2], padding: [1; 2] });
    net.then(Op::GlobalAveragePool);
    net.then(Op::Flatten);
    net.then(Op::batch_norm("bn1"));
    net.then(Op::linear("fc"));
    net.0
}

pub(crate) fn norms(input: [usize; 3]) -> Graph {
    let mut net = Builder(Graph::new(input));
    net.then(conv("stem", true, 4, 0, 1));
    let x = net.then(Op::layer_norm("norm0", 1e-6));
    net.then(conv("depthwise", true, 1, 3, 8));
    net.then(Op::layer_norm("norm1", 1e-6));
    net.then(Op::linear("wide"));
    net.then(Op::Gelu);
    net.then(without_bias("narrow"));
    let y = net.then(Op::LayerScale { scale: "layer_scale".to_owned() });
    net.on(Op::Add, &[x, y]);
    net.then(Op::AdaptiveAveragePool { output: [2, 2] });
    net.then(Op::Flatten);
    net.then(Op::LayerScale { scale: "scale".to_owned() });
    net.then(Op::layer_norm("norm2", 1e-5));
    net.then(Op::linear("head"));
    net.0
}
