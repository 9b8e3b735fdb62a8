//! AlexNet (Krizhevsky 2014, <https://arxiv.org/abs/1404.5997>), as torchvision builds it.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Padding;
use cairn_kernels::layers::{ConvGeometry, PoolGeometry};

use super::Classifier;
use crate::head::Head;
use crate::layers::{Conv, Linear};
use crate::traceable::{FeatureMap, Features};

/// Five convolutions with ReLU, three overlapping max pools, three linear layers with dropout before the first two.
#[derive(Module, Debug)]
pub struct AlexNet {
    features: Convolutions,
    classifier: Classification,
}

/// Windows of 3 x 3 that meet in a row or column of pixels.
const OVERLAPPING: PoolGeometry = PoolGeometry { window: 3, stride: 2, padding: 0, ceil_mode: false };

#[derive(Module, Debug)]
struct Convolutions {
    conv_0: Conv,
    conv_3: Conv,
    conv_6: Conv,
    conv_8: Conv,
    conv_10: Conv,
}

#[derive(Module, Debug)]
struct Classification {
    dropout: Dropout,
    linear_1: Linear,
    linear_4: Linear,
    linear_6: Linear,
}

impl AlexNet {
    /// A network for photos of any size from 63 px up (224 in torchvision, with dropout 0.5).
    pub(crate) fn new(classes: usize, dropout: f64, device: &Device) -> Self {
        let conv = |channels, kernel| Conv::new(channels, kernel, 1, true, device);
        let first = ConvGeometry { stride: 4, padding: Padding::Each(2), groups: 1 };
        Self {
            features: Convolutions {
                conv_0: Conv::with_geometry([3, 64], 11, first, true, device),
                conv_3: conv([64, 192], 5),
                conv_6: conv([192, 384], 3),
                conv_8: conv([384, 256], 3),
                conv_10: conv([256, 256], 3),
            },
            classifier: Classification {
                dropout: DropoutConfig::new(dropout).init(),
                linear_1: Linear::new(256 * 6 * 6, 4096, device),
                linear_4: Linear::new(4096, 4096, device),
                linear_6: Linear::new(4096, classes, device),
            },
        }
    }
}

impl Classifier for AlexNet {
    fn features(&self, images: FeatureMap) -> Features {
        let Self { features, classifier } = self;
        // [batch, 224, 224, 3] -> [batch, 55, 55, 64] -> [batch, 27, 27, 64]
        let x = features.conv_0.forward(images).relu().max_pool(OVERLAPPING);
        let x = features.conv_3.forward(x).relu().max_pool(OVERLAPPING); // [batch, 13, 13, 192]
        let x = features.conv_6.forward(x).relu(); // [batch, 13, 13, 384]
        let x = features.conv_8.forward(x).relu(); // [batch, 13, 13, 256]
        let x = features.conv_10.forward(x).relu().max_pool(OVERLAPPING); // [batch, 6, 6, 256]
        let x = x.adaptive_average(6).flatten().dropout(&classifier.dropout); // [batch, 9216]
        let x = classifier.linear_1.forward(x).relu().dropout(&classifier.dropout); // [batch, 4096]
        classifier.linear_4.forward(x).relu() // [batch, 4096]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: None, linear: &self.classifier.linear_6 }
    }
}
