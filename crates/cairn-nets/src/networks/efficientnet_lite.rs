//! EfficientNet-Lite (Liu 2020, <https://blog.tensorflow.org/2020/03/higher-accuracy-on-vision-models-with-efficientnet-lite.html>),
//! as timm builds `tf_efficientnet_lite0` to `tf_efficientnet_lite4`.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::layers::ConvGeometry;
use cairn_kernels::{Activation, Padding};

use super::Classifier;
use super::efficientnet::STAGES;
use crate::Pooling;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, GlobalPool, Linear, NormSettings, StochasticDepth};
use crate::traceable::{FeatureMap, Features};

/// EfficientNet without squeeze-and-excitation, with ReLU6 for SiLU, and stem and head of one width in all sizes.
///
/// Convolutions pad as TensorFlow does: with stride 2 an even map has zeros below and at the right alone.
#[derive(Module, Debug)]
pub struct EfficientNetLite {
    conv_stem: Conv,
    bn1: BatchNorm,
    blocks: Vec<Vec<Block>>,
    conv_head: Conv,
    bn2: BatchNorm,
    pool: GlobalPool,
    dropout: Dropout,
    classifier: Linear,
}

#[derive(Module, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "some dozens of them in a network, all but one or two the larger"
)]
enum Block {
    Separable(Separable),
    Inverted(Inverted),
}

/// A depthwise convolution and a 1x1 convolution without an activation.
#[derive(Module, Debug)]
struct Separable {
    conv_dw: Conv,
    bn1: BatchNorm,
    conv_pw: Conv,
    bn2: BatchNorm,
    #[module(skip)]
    skip: Skip,
}

/// A 1x1 convolution to more channels, a depthwise convolution, a 1x1 convolution back without an activation.
#[derive(Module, Debug)]
struct Inverted {
    conv_pw: Conv,
    bn1: BatchNorm,
    conv_dw: Conv,
    bn2: BatchNorm,
    conv_pwl: Conv,
    bn3: BatchNorm,
    #[module(skip)]
    skip: Skip,
}

/// How a block's input is added to its output.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Skip {
    /// The map changes its shape: it is not.
    None,
    /// In training the block is left out at this rate.
    Added(StochasticDepth),
}

/// Which of the five sizes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LiteSize {
    /// What channels between stem and head are multiplied by.
    pub(crate) width: f64,
    /// What the blocks of all stages but the first and last are multiplied by.
    pub(crate) depth: f64,
}

impl LiteSize {
    /// Lite0 to Lite4.
    pub(crate) const ALL: [Self; 5] = [
        Self { width: 1.0, depth: 1.0 },
        Self { width: 1.0, depth: 1.1 },
        Self { width: 1.1, depth: 1.2 },
        Self { width: 1.2, depth: 1.4 },
        Self { width: 1.4, depth: 1.8 },
    ];

    /// Channels of a stage: a multiple of eight, and no less than nine tenths of what is asked for.
    fn channels(self, published: usize) -> usize {
        let wanted = published as f64 * self.width;
        let rounded = ((wanted + 4.0) as usize / 8 * 8).max(8);
        if (rounded as f64) < 0.9 * wanted { rounded + 8 } else { rounded }
    }

    /// Blocks of a stage.
    fn blocks(self, stage: usize, published: usize) -> usize {
        let scaled = stage > 0 && stage + 1 < STAGES.len();
        if scaled { (published as f64 * self.depth).ceil() as usize } else { published }
    }
}

/// Channels that the stem gives.
const STEM: usize = 32;

/// Features of a photo.
const HEAD: usize = 1280;

/// TensorFlow's epsilon, with PyTorch's momentum: as timm has it.
const NORM: NormSettings = NormSettings { epsilon: 1e-3, momentum: 0.1 };

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNorm::with_settings(channels, NORM, device)
}

fn pointwise(channels: [usize; 2], device: &Device) -> Conv {
    Conv::new(channels, 1, 1, false, device)
}

fn depthwise(channels: usize, kernel: usize, stride: usize, device: &Device) -> Conv {
    Conv::depthwise_padded(channels, kernel, stride, Padding::Same, device)
}

impl Skip {
    fn of([inputs, outputs]: [usize; 2], stride: usize, depth: StochasticDepth) -> Self {
        if stride == 1 && inputs == outputs { Self::Added(depth) } else { Self::None }
    }

    /// The block's output for `x`. `project` ends the branch that `branch` begins.
    fn around(
        self,
        x: FeatureMap,
        branch: impl FnOnce(FeatureMap) -> FeatureMap,
        (project, norm): (&Conv, &BatchNorm),
    ) -> FeatureMap {
        let project = |x, input| project.norm(norm, x, input, Activation::Identity);
        let Self::Added(depth) = self else { return project(branch(x), None) };
        let [x, input] = x.fork();
        let x = branch(x);
        // Where nothing is left out, adding is part of the convolution's pass.
        if depth.rate == 0.0 { project(x, Some(input)) } else { depth.forward(project(x, None)).add(input) }
    }
}

impl Block {
    fn new(
        [expansion, kernel, stride]: [usize; 3],
        channels: [usize; 2],
        depth: StochasticDepth,
        device: &Device,
    ) -> Self {
        let ([inputs, outputs], skip) = (channels, Skip::of(channels, stride, depth));
        if expansion == 1 {
            return Self::Separable(Separable {
                conv_dw: depthwise(inputs, kernel, stride, device),
                bn1: norm(inputs, device),
                conv_pw: pointwise(channels, device),
                bn2: norm(outputs, device),
                skip,
            });
        }
        let hidden = inputs * expansion;
        Self::Inverted(Inverted {
            conv_pw: pointwise([inputs, hidden], device),
            bn1: norm(hidden, device),
            conv_dw: depthwise(hidden, kernel, stride, device),
            bn2: norm(hidden, device),
            conv_pwl: pointwise([hidden, outputs], device),
            bn3: norm(outputs, device),
            skip,
        })
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        match self {
            Self::Separable(it) => {
                let branch = |x| it.conv_dw.norm(&it.bn1, x, None, Activation::Relu6);
                it.skip.around(x, branch, (&it.conv_pw, &it.bn2))
            }
            Self::Inverted(it) => {
                let branch = |x| {
                    let x = it.conv_pw.norm(&it.bn1, x, None, Activation::Relu6);
                    it.conv_dw.norm(&it.bn2, x, None, Activation::Relu6)
                };
                it.skip.around(x, branch, (&it.conv_pwl, &it.bn3))
            }
        }
    }
}

impl EfficientNetLite {
    /// A network for photos of any size from 32 px up.
    ///
    /// `depth_rate` is the last block's rate of stochastic depth, towards which the blocks' rates rise evenly.
    pub(crate) fn new(
        size: LiteSize,
        classes: usize,
        dropout: f64,
        depth_rate: f64,
        pooling: Pooling,
        device: &Device,
    ) -> Self {
        let counts: Vec<usize> =
            STAGES.iter().enumerate().map(|(stage, [.., blocks])| size.blocks(stage, *blocks)).collect();
        let total: usize = counts.iter().sum();
        let (mut inputs, mut built) = (STEM, 0);
        let mut blocks = Vec::with_capacity(STAGES.len());
        for ([expansion, kernel, stride, published, _], count) in STAGES.into_iter().zip(counts) {
            let outputs = size.channels(published);
            let mut stage = Vec::with_capacity(count);
            for block in 0..count {
                let stride = if block == 0 { stride } else { 1 };
                let depth = StochasticDepth { rate: depth_rate * built as f64 / total as f64 };
                stage.push(Block::new([expansion, kernel, stride], [inputs, outputs], depth, device));
                (inputs, built) = (outputs, built + 1);
            }
            blocks.push(stage);
        }
        let stem = ConvGeometry { stride: 2, padding: Padding::Same, groups: 1 };
        Self {
            conv_stem: Conv::with_geometry([3, STEM], 3, stem, false, device),
            bn1: norm(STEM, device),
            blocks,
            conv_head: pointwise([inputs, HEAD], device),
            bn2: norm(HEAD, device),
            pool: GlobalPool::new(pooling, device),
            dropout: DropoutConfig::new(dropout).init(),
            classifier: Linear::new(HEAD, classes, device),
        }
    }
}

impl Classifier for EfficientNetLite {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 112, 112, 32] -> [batch, 7, 7, 1280]
        let x = self.conv_stem.norm(&self.bn1, images, None, Activation::Relu6);
        let x = self.blocks.iter().flatten().fold(x, |x, block| block.forward(x));
        self.pool.forward(self.conv_head.norm(&self.bn2, x, None, Activation::Relu6)) // [batch, 1280]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.dropout), linear: &self.classifier }
    }
}
