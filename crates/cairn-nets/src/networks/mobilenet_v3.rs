//! MobileNetV3-Large (Howard et al. 2019, <https://arxiv.org/abs/1905.02244>), as torchvision builds it.

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

/// A 3x3 convolution with stride 2, fifteen inverted residual blocks, a 1x1 convolution to 960 channels, two linear
/// layers with dropout between them.
#[derive(Module, Debug)]
pub struct MobileNetV3 {
    features: Vec<Feature>,
    pool: GlobalPool,
    classifier: Classification,
}

#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "seventeen of them in a network")]
enum Feature {
    ConvNorm(ConvNorm),
    InvertedResidual(InvertedResidual),
}

#[derive(Module, Debug)]
struct Classification {
    linear_0: Linear,
    dropout: Dropout,
    linear_3: Linear,
}

/// A row of table 1 of the paper: kernel, hidden and output channels, squeeze-and-excitation, activation, stride.
struct Row(usize, usize, usize, bool, Activation, usize);

/// ReLU and hard-swish, by the names of the paper.
const RE: Activation = Activation::Relu;
const HS: Activation = Activation::HardSwish;

impl MobileNetV3 {
    const NORM: NormSettings = NormSettings { epsilon: 1e-3, momentum: 0.01 };

    #[rustfmt::skip]
    const LARGE: [Row; 15] = [
        Row(3, 16, 16, false, RE, 1),
        Row(3, 64, 24, false, RE, 2),
        Row(3, 72, 24, false, RE, 1),
        Row(5, 72, 40, true, RE, 2),
        Row(5, 120, 40, true, RE, 1),
        Row(5, 120, 40, true, RE, 1),
        Row(3, 240, 80, false, HS, 2),
        Row(3, 200, 80, false, HS, 1),
        Row(3, 184, 80, false, HS, 1),
        Row(3, 184, 80, false, HS, 1),
        Row(3, 480, 112, true, HS, 1),
        Row(3, 672, 112, true, HS, 1),
        Row(5, 672, 160, true, HS, 2),
        Row(5, 960, 160, true, HS, 1),
        Row(5, 960, 160, true, HS, 1),
    ];

    /// A network for photos of any size from 32 px up (224 in the paper; torchvision's dropout is 0.2).
    pub(crate) fn large(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let conv_norm = |channels, kernel, stride| {
            let conv = Conv::new(channels, kernel, stride, false, device);
            Feature::ConvNorm(ConvNorm::new(conv, Self::NORM, HS, device))
        };
        let mut features = vec![conv_norm([3, 16], 3, 2)];
        let mut inputs = 16;
        for Row(kernel, hidden, outputs, squeezes, activation, stride) in Self::LARGE {
            let squeeze = squeezes.then(|| SqueezePlan {
                channels: divisible_by_eight(hidden / 4),
                activation: RE,
                gate: Activation::HardSigmoid,
            });
            let plan = InvertedResidualPlan {
                inputs,
                hidden,
                outputs,
                kernel,
                stride,
                activation,
                norm: Self::NORM,
                squeeze,
                stochastic_depth: StochasticDepth { rate: 0.0 },
            };
            features.push(Feature::InvertedResidual(InvertedResidual::new(&plan, device)));
            inputs = outputs;
        }
        features.push(conv_norm([inputs, 960], 1, 1));
        let classifier = Classification {
            linear_0: Linear::new(960, 1280, device),
            dropout: DropoutConfig::new(dropout).init(),
            linear_3: Linear::new(1280, classes, device),
        };
        Self { features, pool: GlobalPool::new(pooling, device), classifier }
    }
}

/// The nearest multiple of eight, unless it is less than nine tenths of what was asked for.
fn divisible_by_eight(channels: usize) -> usize {
    let nearest = (channels + 4) / 8 * 8;
    let enough = nearest.max(8);
    if 10 * enough < 9 * channels { enough + 8 } else { enough }
}

impl Classifier for MobileNetV3 {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 112, 112, 16] -> [batch, 7, 7, 960]
        let x = self.features.iter().fold(images, |x, feature| match feature {
            Feature::ConvNorm(layer) => layer.forward(x),
            Feature::InvertedResidual(block) => block.forward(x),
        });
        self.classifier.linear_0.forward(self.pool.forward(x)).activate(HS) // [batch, 1280]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.classifier.dropout), linear: &self.classifier.linear_3 }
    }
}
