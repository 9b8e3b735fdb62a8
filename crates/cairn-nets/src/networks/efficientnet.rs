//! EfficientNet-B0 (Tan and Le 2019, <https://arxiv.org/abs/1905.11946>), as torchvision builds it.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::Classifier;
use crate::Pooling;
use crate::head::Head;
use crate::layers::{
    Conv, ConvNorm, GlobalPool, InvertedResidual, InvertedResidualPlan, Linear, NormSettings, SqueezePlan,
    StochasticDepth,
};
use crate::traceable::{FeatureMap, Features};

/// A 3x3 convolution with stride 2, sixteen inverted residual blocks in seven stages, a 1x1 convolution to 1280 channels.
#[derive(Module, Debug)]
pub struct EfficientNet {
    features: Vec<Feature>,
    pool: GlobalPool,
    classifier: Classification,
}

#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "nine of them in a network")]
enum Feature {
    ConvNorm(ConvNorm),
    Stage(Vec<InvertedResidual>),
}

#[derive(Module, Debug)]
struct Classification {
    dropout: Dropout,
    linear_1: Linear,
}

/// Expansion, kernel, the first block's stride, channels, blocks (table 1 of the paper).
pub(super) const STAGES: [[usize; 5]; 7] = [
    [1, 3, 1, 16, 1],
    [6, 3, 2, 24, 2],
    [6, 5, 2, 40, 2],
    [6, 3, 2, 80, 3],
    [6, 5, 1, 112, 3],
    [6, 5, 2, 192, 4],
    [6, 3, 1, 320, 1],
];

impl EfficientNet {
    /// EfficientNet-B0 for photos of any size from 32 px up (224 in the paper; torchvision's dropout is 0.2).
    ///
    /// `depth_rate` is the last block's rate of stochastic depth, towards which the blocks' rates rise evenly.
    pub(crate) fn b0(
        classes: usize,
        dropout: f64,
        depth_rate: f64,
        pooling: Pooling,
        device: &Device,
    ) -> Self {
        let conv_norm = |channels, kernel, stride| {
            let conv = Conv::new(channels, kernel, stride, false, device);
            Feature::ConvNorm(ConvNorm::new(conv, NormSettings::default(), Activation::Silu, device))
        };
        let total: usize = STAGES.iter().map(|[.., blocks]| blocks).sum();
        let mut features = vec![conv_norm([3, 32], 3, 2)];
        let (mut inputs, mut built) = (32, 0);
        for [expansion, kernel, stride, outputs, blocks] in STAGES {
            let mut stage = Vec::with_capacity(blocks);
            for block in 0..blocks {
                let plan = InvertedResidualPlan {
                    inputs,
                    hidden: inputs * expansion,
                    outputs,
                    kernel,
                    stride: if block == 0 { stride } else { 1 },
                    activation: Activation::Silu,
                    norm: NormSettings::default(),
                    squeeze: Some(SqueezePlan {
                        channels: inputs / 4,
                        activation: Activation::Silu,
                        gate: Activation::Sigmoid,
                    }),
                    stochastic_depth: StochasticDepth { rate: depth_rate * built as f64 / total as f64 },
                };
                stage.push(InvertedResidual::new(&plan, device));
                (inputs, built) = (outputs, built + 1);
            }
            features.push(Feature::Stage(stage));
        }
        features.push(conv_norm([inputs, 1280], 1, 1));
        let classifier = Classification {
            dropout: DropoutConfig::new(dropout).init(),
            linear_1: Linear::new(1280, classes, device),
        };
        Self { features, pool: GlobalPool::new(pooling, device), classifier }
    }
}

impl Classifier for EfficientNet {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 112, 112, 32] -> [batch, 7, 7, 1280]
        let x = self.features.iter().fold(images, |x, feature| match feature {
            Feature::ConvNorm(layer) => layer.forward(x),
            Feature::Stage(blocks) => blocks.iter().fold(x, |x, block| block.forward(x)),
        });
        self.pool.forward(x) // [batch, 1280]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.classifier.dropout), linear: &self.classifier.linear_1 }
    }
}
