//! RegNetY-800MF (Radosavovic et al. 2020, <https://arxiv.org/abs/2003.13678>), as torchvision builds it.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::layers::ConvGeometry;
use cairn_kernels::{Activation, Padding};

use super::Classifier;
use crate::Pooling;
use crate::head::Head;
use crate::layers::{Conv, ConvNorm, GlobalPool, Linear, NormSettings, SqueezeExcitation};
use crate::traceable::{FeatureMap, Features};

/// A 3x3 convolution with stride 2, then bottlenecks of grouped convolutions with squeeze-and-excitation in four stages.
#[derive(Module, Debug)]
pub struct RegNet {
    stem: ConvNorm,
    trunk_output: Trunk,
    pool: GlobalPool,
    dropout: Dropout,
    fc: Linear,
}

#[derive(Module, Debug)]
struct Trunk {
    block1: Vec<Block>,
    block2: Vec<Block>,
    block3: Vec<Block>,
    block4: Vec<Block>,
}

#[derive(Module, Debug)]
struct Block {
    /// Fits the input to the output.
    proj: Option<ConvNorm>,
    f: Bottleneck,
}

/// A 1x1 convolution, a 3x3 in groups, squeeze-and-excitation, a 1x1 convolution, all with as many channels.
#[derive(Module, Debug)]
struct Bottleneck {
    a: ConvNorm,
    b: ConvNorm,
    se: SqueezeExcitation,
    c: ConvNorm,
}

impl Block {
    /// Channels of a group.
    const GROUP: usize = 16;

    fn new([inputs, outputs]: [usize; 2], stride: usize, device: &Device) -> Self {
        let conv_norm = |conv, activation| ConvNorm::new(conv, NormSettings::default(), activation, device);
        let pointwise = |channels, stride| Conv::new(channels, 1, stride, false, device);
        let geometry = ConvGeometry { stride, padding: Padding::Each(1), groups: outputs / Self::GROUP };
        let grouped = Conv::with_geometry([outputs, outputs], 3, geometry, false, device);
        // A quarter of the block's inputs, all of which are multiples of four.
        let squeezed = [outputs, inputs / 4];
        let fits = inputs == outputs && stride == 1;
        Self {
            proj: (!fits).then(|| conv_norm(pointwise([inputs, outputs], stride), Activation::Identity)),
            f: Bottleneck {
                a: conv_norm(pointwise([inputs, outputs], 1), Activation::Relu),
                b: conv_norm(grouped, Activation::Relu),
                se: SqueezeExcitation::new(squeezed, Activation::Relu, Activation::Sigmoid, device),
                c: conv_norm(pointwise([outputs, outputs], 1), Activation::Identity),
            },
        }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [x, skip] = x.fork();
        let skip = match &self.proj {
            Some(fit) => fit.forward(skip),
            None => skip,
        };
        let Bottleneck { a, b, se, c } = &self.f;
        c.add(se.forward(b.forward(a.forward(x))), skip, Activation::Relu)
    }
}

impl RegNet {
    /// Channels of the stem.
    const STEM: usize = 32;

    /// Channels and blocks of each stage of RegNetY-800MF: what torchvision works out from depth 14, initial width 56,
    /// slope 38.84 and multiplier 2.4.
    const Y_800MF: [[usize; 2]; 4] = [[64, 1], [144, 3], [320, 8], [784, 2]];

    /// RegNetY-800MF for photos of any size from 32 px up (224 in the paper).
    pub(crate) fn y_800mf(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let stage = |n: usize| {
            let [outputs, blocks] = Self::Y_800MF[n];
            let inputs = if n == 0 { Self::STEM } else { Self::Y_800MF[n - 1][0] };
            let rest = (1..blocks).map(|_| Block::new([outputs, outputs], 1, device));
            [Block::new([inputs, outputs], 2, device)].into_iter().chain(rest).collect()
        };
        let stem = Conv::new([3, Self::STEM], 3, 2, false, device);
        let [.., [features, _]] = Self::Y_800MF;
        Self {
            stem: ConvNorm::new(stem, NormSettings::default(), Activation::Relu, device),
            trunk_output: Trunk { block1: stage(0), block2: stage(1), block3: stage(2), block4: stage(3) },
            pool: GlobalPool::new(pooling, device),
            dropout: DropoutConfig::new(dropout).init(),
            fc: Linear::new(features, classes, device),
        }
    }
}

impl Classifier for RegNet {
    fn features(&self, images: FeatureMap) -> Features {
        let x = self.stem.forward(images); // [batch, 112, 112, 32]
        let Trunk { block1, block2, block3, block4 } = &self.trunk_output;
        // [batch, 56, 56, 64] -> [batch, 28, 28, 144] -> [batch, 14, 14, 320] -> [batch, 7, 7, 784]
        let blocks = block1.iter().chain(block2).chain(block3).chain(block4);
        self.pool.forward(blocks.fold(x, |x, block| block.forward(x))) // [batch, 784]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.dropout), linear: &self.fc }
    }
}
