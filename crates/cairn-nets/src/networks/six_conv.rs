//! System A's six-conv network.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;

use super::Classifier;
use crate::head::Head;
use crate::layers::{Conv, Linear};
use crate::traceable::{FeatureMap, Features};

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
    pub(crate) fn new(classes: usize, side: usize, dropout: f64, device: &Device) -> Self {
        let map = side / 64;
        let [.., last] = Self::CHANNELS;
        Self {
            convs: Self::CHANNELS.windows(2).map(|c| Conv::new([c[0], c[1]], 3, 1, true, device)).collect(),
            fc1: Linear::new(last * map * map, 512, device),
            fc2: Linear::new(512, 256, device),
            fc3: Linear::new(256, classes, device),
            dropout: DropoutConfig::new(dropout).init(),
        }
    }
}

impl Classifier for SixConv {
    fn features(&self, images: FeatureMap) -> Features {
        // [batch, 800, 800, 3] -> [batch, 12, 12, 128]
        let x = self.convs.iter().fold(images, |x, conv| conv.forward(x).relu().halve());
        let x = self.fc1.forward(x.flatten()).relu().dropout(&self.dropout); // [batch, 512]
        self.fc2.forward(x).relu() // [batch, 256]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.dropout), linear: &self.fc3 }
    }
}
