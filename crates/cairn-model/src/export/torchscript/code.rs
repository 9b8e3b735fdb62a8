//! The code of the modules: classes that hold tensors, and the one that computes.

use std::fmt::Write;

use cairn_nets::graph::{ConvPadding, Inferred, Node, Op};

use super::modules::{Kind, Module};
use super::preprocessing::preprocessing_methods;
use crate::export::Exportable;
use crate::export::views::LEAST_PROBABILITY;

/// The file `cairn.py`: a class for each module, the ones it holds before it, as TorchScript reads them.
pub(super) fn module_code(model: &Exportable, inferred: &[Inferred], root: &Module) -> String {
    let mut code = String::new();
    for (_, child) in &root.children {
        holder_classes(child, &mut code);
    }
    code.push_str(&attributes(root));
    code.push_str("  class_names : List[str]\n");
    let class = root.type_name();
    let temperature = f64::from(model.temperature);
    let views = model.exported_views();
    // Writing to a String never fails.
    let _ = write!(
        code,
        "  def forward(self: {class}, photos: Tensor) -> Tensor:\n    \
             logits = (self).logits((self).preprocess(photos))\n    \
             {}return torch.softmax(torch.div(logits, {temperature:?}), 1)\n",
        mean_of_views(views.count(), model.class_names.len())
    );
    code.push_str(&preprocessing_methods(model.preprocess, views, &class));
    code.push_str(&logits_method(model, inferred, root));
    code
}

/// The lines that make of the logits of all views those whose softmax is the mean of the views' probabilities.
fn mean_of_views(views: usize, classes: usize) -> String {
    if views == 1 {
        return String::new();
    }
    let least = f64::from(LEAST_PROBABILITY);
    format!(
        "by_view = torch.reshape(torch.softmax(logits, 1), [{views}, -1, {classes}])\n    \
         mean = torch.clamp(torch.mean(by_view, [0]), {least:?}, 1.)\n    \
         logits = torch.log(mean)\n    "
    )
}

/// The class of a module that holds tensors and modules, and the classes of those.
fn holder_classes(module: &Module, code: &mut String) {
    for (_, child) in &module.children {
        holder_classes(child, code);
    }
    code.push_str(&attributes(module));
}

/// The class's head and the declarations of its attributes.
fn attributes(module: &Module) -> String {
    let names = |parameters: bool| -> String {
        let chosen = module.tensors.iter().filter(|tensor| tensor.is_parameter() == parameters);
        chosen.map(|tensor| format!("\"{}\", ", tensor.name)).collect()
    };
    let mut code = format!(
        "class {}(Module):\n  __parameters__ = [{}]\n  __buffers__ = [{}]\n  \
         training : bool\n  _is_full_backward_hook : Optional[bool]\n",
        module.class,
        names(true),
        names(false)
    );
    let tensors = module.tensors.iter().map(|tensor| (&tensor.name, "Tensor".to_owned()));
    let children = module.children.iter().map(|(name, child)| (name, child.type_name()));
    for (name, kind) in tensors.chain(children) {
        let declared = if is_identifier(name) {
            format!("{name} : {kind}")
        } else {
            format!("__annotations__[\"{name}\"] = {kind}")
        };
        code.push_str("  ");
        code.push_str(&declared);
        code.push('\n');
    }
    code
}

/// Modules in sequences have numbers for names, which no attribute can be written as.
fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The method that computes the network: a line for each node.
fn logits_method(model: &Exportable, inferred: &[Inferred], root: &Module) -> String {
    let mut code = format!("  def logits(self: {}, v0: Tensor) -> Tensor:\n", root.type_name());
    for (id, node) in model.graph.nodes().skip(1) {
        // The shape of the only input, or of the first.
        let shape = &inferred[node.inputs[0].index()].shape;
        let computed = Expression { root, shape }.of(node);
        // Writing to a String never fails.
        let _ = writeln!(code, "    v{} = {computed}  # {}", id.index(), node.name);
    }
    let _ = writeln!(code, "    return v{}", model.graph.output().index());
    code
}

/// Writes what computes a node.
struct Expression<'a> {
    root: &'a Module,
    /// The shape of the node's input.
    shape: &'a [usize],
}

impl Expression<'_> {
    /// What computes `node` from the variables of its inputs.
    fn of(&self, node: &Node) -> String {
        let inputs: Vec<String> = node.inputs.iter().map(|id| format!("v{}", id.index())).collect();
        let x = &inputs[0];
        let pair = |[first, second]: [usize; 2]| format!("[{first}, {second}]");
        match &node.op {
            // `Graph::infer` lets no second input pass, and dropout leaves its own as it is.
            Op::Input { .. } | Op::Dropout => x.clone(),
            Op::Conv2d { weight, bias, stride, padding, groups } => {
                let (x, padding) = self.padded(x, weight, *stride, *padding);
                let (weight, bias) = (self.weight(weight, "[-1, 1, 1, 1]"), self.bias(bias.as_deref()));
                let (stride, padding) = (pair(*stride), pair(padding));
                format!("torch.conv2d({x}, {weight}, {bias}, {stride}, {padding}, [1, 1], {groups})")
            }
            Op::BatchNorm { weight, bias, running_mean, running_var, eps } => {
                let tensors =
                    [weight, bias, running_mean, running_var].map(|name| self.tensor(name)).join(", ");
                format!("torch.batch_norm({x}, {tensors}, False, 0., {eps:?}, True)")
            }
            Op::Relu => format!("torch.relu({x})"),
            Op::Relu6 => format!("torch.hardtanh({x}, 0., 6.)"),
            Op::HardSwish => format!("torch.hardswish({x})"),
            Op::HardSigmoid => format!("torch.hardsigmoid({x})"),
            Op::Silu => format!("torch.silu({x})"),
            Op::Sigmoid => format!("torch.sigmoid({x})"),
            Op::Gelu => format!("torch.gelu({x})"),
            Op::Add => format!("torch.add({x}, {})", inputs[1]),
            Op::Mul => format!("torch.mul({x}, {})", inputs[1]),
            Op::Concat => format!("torch.cat([{}], 1)", inputs.join(", ")),
            Op::MaxPool { kernel, stride, padding, ceil_mode } => {
                let windows = [*kernel, *stride, *padding].map(pair).join(", ");
                let ceil = if *ceil_mode { "True" } else { "False" };
                format!("torch.max_pool2d({x}, {windows}, [1, 1], {ceil})")
            }
            Op::AveragePool { kernel, stride, padding } => {
                let windows = [*kernel, *stride, *padding].map(pair).join(", ");
                format!("torch.avg_pool2d({x}, {windows}, False, True)")
            }
            Op::AdaptiveAveragePool { output } => {
                format!("torch.adaptive_avg_pool2d({x}, {})", pair(*output))
            }
            Op::GlobalAveragePool => format!("torch.adaptive_avg_pool2d({x}, [1, 1])"),
            Op::GeneralisedMean { power, eps } => {
                // Of values divided by the greatest, so that no power of one is infinite.
                let clamped = format!("torch.clamp({x}, {eps:?})");
                let greatest = format!("torch.amax({clamped}, [2, 3], True)");
                let power = format!("torch.clamp({}, {:?})", self.tensor(power), Op::LEAST_POWER);
                let powers = format!("torch.pow(torch.div({clamped}, {greatest}), {power})");
                let share =
                    format!("torch.pow(torch.mean({powers}, [2, 3], True), torch.reciprocal({power}))");
                format!("torch.mul({share}, {greatest})")
            }
            Op::Flatten => format!("torch.flatten({x}, 1)"),
            Op::Linear { weight, bias } => {
                let (weight, bias) = (self.weight(weight, "[-1, 1]"), self.bias(bias.as_deref()));
                self.over_channels(x, |x| format!("torch.linear({x}, {weight}, {bias})"))
            }
            Op::LayerNorm { weight, bias, eps } => {
                let (weight, bias) = (self.tensor(weight), self.tensor(bias));
                self.over_channels(x, |x| {
                    format!("torch.layer_norm({x}, torch.size({weight}), {weight}, {bias}, {eps:?})")
                })
            }
            Op::LayerScale { scale } => {
                let shape = if self.is_map() { "[-1, 1, 1]" } else { "[-1]" };
                format!("torch.mul({x}, torch.reshape({}, {shape}))", self.tensor(scale))
            }
        }
    }

    /// What a convolution with this weight takes for `x`, and the padding that is left to it: PyTorch pads both sides alike.
    fn padded(
        &self,
        x: &str,
        weight: &str,
        stride: [usize; 2],
        padding: ConvPadding,
    ) -> (String, [usize; 2]) {
        let kernel = self.root.tensor(weight).map(|tensor| tensor.shape.as_slice());
        let zeros = match (padding, self.shape, kernel) {
            (ConvPadding::Same, &[_, height, width], Some(&[_, _, down, across])) => {
                padding.around([height, width], [down, across], stride)
            }
            (ConvPadding::Same, ..) => None,
            (ConvPadding::Each(each), ..) => return (x.to_owned(), each),
        };
        // The graph's shapes were inferred, so that all sizes are known.
        let [[above, below], [left, right]] = zeros.unwrap_or_default();
        if above == below && left == right {
            return (x.to_owned(), [above, left]);
        }
        (format!("torch.constant_pad_nd({x}, [{left}, {right}, {above}, {below}], 0.)"), [0, 0])
    }

    /// Whether the node's input is a map rather than a vector.
    fn is_map(&self) -> bool {
        self.shape.len() == 3
    }

    /// The result of `compute` on `x` with its channels as the last axis, where PyTorch's layers look for them.
    fn over_channels(&self, x: &str, compute: impl FnOnce(&str) -> String) -> String {
        if !self.is_map() {
            return compute(x);
        }
        let computed = compute(&format!("torch.permute({x}, [0, 2, 3, 1])"));
        format!("torch.permute({computed}, [0, 3, 1, 2])")
    }

    fn bias(&self, name: Option<&str>) -> String {
        name.map_or("None".to_owned(), |name| self.tensor(name))
    }

    /// The attribute of a module of a module that a tensor is.
    fn tensor(&self, path: &str) -> String {
        path.split('.').fold("self".to_owned(), |way, step| match is_identifier(step) {
            true => format!("{way}.{step}"),
            false => format!("getattr({way}, \"{step}\")"),
        })
    }

    /// A weight as f32, whatever it is stored as; `one_each` is the shape of the scales of its output channels.
    fn weight(&self, path: &str, one_each: &str) -> String {
        let stored = self.tensor(path);
        match self.root.kind_of(path) {
            Some(Kind::Half) => format!("torch.to({stored}, 6)"),
            Some(Kind::Char) => {
                let scale = self.tensor(&format!("{path}_scale"));
                format!("torch.mul(torch.to({stored}, 6), torch.reshape({scale}, {one_each}))")
            }
            _ => stored,
        }
    }
}
