//! ResNets of basic blocks (He et al. 2015, <https://arxiv.org/abs/1512.03385>), as torchvision builds them.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Activation;
use cairn_kernels::layers::PoolGeometry;

use super::Classifier;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, Linear};
use crate::value::{FeatureMap, Features};

/// How a ResNet begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stem {
    /// A 7x7 convolution with stride 2 and a 3x3 max pool with stride 2: a quarter of the photo's side.
    SevenBySeven,
    /// A 3x3 convolution with stride 2 alone: half of the photo's side, for small photos.
    ThreeByThree,
}

/// A ResNet of basic blocks in four layers, the channels doubling from each to the next.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv,
    bn1: BatchNorm,
    #[module(skip)]
    stem: Stem,
    layer1: Vec<BasicBlock>,
    layer2: Vec<BasicBlock>,
    layer3: Vec<BasicBlock>,
    layer4: Vec<BasicBlock>,
    dropout: Dropout,
    fc: Linear,
}

/// Two 3x3 convolutions with batch norm and the block's input added before the last ReLU.
#[derive(Module, Debug)]
struct BasicBlock {
    conv1: Conv,
    bn1: BatchNorm,
    conv2: Conv,
    bn2: BatchNorm,
    downsample: Option<Downsample>,
}

/// The 1x1 convolution and batch norm that fit the input to the output: a sequence in torchvision.
#[derive(Module, Debug)]
struct Downsample {
    conv_0: Conv,
    bn_1: BatchNorm,
}

impl BasicBlock {
    fn new(inputs: usize, outputs: usize, stride: usize, device: &Device) -> Self {
        let fits = inputs == outputs && stride == 1;
        Self {
            conv1: Conv::new([inputs, outputs], 3, stride, false, device),
            bn1: BatchNorm::new(outputs, device),
            conv2: Conv::new([outputs, outputs], 3, 1, false, device),
            bn2: BatchNorm::new(outputs, device),
            downsample: (!fits).then(|| Downsample {
                conv_0: Conv::new([inputs, outputs], 1, stride, false, device),
                bn_1: BatchNorm::new(outputs, device),
            }),
        }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [x, skip] = x.fork();
        let skip = match &self.downsample {
            Some(fit) => fit.conv_0.norm(&fit.bn_1, skip, None, Activation::Identity),
            None => skip,
        };
        let y = self.conv1.norm(&self.bn1, x, None, Activation::Relu);
        self.conv2.norm(&self.bn2, y, Some(skip), Activation::Relu)
    }
}

impl ResNet {
    /// ResNet-18: 64 channels, two blocks a layer.
    pub fn resnet18(classes: usize, dropout: f64, device: &Device) -> Self {
        Self::new(Stem::SevenBySeven, 64, [2, 2, 2, 2], classes, dropout, device)
    }

    /// ResNet-34: 64 channels; 3, 4, 6 and 3 blocks.
    pub fn resnet34(classes: usize, dropout: f64, device: &Device) -> Self {
        Self::new(Stem::SevenBySeven, 64, [3, 4, 6, 3], classes, dropout, device)
    }

    /// A ResNet-10 of half the width with a 3x3 stem, for small photos, small data sets and few cores.
    pub fn resnet10_small(classes: usize, dropout: f64, device: &Device) -> Self {
        Self::new(Stem::ThreeByThree, 32, [1, 1, 1, 1], classes, dropout, device)
    }

    fn new(
        stem: Stem,
        width: usize,
        blocks: [usize; 4],
        classes: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let layer = |n: usize| {
            let outputs = width << n;
            let (inputs, stride) = if n == 0 { (width, 1) } else { (outputs / 2, 2) };
            (0..blocks[n])
                .map(|b| match b {
                    0 => BasicBlock::new(inputs, outputs, stride, device),
                    _ => BasicBlock::new(outputs, outputs, 1, device),
                })
                .collect()
        };
        let kernel = match stem {
            Stem::SevenBySeven => 7,
            Stem::ThreeByThree => 3,
        };
        Self {
            conv1: Conv::new([3, width], kernel, 2, false, device),
            bn1: BatchNorm::new(width, device),
            stem,
            layer1: layer(0),
            layer2: layer(1),
            layer3: layer(2),
            layer4: layer(3),
            dropout: DropoutConfig::new(dropout).init(),
            fc: Linear::new(width * 8, classes, device),
        }
    }
}

impl Classifier for ResNet {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 112, 112, 64]
        let x = self.conv1.norm(&self.bn1, images, None, Activation::Relu);
        let x = match self.stem {
            Stem::SevenBySeven => x.max_pool(PoolGeometry { window: 3, stride: 2, padding: 1 }),
            Stem::ThreeByThree => x,
        };
        // [batch, 56, 56, 64] -> [batch, 28, 28, 128] -> [batch, 14, 14, 256] -> [batch, 7, 7, 512]
        let blocks = self.layer1.iter().chain(&self.layer2).chain(&self.layer3).chain(&self.layer4);
        blocks.fold(x, |x, block| block.forward(x)).average() // [batch, 512]
    }

    fn head(&self) -> Head<'_> {
        Head { dropout: &self.dropout, linear: &self.fc }
    }
}
