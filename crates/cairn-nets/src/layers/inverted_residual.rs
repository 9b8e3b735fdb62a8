//! Inverted residual blocks with squeeze-and-excitation, of MobileNetV3 and EfficientNet.

use burn::module::Module;
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::{Conv, ConvNorm, NormSettings, SqueezeExcitation, StochasticDepth};
use crate::traceable::FeatureMap;

/// A 1x1 convolution to more channels (left out where they are as many), a depthwise convolution,
/// squeeze-and-excitation, a 1x1 convolution back without an activation; the block's input is added where the map keeps
/// its shape.
#[derive(Module, Debug)]
pub(crate) struct InvertedResidual {
    /// One sequence, as in torchvision, which numbers its members.
    block: Vec<Stage>,
    #[module(skip)]
    adds_input: bool,
    #[module(skip)]
    stochastic_depth: StochasticDepth,
}

#[derive(Module, Debug)]
enum Stage {
    ConvNorm(ConvNorm),
    SqueezeExcitation(SqueezeExcitation),
}

/// What distinguishes one block from another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvertedResidualPlan {
    pub(crate) inputs: usize,
    /// Channels of the depthwise convolution.
    pub(crate) hidden: usize,
    pub(crate) outputs: usize,
    /// Side of the depthwise convolution's kernel, and its stride.
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) activation: Activation,
    pub(crate) norm: NormSettings,
    pub(crate) squeeze: Option<SqueezePlan>,
    pub(crate) stochastic_depth: StochasticDepth,
}

/// A block's squeeze-and-excitation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqueezePlan {
    pub(crate) channels: usize,
    pub(crate) activation: Activation,
    pub(crate) gate: Activation,
}

impl InvertedResidual {
    pub(crate) fn new(plan: &InvertedResidualPlan, device: &Device) -> Self {
        let &InvertedResidualPlan { inputs, hidden, outputs, kernel, stride, norm, .. } = plan;
        let pointwise = |channels| Conv::new(channels, 1, 1, false, device);
        let conv_norm = |conv, activation| Stage::ConvNorm(ConvNorm::new(conv, norm, activation, device));
        let expand = (hidden != inputs).then(|| conv_norm(pointwise([inputs, hidden]), plan.activation));
        let depthwise = conv_norm(Conv::depthwise(hidden, kernel, stride, device), plan.activation);
        let squeeze = plan.squeeze.map(|SqueezePlan { channels, activation, gate }| {
            Stage::SqueezeExcitation(SqueezeExcitation::new([hidden, channels], activation, gate, device))
        });
        let project = conv_norm(pointwise([hidden, outputs]), Activation::Identity);
        Self {
            block: expand.into_iter().chain([depthwise]).chain(squeeze).chain([project]).collect(),
            adds_input: stride == 1 && inputs == outputs,
            stochastic_depth: plan.stochastic_depth,
        }
    }

    pub(crate) fn forward(&self, x: FeatureMap) -> FeatureMap {
        if !self.adds_input {
            return self.branch(x);
        }
        let [x, input] = x.fork();
        self.stochastic_depth.forward(self.branch(x)).add(input)
    }

    fn branch(&self, x: FeatureMap) -> FeatureMap {
        self.block.iter().fold(x, |x, stage| match stage {
            Stage::ConvNorm(layer) => layer.forward(x),
            Stage::SqueezeExcitation(layer) => layer.forward(x),
        })
    }
}
