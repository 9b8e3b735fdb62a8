//! ResNets of basic blocks (He et al. 2015, <https://arxiv.org/abs/1512.03385>), as torchvision builds them.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::layers::{BatchNorm, conv, global_average_pool, linear};

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
    conv1: Conv2d,
    bn1: BatchNorm,
    maxpool: Option<MaxPool2d>,
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
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Option<Downsample>,
}

/// The 1x1 convolution and batch norm that fit the input to the output; `downsample.0` and `.1` in torchvision.
#[derive(Module, Debug)]
struct Downsample {
    conv: Conv2d,
    bn: BatchNorm,
}

impl BasicBlock {
    fn new(inputs: usize, outputs: usize, stride: usize, device: &Device) -> Self {
        let fits = inputs == outputs && stride == 1;
        Self {
            conv1: conv([inputs, outputs], 3, stride, false, device),
            bn1: BatchNorm::new(outputs, device),
            conv2: conv([outputs, outputs], 3, 1, false, device),
            bn2: BatchNorm::new(outputs, device),
            downsample: (!fits).then(|| Downsample {
                conv: conv([inputs, outputs], 1, stride, false, device),
                bn: BatchNorm::new(outputs, device),
            }),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let skip = match &self.downsample {
            Some(fit) => fit.bn.forward(fit.conv.forward(x.clone())),
            None => x.clone(),
        };
        let y = relu(self.bn1.forward(self.conv1.forward(x)));
        relu(self.bn2.forward(self.conv2.forward(y)) + skip)
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
        let (kernel, maxpool) = match stem {
            Stem::SevenBySeven => (7, Some(three_by_three_pool())),
            Stem::ThreeByThree => (3, None),
        };
        Self {
            conv1: conv([3, width], kernel, 2, false, device),
            bn1: BatchNorm::new(width, device),
            maxpool,
            layer1: layer(0),
            layer2: layer(1),
            layer3: layer(2),
            layer4: layer(3),
            dropout: DropoutConfig::new(dropout).init(),
            fc: linear(width * 8, classes, device),
        }
    }

    /// Logits: `[batch, 3, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.bn1.forward(self.conv1.forward(images))); // [batch, 64, 112, 112]
        let x = match &self.maxpool {
            Some(pool) => pool.forward(x), // [batch, 64, 56, 56]
            None => x,
        };
        // [batch, 64, 56, 56] -> [batch, 128, 28, 28] -> [batch, 256, 14, 14] -> [batch, 512, 7, 7]
        let blocks = self.layer1.iter().chain(&self.layer2).chain(&self.layer3).chain(&self.layer4);
        let x = global_average_pool(blocks.fold(x, |x, block| block.forward(x))); // [batch, 512]
        self.fc.forward(self.dropout.forward(x)) // [batch, classes]
    }
}

fn three_by_three_pool() -> MaxPool2d {
    MaxPool2dConfig::new([3, 3])
        .with_strides([2, 2])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .init()
}
