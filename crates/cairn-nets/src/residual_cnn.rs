//! System B's residual CNN.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::layers::{BatchNorm, conv, global_average_pool, halve, linear};

/// Six groups of residual blocks: 3->64; 64->128; 128->256, 256->256; 256->512, 512->512; 512->512 twice; 512->512
/// twice; with a 2 x 2 max pool after each group but the last. Then global average pool, dropout, linear.
#[derive(Module, Debug)]
pub struct ResidualCnn {
    groups: Vec<Vec<Block>>,
    pool: MaxPool2d,
    dropout: Dropout,
    fc: Linear,
}

/// conv-BN-ReLU, conv-BN, a 1x1 convolution on the skip where the channels change, ReLU.
#[derive(Module, Debug)]
struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    skip: Option<Conv2d>,
}

impl Block {
    fn new([inputs, outputs]: [usize; 2], device: &Device) -> Self {
        Self {
            conv1: conv([inputs, outputs], 3, 1, true, device),
            bn1: BatchNorm::new(outputs, device),
            conv2: conv([outputs, outputs], 3, 1, true, device),
            bn2: BatchNorm::new(outputs, device),
            skip: (inputs != outputs).then(|| conv([inputs, outputs], 1, 1, true, device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let skip = match &self.skip {
            Some(conv) => conv.forward(x.clone()),
            None => x.clone(),
        };
        let y = relu(self.bn1.forward(self.conv1.forward(x)));
        relu(self.bn2.forward(self.conv2.forward(y)) + skip)
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
    pub fn new(classes: usize, dropout: f64, device: &Device) -> Self {
        let block = |&channels: &[usize; 2]| Block::new(channels, device);
        Self {
            groups: Self::GROUPS.iter().map(|group| group.iter().map(block).collect()).collect(),
            pool: halve(),
            dropout: DropoutConfig::new(dropout).init(),
            fc: linear(512, classes, device),
        }
    }

    /// Logits: `[batch, 3, height, width]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut x = images; // [batch, 3, 224, 224]
        for (n, group) in self.groups.iter().enumerate() {
            if n > 0 {
                x = self.pool.forward(x); // 112, 56, 28, 14, 7
            }
            x = group.iter().fold(x, |x, block| block.forward(x));
        }
        let x = global_average_pool(x); // [batch, 512]
        self.fc.forward(self.dropout.forward(x)) // [batch, classes]
    }
}
