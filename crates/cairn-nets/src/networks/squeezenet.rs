//! SqueezeNet 1.1 (Iandola et al. 2016, <https://arxiv.org/abs/1602.07360>), as torchvision builds it.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Padding;
use cairn_kernels::layers::{ConvGeometry, PoolGeometry};

use super::Classifier;
use crate::head::{ConvolutionHead, Head};
use crate::layers::Conv;
use crate::traceable::{FeatureMap, Features};

/// A 3x3 convolution, eight fire modules with three max pools, a 1x1 convolution to the classes and the mean of its map.
#[derive(Module, Debug)]
pub struct SqueezeNet {
    features: Modules,
    classifier: Classification,
}

#[derive(Module, Debug)]
struct Modules {
    conv_0: Conv,
    fire_3: Fire,
    fire_4: Fire,
    fire_6: Fire,
    fire_7: Fire,
    fire_9: Fire,
    fire_10: Fire,
    fire_11: Fire,
    fire_12: Fire,
}

#[derive(Module, Debug)]
struct Classification {
    dropout: Dropout,
    conv_1: Conv,
}

/// A 1x1 convolution to few channels; a 1x1 and a 3x3 from there to many, side by side.
#[derive(Module, Debug)]
struct Fire {
    squeeze: Conv,
    expand1x1: Conv,
    expand3x3: Conv,
}

impl Fire {
    /// Gives `2 * half` channels.
    fn new(inputs: usize, squeezed: usize, half: usize, device: &Device) -> Self {
        Self {
            squeeze: Conv::new([inputs, squeezed], 1, 1, true, device),
            expand1x1: Conv::new([squeezed, half], 1, 1, true, device),
            expand3x3: Conv::new([squeezed, half], 3, 1, true, device),
        }
    }

    fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [left, right] = self.squeeze.forward(x).relu().fork();
        let left = self.expand1x1.forward(left).relu();
        left.concat(self.expand3x3.forward(right).relu())
    }
}

impl Classification {
    fn head(&self) -> ConvolutionHead<'_> {
        ConvolutionHead { dropout: &self.dropout, conv: &self.conv_1 }
    }
}

impl SqueezeNet {
    /// Windows that overlap; at the edges they may reach beyond the map.
    const POOL: PoolGeometry = PoolGeometry { window: 3, stride: 2, padding: 0, ceil_mode: true };

    /// SqueezeNet 1.1 for photos of any size from 17 px up (224 in torchvision, with dropout 0.5).
    pub(crate) fn squeezenet1_1(classes: usize, dropout: f64, device: &Device) -> Self {
        let fire = |inputs, squeezed, half| Fire::new(inputs, squeezed, half, device);
        let first = ConvGeometry { stride: 2, padding: Padding::Each(0), groups: 1 };
        Self {
            features: Modules {
                conv_0: Conv::with_geometry([3, 64], 3, first, true, device),
                fire_3: fire(64, 16, 64),
                fire_4: fire(128, 16, 64),
                fire_6: fire(128, 32, 128),
                fire_7: fire(256, 32, 128),
                fire_9: fire(256, 48, 192),
                fire_10: fire(384, 48, 192),
                fire_11: fire(384, 64, 256),
                fire_12: fire(512, 64, 256),
            },
            classifier: Classification {
                dropout: DropoutConfig::new(dropout).init(),
                conv_1: Conv::new([512, classes], 1, 1, true, device),
            },
        }
    }

    /// The map that the classifier takes: `[batch, height, width, 512]`.
    fn map(&self, images: FeatureMap) -> FeatureMap {
        let Modules { conv_0, fire_3, fire_4, fire_6, fire_7, fire_9, fire_10, fire_11, fire_12 } =
            &self.features;
        // [batch, 224, 224, 3] -> [batch, 111, 111, 64] -> [batch, 55, 55, 64]
        let x = conv_0.forward(images).relu().max_pool(Self::POOL);
        let x = fire_4.forward(fire_3.forward(x)).max_pool(Self::POOL); // [batch, 27, 27, 128]
        let x = fire_7.forward(fire_6.forward(x)).max_pool(Self::POOL); // [batch, 13, 13, 256]
        let x = fire_10.forward(fire_9.forward(x)); // [batch, 13, 13, 384]
        fire_12.forward(fire_11.forward(x)) // [batch, 13, 13, 512]
    }
}

impl Classifier for SqueezeNet {
    fn features(&self, images: FeatureMap) -> Features {
        self.map(images).average()
    }

    fn head(&self) -> Head<'_> {
        Head::Convolution(self.classifier.head())
    }

    /// The classifier looks at each pixel by itself, with a ReLU before the mean: the mean of the features would not do.
    fn features_and_logits(&self, images: FeatureMap) -> [Features; 2] {
        let map = self.map(images);
        [map.clone().average(), self.classifier.head().forward(map)]
    }

    fn forward(&self, images: FeatureMap) -> Features {
        self.classifier.head().forward(self.map(images))
    }
}
