//! What a node computes.

use cairn_kernels::{Activation, Padding};

/// An operation on maps `[channels, height, width]` and vectors `[channels]`, as PyTorch defines it in evaluation.
///
/// Pairs are height and width. Tensors are named as in the state dict, in torchvision's layouts.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The photo, normalised.
    Input {
        /// `[channels, height, width]`.
        shape: [usize; 3],
    },
    /// Convolution with zeros around the map.
    Conv2d {
        /// `[outputs, inputs / groups, kernel height, kernel width]`.
        weight: String,
        /// `[outputs]`.
        bias: Option<String>,
        /// Steps between windows.
        stride: [usize; 2],
        /// Zeros around the map.
        padding: ConvPadding,
        /// Parts that the channels fall into; as many as there are channels for a depthwise convolution.
        groups: usize,
    },
    /// `(x - running_mean) / sqrt(running_var + eps) * weight + bias`, each tensor `[channels]`.
    BatchNorm {
        /// Scale.
        weight: String,
        /// Shift.
        bias: String,
        /// Mean of the training batches.
        running_mean: String,
        /// Unbiased variance of the training batches.
        running_var: String,
        /// What keeps the root from zero.
        eps: f64,
    },
    /// `max(x, 0)`.
    Relu,
    /// `min(max(x, 0), 6)`.
    Relu6,
    /// `x * min(max(x + 3, 0), 6) / 6`.
    HardSwish,
    /// `min(max(x + 3, 0), 6) / 6`.
    HardSigmoid,
    /// `x * sigmoid(x)`.
    Silu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x * Φ(x)` with the normal distribution's Φ itself, not an approximation.
    Gelu,
    /// The sum of two inputs of one shape.
    Add,
    /// The product of two inputs of one shape, or of a map and a map of one pixel.
    Mul,
    /// The inputs' channels one after the other.
    Concat,
    /// The greatest of each window; padding never is.
    MaxPool {
        /// The window.
        kernel: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Rows and columns around the map.
        padding: [usize; 2],
        /// Whether a window that reaches beyond the padding counts, if it begins within map or padding before it.
        ceil_mode: bool,
    },
    /// The mean of each window, zeros of the padding included.
    AveragePool {
        /// The window.
        kernel: [usize; 2],
        /// Steps between windows.
        stride: [usize; 2],
        /// Rows and columns of zeros around the map.
        padding: [usize; 2],
    },
    /// The means of as many windows as `output` has pixels: window `i` of `n` on a side of `len` pixels reaches from
    /// `floor(i * len / n)` up to but not including `ceil((i + 1) * len / n)`.
    AdaptiveAveragePool {
        /// Height and width of the result.
        output: [usize; 2],
    },
    /// The mean of each channel, as a map of one pixel.
    GlobalAveragePool,
    /// The generalised mean of each channel, as a map of one pixel: `mean(max(x, eps) ^ p) ^ (1 / p)`, where `p` is no less
    /// than [`Op::LEAST_POWER`] (GeM; Radenovic et al. 2018, <https://arxiv.org/abs/1711.02512>).
    GeneralisedMean {
        /// The power `p`, `[1]`.
        power: String,
        /// The least that a value counts as.
        eps: f64,
    },
    /// A map as a vector, channel by channel.
    Flatten,
    /// `weight * x + bias`, for the vector or for each pixel of the map.
    Linear {
        /// `[outputs, inputs]`.
        weight: String,
        /// `[outputs]`.
        bias: Option<String>,
    },
    /// Layer norm over the channels, of the vector or of each pixel of the map; its tensors are `[channels]`.
    LayerNorm {
        /// Scale.
        weight: String,
        /// Shift.
        bias: String,
        /// What keeps the root from zero.
        eps: f64,
    },
    /// Each channel times a number of its own.
    LayerScale {
        /// `[channels]` or `[channels, 1, 1]`.
        scale: String,
    },
    /// Dropout, which in evaluation leaves its input as it is.
    Dropout,
}

/// Zeros around the map of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConvPadding {
    /// As many rows above as below, as many columns left as right.
    Each([usize; 2]),
    /// So many that a side of `n` pixels gives `ceil(n / stride)`; an odd one goes below or right: TensorFlow's `SAME`.
    Same,
}

impl From<[usize; 2]> for ConvPadding {
    fn from(each: [usize; 2]) -> Self {
        Self::Each(each)
    }
}

impl ConvPadding {
    /// Zeros before and after the map along each axis; `None` where they cannot be counted. Arguments are height and width;
    /// no stride is zero.
    pub fn around(self, map: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Option<[[usize; 2]; 2]> {
        let along = |axis: usize| {
            let padding = match self {
                Self::Each(each) => Padding::Each(each[axis]),
                Self::Same => Padding::Same,
            };
            padding.along(map[axis], kernel[axis], stride[axis])
        };
        Some([along(0)?, along(1)?])
    }
}

impl Op {
    /// The least power of a generalised mean: that of the mean itself.
    pub const LEAST_POWER: f64 = 1.0;

    /// An activation function; nothing for the identity.
    pub(crate) fn activation(activation: Activation) -> Option<Self> {
        match activation {
            Activation::Identity => None,
            Activation::Relu => Some(Self::Relu),
            Activation::Relu6 => Some(Self::Relu6),
            Activation::Sigmoid => Some(Self::Sigmoid),
            Activation::Silu => Some(Self::Silu),
            Activation::Gelu => Some(Self::Gelu),
            Activation::HardSigmoid => Some(Self::HardSigmoid),
            Activation::HardSwish => Some(Self::HardSwish),
        }
    }

    /// A convolution whose tensors are `module.weight` and, with a bias, `module.bias`.
    pub fn conv2d(
        module: &str,
        bias: bool,
        stride: [usize; 2],
        padding: impl Into<ConvPadding>,
        groups: usize,
    ) -> Self {
        let bias = bias.then(|| format!("{module}.bias"));
        Self::Conv2d { weight: format!("{module}.weight"), bias, stride, padding: padding.into(), groups }
    }

    /// A batch norm of PyTorch's usual epsilon whose tensors are those of `module`.
    pub fn batch_norm(module: &str) -> Self {
        Self::batch_norm_with(module, 1e-5)
    }

    /// A batch norm of any epsilon whose tensors are those of `module`.
    pub fn batch_norm_with(module: &str, eps: f64) -> Self {
        let tensor = |name| format!("{module}.{name}");
        Self::BatchNorm {
            weight: tensor("weight"),
            bias: tensor("bias"),
            running_mean: tensor("running_mean"),
            running_var: tensor("running_var"),
            eps,
        }
    }

    /// A linear layer with a bias whose tensors are those of `module`.
    pub fn linear(module: &str) -> Self {
        Self::Linear { weight: format!("{module}.weight"), bias: Some(format!("{module}.bias")) }
    }

    /// A layer norm whose tensors are those of `module`.
    pub fn layer_norm(module: &str, eps: f64) -> Self {
        Self::LayerNorm { weight: format!("{module}.weight"), bias: format!("{module}.bias"), eps }
    }

    /// The operation in one word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input { .. } => "input",
            Self::Conv2d { .. } => "conv2d",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Relu => "relu",
            Self::Relu6 => "relu6",
            Self::HardSwish => "hard_swish",
            Self::HardSigmoid => "hard_sigmoid",
            Self::Silu => "silu",
            Self::Sigmoid => "sigmoid",
            Self::Gelu => "gelu",
            Self::Add => "add",
            Self::Mul => "mul",
            Self::Concat => "concat",
            Self::MaxPool { .. } => "max_pool",
            Self::AveragePool { .. } => "average_pool",
            Self::AdaptiveAveragePool { .. } => "adaptive_average_pool",
            Self::GlobalAveragePool => "global_average_pool",
            Self::GeneralisedMean { .. } => "generalised_mean",
            Self::Flatten => "flatten",
            Self::Linear { .. } => "linear",
            Self::LayerNorm { .. } => "layer_norm",
            Self::LayerScale { .. } => "layer_scale",
            Self::Dropout => "dropout",
        }
    }

    /// The names of its tensors in the state dict.
    pub fn tensors(&self) -> Vec<&str> {
        match self {
            Self::Conv2d { weight, bias, .. } | Self::Linear { weight, bias } => {
                [Some(weight), bias.as_ref()].into_iter().flatten().map(String::as_str).collect()
            }
            Self::BatchNorm { weight, bias, running_mean, running_var, .. } => {
                vec![weight, bias, running_mean, running_var]
            }
            Self::LayerNorm { weight, bias, .. } => vec![weight, bias],
            Self::LayerScale { scale } => vec![scale],
            Self::GeneralisedMean { power, .. } => vec![power],
            _ => Vec::new(),
        }
    }

    /// What else decides what it computes, for people to read.
    pub(super) fn attributes(&self) -> String {
        let by = |[height, width]: [usize; 2]| format!("{height}x{width}");
        match self {
            Self::Input { shape: [channels, height, width] } => format!("{channels}x{height}x{width}"),
            Self::Conv2d { weight, stride, padding, groups, .. } => {
                let groups = if *groups == 1 { String::new() } else { format!(", groups {groups}") };
                let padding = match padding {
                    ConvPadding::Each(each) => by(*each),
                    ConvPadding::Same => "same".to_owned(),
                };
                format!("weight {weight}, stride {}, padding {padding}{groups}", by(*stride))
            }
            Self::BatchNorm { weight, eps, .. } | Self::LayerNorm { weight, eps, .. } => {
                format!("weight {weight}, eps {eps:e}")
            }
            Self::MaxPool { kernel, stride, padding, ceil_mode } => {
                let ceil = if *ceil_mode { ", ceil" } else { "" };
                format!("kernel {}, stride {}, padding {}{ceil}", by(*kernel), by(*stride), by(*padding))
            }
            Self::AveragePool { kernel, stride, padding } => {
                format!("kernel {}, stride {}, padding {}", by(*kernel), by(*stride), by(*padding))
            }
            Self::AdaptiveAveragePool { output } => format!("output {}", by(*output)),
            Self::Linear { weight, .. } => format!("weight {weight}"),
            Self::LayerScale { scale } => format!("scale {scale}"),
            Self::GeneralisedMean { power, eps } => format!("power {power}, eps {eps:e}"),
            _ => String::new(),
        }
    }
}
