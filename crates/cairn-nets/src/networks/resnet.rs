//! ResNets (He et al. 2015, <https://arxiv.org/abs/1512.03385>), as torchvision builds them.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Activation;
use cairn_kernels::layers::PoolGeometry;

use super::Classifier;
use crate::Pooling;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, GlobalPool, Linear};
use crate::traceable::{FeatureMap, Features};

/// How a ResNet begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stem {
    /// A 7x7 convolution with stride 2 and a 3x3 max pool with stride 2: a quarter of the photo's side.
    SevenBySeven,
    /// A 3x3 convolution with stride 2 alone: half of the photo's side, for small photos.
    ThreeByThree,
}

/// A ResNet in four layers, the channels doubling from each to the next.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv,
    bn1: BatchNorm,
    #[module(skip)]
    stem: Stem,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    pool: GlobalPool,
    dropout: Dropout,
    fc: Linear,
}

#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a network has blocks of one kind")]
enum Block {
    Basic(BasicBlock),
    Bottleneck(Bottleneck),
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

/// A 1x1 convolution to fewer channels, a 3x3, a 1x1 to four times as many, with batch norm; the block's input is added
/// before the last ReLU. The stride is the 3x3's, as in torchvision ("ResNet v1.5").
#[derive(Module, Debug)]
struct Bottleneck {
    conv1: Conv,
    bn1: BatchNorm,
    conv2: Conv,
    bn2: BatchNorm,
    conv3: Conv,
    bn3: BatchNorm,
    downsample: Option<Downsample>,
}

/// The 1x1 convolution and batch norm that fit the input to the output: a sequence in torchvision.
#[derive(Module, Debug)]
struct Downsample {
    conv_0: Conv,
    bn_1: BatchNorm,
}

impl Downsample {
    /// Where the input does not fit as it is.
    fn where_needed([inputs, outputs]: [usize; 2], stride: usize, device: &Device) -> Option<Self> {
        (inputs != outputs || stride != 1).then(|| Self {
            conv_0: Conv::new([inputs, outputs], 1, stride, false, device),
            bn_1: BatchNorm::new(outputs, device),
        })
    }

    /// What is added at the end of a block that takes `x`.
    fn skip(this: Option<&Self>, x: FeatureMap) -> FeatureMap {
        match this {
            Some(fit) => fit.conv_0.norm(&fit.bn_1, x, None, Activation::Identity),
            None => x,
        }
    }
}

impl BasicBlock {
    fn new([inputs, outputs]: [usize; 2], stride: usize, device: &Device) -> Self {
        Self {
            conv1: Conv::new([inputs, outputs], 3, stride, false, device),
            bn1: BatchNorm::new(outputs, device),
            conv2: Conv::new([outputs, outputs], 3, 1, false, device),
            bn2: BatchNorm::new(outputs, device),
            downsample: Downsample::where_needed([inputs, outputs], stride, device),
        }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [x, skip] = x.fork();
        let skip = Downsample::skip(self.downsample.as_ref(), skip);
        let x = self.conv1.norm(&self.bn1, x, None, Activation::Relu);
        self.conv2.norm(&self.bn2, x, Some(skip), Activation::Relu)
    }
}

impl Bottleneck {
    const EXPANSION: usize = 4;

    fn new([inputs, outputs]: [usize; 2], stride: usize, device: &Device) -> Self {
        let width = outputs / Self::EXPANSION;
        Self {
            conv1: Conv::new([inputs, width], 1, 1, false, device),
            bn1: BatchNorm::new(width, device),
            conv2: Conv::new([width, width], 3, stride, false, device),
            bn2: BatchNorm::new(width, device),
            conv3: Conv::new([width, outputs], 1, 1, false, device),
            bn3: BatchNorm::new(outputs, device),
            downsample: Downsample::where_needed([inputs, outputs], stride, device),
        }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [x, skip] = x.fork();
        let skip = Downsample::skip(self.downsample.as_ref(), skip);
        let x = self.conv1.norm(&self.bn1, x, None, Activation::Relu);
        let x = self.conv2.norm(&self.bn2, x, None, Activation::Relu);
        self.conv3.norm(&self.bn3, x, Some(skip), Activation::Relu)
    }
}

impl Block {
    fn forward(&self, x: FeatureMap) -> FeatureMap {
        match self {
            Self::Basic(block) => block.forward(x),
            Self::Bottleneck(block) => block.forward(x),
        }
    }
}

/// What distinguishes one ResNet from another.
struct Plan {
    stem: Stem,
    /// Channels of each layer's 3x3 convolutions; the stem has as many as the first.
    widths: [usize; 4],
    /// Whether blocks are bottlenecks, whose outputs have four times as many channels as their 3x3 convolutions.
    bottlenecks: bool,
    /// Blocks of each layer.
    blocks: [usize; 4],
}

/// Widths that double from layer to layer.
const fn doubling(width: usize) -> [usize; 4] {
    [width, 2 * width, 4 * width, 8 * width]
}

impl ResNet {
    /// ResNet-18: 64 channels, two blocks a layer.
    pub(crate) fn resnet18(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let plan =
            Plan { stem: Stem::SevenBySeven, widths: doubling(64), bottlenecks: false, blocks: [2; 4] };
        Self::new(&plan, classes, dropout, pooling, device)
    }

    /// ResNet-34: 64 channels; 3, 4, 6 and 3 blocks.
    pub(crate) fn resnet34(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let plan =
            Plan { stem: Stem::SevenBySeven, widths: doubling(64), bottlenecks: false, blocks: [3, 4, 6, 3] };
        Self::new(&plan, classes, dropout, pooling, device)
    }

    /// ResNet-50: 64 channels; 3, 4, 6 and 3 bottlenecks.
    pub(crate) fn resnet50(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let plan =
            Plan { stem: Stem::SevenBySeven, widths: doubling(64), bottlenecks: true, blocks: [3, 4, 6, 3] };
        Self::new(&plan, classes, dropout, pooling, device)
    }

    /// A ResNet-10 of half the width with a 3x3 stem, for small photos, small data sets and few cores.
    pub(crate) fn resnet10_small(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let plan =
            Plan { stem: Stem::ThreeByThree, widths: doubling(32), bottlenecks: false, blocks: [1; 4] };
        Self::new(&plan, classes, dropout, pooling, device)
    }

    /// A ResNet-18 of half the width, for small data sets, few cores and small files: 2.8 million parameters.
    pub(crate) fn resnet18_small(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let plan =
            Plan { stem: Stem::SevenBySeven, widths: doubling(32), bottlenecks: false, blocks: [2; 4] };
        Self::new(&plan, classes, dropout, pooling, device)
    }

    /// A ResNet-18 of three eighths of the width, and less at the end, for small files and slow machines: 0.9 million parameters.
    pub(crate) fn resnet18_tiny(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let widths = [24, 48, 96, 120];
        let plan = Plan { stem: Stem::SevenBySeven, widths, bottlenecks: false, blocks: [2; 4] };
        Self::new(&plan, classes, dropout, pooling, device)
    }

    fn new(plan: &Plan, classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let &Plan { stem, widths, bottlenecks, blocks } = plan;
        let expansion = if bottlenecks { Bottleneck::EXPANSION } else { 1 };
        let block = |channels, stride| {
            if bottlenecks {
                Block::Bottleneck(Bottleneck::new(channels, stride, device))
            } else {
                Block::Basic(BasicBlock::new(channels, stride, device))
            }
        };
        let layer = |n: usize| {
            let outputs = expansion * widths[n];
            let (inputs, stride) = if n == 0 { (widths[0], 1) } else { (expansion * widths[n - 1], 2) };
            let rest = (1..blocks[n]).map(|_| block([outputs, outputs], 1));
            [block([inputs, outputs], stride)].into_iter().chain(rest).collect()
        };
        let kernel = match stem {
            Stem::SevenBySeven => 7,
            Stem::ThreeByThree => 3,
        };
        Self {
            conv1: Conv::new([3, widths[0]], kernel, 2, false, device),
            bn1: BatchNorm::new(widths[0], device),
            stem,
            layer1: layer(0),
            layer2: layer(1),
            layer3: layer(2),
            layer4: layer(3),
            pool: GlobalPool::new(pooling, device),
            dropout: DropoutConfig::new(dropout).init(),
            fc: Linear::new(expansion * widths[3], classes, device),
        }
    }
}

impl Classifier for ResNet {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 112, 112, 64]
        let x = self.conv1.norm(&self.bn1, images, None, Activation::Relu);
        let x = match self.stem {
            Stem::SevenBySeven => {
                x.max_pool(PoolGeometry { window: 3, stride: 2, padding: 1, ceil_mode: false })
            }
            Stem::ThreeByThree => x,
        };
        // [batch, 56, 56, 64] -> [batch, 28, 28, 128] -> [batch, 14, 14, 256] -> [batch, 7, 7, 512]; four times the
        // channels with bottlenecks
        let blocks = self.layer1.iter().chain(&self.layer2).chain(&self.layer3).chain(&self.layer4);
        self.pool.forward(blocks.fold(x, |x, block| block.forward(x))) // [batch, 512]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.dropout), linear: &self.fc }
    }
}
