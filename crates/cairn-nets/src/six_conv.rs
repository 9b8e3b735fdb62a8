//! System A's six-conv network.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::feature_map::{FeatureMap, Precision};
use crate::layers::{Conv, linear};

/// Six 3x3 convolutions, each followed by ReLU and a 2 x 2 max pool; three linear layers with dropout after the
/// first two; ReLU everywhere but on the output. Made for photos of 800 x 800 pixels.
///
/// The system was published without its widths; these (16, 32, 64, 128, 128, 128; 512, 256) keep the cost of
/// every stage alike.
#[derive(Module, Debug)]
pub struct SixConv {
    convs: Vec<Conv>,
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
    dropout: Dropout,
}

impl SixConv {
    const CHANNELS: [usize; 7] = [3, 16, 32, 64, 128, 128, 128];

    /// A network for square photos of `side` pixels (800 in System A).
    pub fn new(classes: usize, side: usize, dropout: f64, device: &Device) -> Self {
        let map = side / 64;
        let [.., last] = Self::CHANNELS;
        Self {
            convs: Self::CHANNELS.windows(2).map(|c| Conv::new([c[0], c[1]], 3, 1, true, device)).collect(),
            fc1: linear(last * map * map, 512, device),
            fc2: linear(512, 256, device),
            fc3: linear(256, classes, device),
            dropout: DropoutConfig::new(dropout).init(),
        }
    }

    /// Logits: `[batch, 3, side, side]` to `[batch, classes]`.
    pub fn forward(&self, images: Tensor<4>, precision: Precision) -> Tensor<2> {
        // [batch, 800, 800, 3] -> [batch, 12, 12, 128]
        let x = FeatureMap::from_images(images, precision);
        let x = self.convs.iter().fold(x, |x, conv| conv.forward(x).relu().halve());
        let x = self.dropout.forward(relu(self.fc1.forward(x.flatten()))); // [batch, 512]
        let x = self.dropout.forward(relu(self.fc2.forward(x))); // [batch, 256]
        self.fc3.forward(x) // [batch, classes]
    }
}
