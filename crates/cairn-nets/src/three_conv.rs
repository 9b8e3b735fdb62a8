//! System C's three-conv network.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::layers::{BatchNorm, conv, halve, linear};

/// Three 3x3 convolutions (16, 32, 64 channels), each with ReLU and a 2 x 2 max pool; a linear layer of 128 with
/// batch norm and ReLU; dropout; a linear layer to the classes. At 224 px the flattened map has 50,176 values.
#[derive(Module, Debug)]
pub struct ThreeConv {
    conv1: Conv2d,
    conv2: Conv2d,
    conv3: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    bn1: BatchNorm,
    dropout: Dropout,
    fc2: Linear,
}

impl ThreeConv {
    /// A network for square photos of `side` pixels (224 in System C, with dropout 0.25).
    pub fn new(classes: usize, side: usize, dropout: f64, device: &Device) -> Self {
        let map = side / 8;
        Self {
            conv1: conv([3, 16], 3, 1, true, device),
            conv2: conv([16, 32], 3, 1, true, device),
            conv3: conv([32, 64], 3, 1, true, device),
            pool: halve(),
            fc1: linear(64 * map * map, 128, device),
            bn1: BatchNorm::new(128, device),
            dropout: DropoutConfig::new(dropout).init(),
            fc2: linear(128, classes, device),
        }
    }

    /// Logits: `[batch, 3, side, side]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.conv1.forward(images))); // [batch, 16, 112, 112]
        let x = self.pool.forward(relu(self.conv2.forward(x))); // [batch, 32, 56, 56]
        let x = self.pool.forward(relu(self.conv3.forward(x))); // [batch, 64, 28, 28]
        let x = self.fc1.forward(x.flatten(1, 3)); // [batch, 128]
        let x = relu(self.bn1.forward(x));
        self.fc2.forward(self.dropout.forward(x)) // [batch, classes]
    }
}
