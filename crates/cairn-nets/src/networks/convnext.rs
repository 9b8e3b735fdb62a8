//! ConvNeXt-Tiny (Liu et al. 2022, <https://arxiv.org/abs/2201.03545>), as torchvision builds it.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};
use cairn_kernels::layers::ConvGeometry;
use cairn_kernels::{Activation, Padding};

use super::Classifier;
use crate::Pooling;
use crate::graph::Op;
use crate::head::Head;
use crate::layers::{Conv, GlobalPool, LayerNorm, Linear, StochasticDepth};
use crate::traceable::{FeatureMap, Features};

/// A 4x4 convolution with stride 4, then four stages of blocks with a 2x2 convolution of stride 2 between them, all with
/// layer norm; layer norm once more after the pool.
#[derive(Module, Debug)]
pub struct ConvNext {
    features: Vec<Feature>,
    pool: GlobalPool,
    classifier: Classification,
}

#[derive(Module, Debug)]
enum Feature {
    Stem(Stem),
    Stage(Vec<Block>),
    Downsample(Downsample),
}

#[derive(Module, Debug)]
struct Stem {
    conv_0: Conv,
    norm_1: LayerNorm,
}

#[derive(Module, Debug)]
struct Downsample {
    norm_0: LayerNorm,
    conv_1: Conv,
}

/// A depthwise 7x7 convolution, layer norm, a linear layer to four times the channels, GELU and one back; each channel
/// scaled; the block's input added.
#[derive(Module, Debug)]
struct Block {
    block: Branch,
    /// `[channels, 1, 1]`.
    layer_scale: Param<Tensor<3>>,
    #[module(skip)]
    stochastic_depth: StochasticDepth,
}

/// One sequence, as in torchvision, in which permutations of the axes count, too.
#[derive(Module, Debug)]
struct Branch {
    conv_0: Conv,
    norm_2: LayerNorm,
    linear_3: Linear,
    linear_5: Linear,
}

#[derive(Module, Debug)]
struct Classification {
    norm_0: LayerNorm,
    dropout: Dropout,
    linear_2: Linear,
}

impl Block {
    /// What a block's scale begins with.
    const LAYER_SCALE: f32 = 1e-6;

    fn new(channels: usize, stochastic_depth: StochasticDepth, device: &Device) -> Self {
        let geometry = ConvGeometry { stride: 1, padding: Padding::Each(3), groups: channels };
        Self {
            block: Branch {
                conv_0: Conv::with_geometry([channels, channels], 7, geometry, true, device),
                norm_2: LayerNorm::new(channels, device),
                linear_3: Linear::new(channels, 4 * channels, device),
                linear_5: Linear::new(4 * channels, channels, device),
            },
            layer_scale: Param::from_tensor(Tensor::full([channels, 1, 1], Self::LAYER_SCALE, device)),
            stochastic_depth,
        }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [x, input] = x.fork();
        let Branch { conv_0, norm_2, linear_3, linear_5 } = &self.block;
        let x = norm_2.forward(conv_0.forward(x));
        let x = linear_3.forward_pixels(x).activate(Activation::Gelu);
        let x = linear_5.forward_pixels(x);
        self.stochastic_depth.forward(self.scale(x)).add(input)
    }

    fn scale(&self, x: FeatureMap) -> FeatureMap {
        let op = |path: &str| Op::LayerScale { scale: format!("{path}.layer_scale") };
        x.apply(
            |x| {
                let factors = self.layer_scale.val().reshape([1, 1, 1, -1]);
                let dtype = x.dtype();
                x * factors.cast(dtype)
            },
            |x| x.layer(&self.layer_scale, op),
        )
    }
}

impl ConvNext {
    /// Channels and blocks of each stage of ConvNeXt-Tiny.
    const TINY: [[usize; 2]; 4] = [[96, 3], [192, 3], [384, 9], [768, 3]];

    /// ConvNeXt-Tiny for photos of any size from 32 px up (224 in the paper).
    ///
    /// `depth_rate` is the last block's rate of stochastic depth, towards which the blocks' rates rise evenly.
    pub(crate) fn tiny(
        classes: usize,
        dropout: f64,
        depth_rate: f64,
        pooling: Pooling,
        device: &Device,
    ) -> Self {
        let total: usize = Self::TINY.iter().map(|[_, blocks]| blocks).sum();
        let strided = |channels, kernel| {
            let geometry = ConvGeometry { stride: kernel, padding: Padding::Each(0), groups: 1 };
            Conv::with_geometry(channels, kernel, geometry, true, device)
        };
        let [[mut inputs, _], ..] = Self::TINY;
        let stem = Stem { conv_0: strided([3, inputs], 4), norm_1: LayerNorm::new(inputs, device) };
        let mut features = vec![Feature::Stem(stem)];
        let mut built = 0;
        for [channels, blocks] in Self::TINY {
            if channels != inputs {
                features.push(Feature::Downsample(Downsample {
                    norm_0: LayerNorm::new(inputs, device),
                    conv_1: strided([inputs, channels], 2),
                }));
            }
            let rate = |block: usize| depth_rate * (built + block) as f64 / (total - 1) as f64;
            let block = |block| Block::new(channels, StochasticDepth { rate: rate(block) }, device);
            features.push(Feature::Stage((0..blocks).map(block).collect()));
            (inputs, built) = (channels, built + blocks);
        }
        let classifier = Classification {
            norm_0: LayerNorm::new(inputs, device),
            dropout: DropoutConfig::new(dropout).init(),
            linear_2: Linear::new(inputs, classes, device),
        };
        Self { features, pool: GlobalPool::new(pooling, device), classifier }
    }
}

impl Classifier for ConvNext {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 56, 56, 96] -> 28, 14 -> [batch, 7, 7, 768]
        let x = self.features.iter().fold(images, |x, feature| match feature {
            Feature::Stem(Stem { conv_0, norm_1 }) => norm_1.forward(conv_0.forward(x)),
            Feature::Stage(blocks) => blocks.iter().fold(x, |x, block| block.forward(x)),
            Feature::Downsample(Downsample { norm_0, conv_1 }) => conv_1.forward(norm_0.forward(x)),
        });
        self.classifier.norm_0.forward_vectors(self.pool.forward(x)) // [batch, 768]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.classifier.dropout), linear: &self.classifier.linear_2 }
    }
}
