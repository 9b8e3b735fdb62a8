//! System B's residual CNN.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::Classifier;
use crate::Pooling;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, GlobalPool, Linear};
use crate::traceable::{FeatureMap, Features};

/// Six groups of residual blocks: 3->64; 64->128; 128->256, 256->256; 256->512, 512->512; 512->512 twice; 512->512
/// twice; with a 2 x 2 max pool after each group but the last. Then global average pool, dropout, linear.
#[derive(Module, Debug)]
pub struct ResidualCnn {
    groups: Vec<Vec<Block>>,
    pool: GlobalPool,
    dropout: Dropout,
    fc: Linear,
}

/// conv-BN-ReLU, conv-BN, a 1x1 convolution on the skip where the channels change, ReLU.
#[derive(Module, Debug)]
struct Block {
    conv1: Conv,
    bn1: BatchNorm,
    conv2: Conv,
    bn2: BatchNorm,
    skip: Option<Conv>,
}

impl Block {
    fn new([inputs, outputs]: [usize; 2], device: &Device) -> Self {
        Self {
            conv1: Conv::new([inputs, outputs], 3, 1, true, device),
            bn1: BatchNorm::new(outputs, device),
            conv2: Conv::new([outputs, outputs], 3, 1, true, device),
            bn2: BatchNorm::new(outputs, device),
            skip: (inputs != outputs).then(|| Conv::new([inputs, outputs], 1, 1, true, device)),
        }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [x, skip] = x.fork();
        let skip = match &self.skip {
            Some(conv) => conv.forward(skip),
            None => skip,
        };
        let y = self.conv1.norm(&self.bn1, x, None, Activation::Relu);
        self.conv2.norm(&self.bn2, y, Some(skip), Activation::Relu)
    }
}

impl ResidualCnn {
    const GROUPS: [&[[usize; 2]]; 6] = [
        &[[3, 64]],
        &[[64, 128]],
        &[[128, 256], [256, 256]],
        &[[256, 512], [512, 512]],
        &[[512, 512]; 2],
        &[[512, 512]; 2],
    ];

    /// A network for photos of any size from 32 px up (224 in System B, with dropout 0.5).
    pub(crate) fn new(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let block = |&channels: &[usize; 2]| Block::new(channels, device);
        Self {
            groups: Self::GROUPS.iter().map(|group| group.iter().map(block).collect()).collect(),
            pool: GlobalPool::new(pooling, device),
            dropout: DropoutConfig::new(dropout).init(),
            fc: Linear::new(512, classes, device),
        }
    }
}

impl Classifier for ResidualCnn {
    fn features(&self, images: FeatureMap) -> Features {
        let mut x = images; // [batch, 224, 224, 3]
        for (n, group) in self.groups.iter().enumerate() {
            if n > 0 {
                x = x.halve(); // 112, 56, 28, 14, 7
            }
            x = group.iter().fold(x, |x, block| block.forward(x));
        }
        self.pool.forward(x) // [batch, 512]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.dropout), linear: &self.fc }
    }
}
