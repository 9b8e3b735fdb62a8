//! System C's three-conv network.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::Classifier;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, Linear};
use crate::traceable::{FeatureMap, Features};

/// Three 3x3 convolutions (16, 32, 64 channels), each with ReLU and a 2 x 2 max pool; a linear layer of 128 with
/// batch norm and ReLU; dropout; a linear layer to the classes. At 224 px the flattened map has 50,176 values.
#[derive(Module, Debug)]
pub struct ThreeConv {
    conv1: Conv,
    conv2: Conv,
    conv3: Conv,
    fc1: Linear,
    bn1: BatchNorm,
    dropout: Dropout,
    fc2: Linear,
}

impl ThreeConv {
    /// A network for square photos of `side` pixels (224 in System C, with dropout 0.25).
    pub(crate) fn new(classes: usize, side: usize, dropout: f64, device: &Device) -> Self {
        let map = side / 8;
        Self {
            conv1: Conv::new([3, 16], 3, 1, true, device),
            conv2: Conv::new([16, 32], 3, 1, true, device),
            conv3: Conv::new([32, 64], 3, 1, true, device),
            fc1: Linear::new(64 * map * map, 128, device),
            bn1: BatchNorm::new(128, device),
            dropout: DropoutConfig::new(dropout).init(),
            fc2: Linear::new(128, classes, device),
        }
    }
}

impl Classifier for ThreeConv {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 224, 224, 3] -> [batch, 112, 112, 16]
        let x = self.conv1.forward(images).relu().halve();
        let x = self.conv2.forward(x).relu().halve(); // [batch, 56, 56, 32]
        let x = self.conv3.forward(x).relu().halve(); // [batch, 28, 28, 64]
        let x = self.fc1.forward(x.flatten()); // [batch, 128]
        self.bn1.forward(x.into_pixels(), None, Activation::Relu).into_vectors()
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.dropout), linear: &self.fc2 }
    }
}
