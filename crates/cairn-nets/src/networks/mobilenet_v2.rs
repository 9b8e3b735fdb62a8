//! MobileNetV2 (Sandler et al. 2018, <https://arxiv.org/abs/1801.04381>), as torchvision builds it.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::Classifier;
use crate::Pooling;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, GlobalPool, Linear};
use crate::traceable::{FeatureMap, Features};

/// A 3x3 convolution with stride 2, seventeen inverted residual blocks, a 1x1 convolution to 1280 channels.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    features: Vec<Feature>,
    pool: GlobalPool,
    classifier: Sequence,
}

#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "nineteen of them in a network")]
enum Feature {
    ConvNormRelu6(ConvNormRelu6),
    InvertedResidual(InvertedResidual),
}

#[derive(Module, Debug)]
struct ConvNormRelu6 {
    conv_0: Conv,
    bn_1: BatchNorm,
}

/// A 1x1 convolution to more channels (left out where they are as many), a depthwise 3x3, a 1x1 back to few channels
/// without an activation; the block's input is added where the map keeps its shape.
#[derive(Module, Debug)]
struct InvertedResidual {
    conv: Stages,
    #[module(skip)]
    adds_input: bool,
}

/// One sequence, as in torchvision, which numbers its members.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "seventeen of them in a network, all but one the larger")]
enum Stages {
    Plain(Plain),
    Expanded(Expanded),
}

#[derive(Module, Debug)]
struct Plain {
    depthwise_0: ConvNormRelu6,
    project_1: Conv,
    bn_2: BatchNorm,
}

#[derive(Module, Debug)]
struct Expanded {
    expand_0: ConvNormRelu6,
    depthwise_1: ConvNormRelu6,
    project_2: Conv,
    bn_3: BatchNorm,
}

#[derive(Module, Debug)]
struct Sequence {
    dropout: Dropout,
    linear_1: Linear,
}

impl ConvNormRelu6 {
    fn new(conv: Conv, channels: usize, device: &Device) -> Self {
        Self { conv_0: conv, bn_1: BatchNorm::new(channels, device) }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        self.conv_0.norm(&self.bn_1, x, None, Activation::Relu6)
    }
}

impl InvertedResidual {
    fn new([inputs, outputs]: [usize; 2], expansion: usize, stride: usize, device: &Device) -> Self {
        let hidden = inputs * expansion;
        let depthwise = ConvNormRelu6::new(Conv::depthwise(hidden, 3, stride, device), hidden, device);
        let project = Conv::new([hidden, outputs], 1, 1, false, device);
        let bn = BatchNorm::new(outputs, device);
        let conv = if expansion == 1 {
            Stages::Plain(Plain { depthwise_0: depthwise, project_1: project, bn_2: bn })
        } else {
            let expand = Conv::new([inputs, hidden], 1, 1, false, device);
            let expand_0 = ConvNormRelu6::new(expand, hidden, device);
            Stages::Expanded(Expanded { expand_0, depthwise_1: depthwise, project_2: project, bn_3: bn })
        };
        Self { conv, adds_input: stride == 1 && inputs == outputs }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let (x, residual) = if self.adds_input {
            let [x, residual] = x.fork();
            (x, Some(residual))
        } else {
            (x, None)
        };
        let (x, project, bn) = match &self.conv {
            Stages::Plain(it) => (it.depthwise_0.forward(x), &it.project_1, &it.bn_2),
            Stages::Expanded(it) => (it.depthwise_1.forward(it.expand_0.forward(x)), &it.project_2, &it.bn_3),
        };
        project.norm(bn, x, residual, Activation::Identity)
    }
}

impl MobileNetV2 {
    /// Expansion, channels, blocks and the first block's stride (table 2 of the paper).
    const STAGES: [[usize; 4]; 7] = [
        [1, 16, 1, 1],
        [6, 24, 2, 2],
        [6, 32, 3, 2],
        [6, 64, 4, 2],
        [6, 96, 3, 1],
        [6, 160, 3, 2],
        [6, 320, 1, 1],
    ];

    /// A network for photos of any size from 32 px up (224 in the paper; torchvision's dropout is 0.2).
    pub(crate) fn new(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let layer = |channels: [usize; 2], kernel, stride| {
            let conv = Conv::new(channels, kernel, stride, false, device);
            Feature::ConvNormRelu6(ConvNormRelu6::new(conv, channels[1], device))
        };
        let mut features = vec![layer([3, 32], 3, 2)];
        let mut inputs = 32;
        for [expansion, outputs, blocks, stride] in Self::STAGES {
            for block in 0..blocks {
                let stride = if block == 0 { stride } else { 1 };
                let block = InvertedResidual::new([inputs, outputs], expansion, stride, device);
                features.push(Feature::InvertedResidual(block));
                inputs = outputs;
            }
        }
        features.push(layer([inputs, 1280], 1, 1));
        let classifier = Sequence {
            dropout: DropoutConfig::new(dropout).init(),
            linear_1: Linear::new(1280, classes, device),
        };
        Self { features, pool: GlobalPool::new(pooling, device), classifier }
    }
}

impl Classifier for MobileNetV2 {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 112, 112, 32] -> [batch, 7, 7, 1280]
        let x = self.features.iter().fold(images, |x, feature| match feature {
            Feature::ConvNormRelu6(layer) => layer.forward(x),
            Feature::InvertedResidual(block) => block.forward(x),
        });
        self.pool.forward(x) // [batch, 1280]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.classifier.dropout), linear: &self.classifier.linear_1 }
    }
}
