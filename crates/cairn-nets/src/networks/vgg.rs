//! VGG with batch norm (Simonyan and Zisserman 2014, <https://arxiv.org/abs/1409.1556>), as torchvision builds it.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Relu};
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::Classifier;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, Linear};
use crate::traceable::{FeatureMap, Features};

/// Five groups of 3x3 convolutions with batch norm and ReLU, a 2 x 2 max pool after each; three linear layers with
/// dropout after the first two.
#[derive(Module, Debug)]
pub struct Vgg {
    /// One sequence, as in torchvision, which numbers its members; those without tensors count, too.
    features: Vec<Feature>,
    classifier: Classification,
}

#[derive(Module, Debug)]
enum Feature {
    Conv(Conv),
    Norm(BatchNorm),
    Relu(Relu),
    MaxPool(MaxPool),
}

#[derive(Module, Debug)]
struct MaxPool;

#[derive(Module, Debug)]
struct Classification {
    linear_0: Linear,
    linear_3: Linear,
    linear_6: Linear,
    dropout: Dropout,
}

impl Vgg {
    /// Channels of VGG-16's convolutions, group by group (configuration D of the paper).
    const VGG16: [&[usize]; 5] = [&[64; 2], &[128; 2], &[256; 3], &[512; 3], &[512; 3]];

    /// VGG-16 for photos of any size from 32 px up (224 in torchvision, with dropout 0.5).
    pub(crate) fn vgg16_bn(classes: usize, dropout: f64, device: &Device) -> Self {
        let mut features = Vec::new();
        let mut inputs = 3;
        for group in Self::VGG16 {
            for &outputs in group {
                features.push(Feature::Conv(Conv::new([inputs, outputs], 3, 1, true, device)));
                features.push(Feature::Norm(BatchNorm::new(outputs, device)));
                features.push(Feature::Relu(Relu));
                inputs = outputs;
            }
            features.push(Feature::MaxPool(MaxPool));
        }
        let classifier = Classification {
            linear_0: Linear::new(512 * 7 * 7, 4096, device),
            linear_3: Linear::new(4096, 4096, device),
            linear_6: Linear::new(4096, classes, device),
            dropout: DropoutConfig::new(dropout).init(),
        };
        Self { features, classifier }
    }
}

impl Classifier for Vgg {
    fn features(&self, images: FeatureMap) -> Features {
        let mut x = images; // [batch, 224, 224, 3]
        let mut rest = self.features.as_slice();
        // [batch, 112, 112, 64] -> 56, 28, 14 -> [batch, 7, 7, 512]
        while let [feature, after @ ..] = rest {
            (x, rest) = match (feature, after) {
                (Feature::Conv(conv), [Feature::Norm(norm), Feature::Relu(_), after @ ..]) => {
                    (conv.norm(norm, x, None, Activation::Relu), after)
                }
                (Feature::Conv(conv), _) => (conv.forward(x), after),
                (Feature::Norm(norm), _) => (norm.forward(x, None, Activation::Identity), after),
                (Feature::Relu(_), _) => (x.relu(), after),
                (Feature::MaxPool(_), _) => (x.halve(), after),
            };
        }
        let Classification { linear_0, linear_3, dropout, .. } = &self.classifier;
        let x = x.adaptive_average(7).flatten(); // [batch, 25088]
        let x = linear_0.forward(x).relu().dropout(dropout); // [batch, 4096]
        linear_3.forward(x).relu() // [batch, 4096]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.classifier.dropout), linear: &self.classifier.linear_6 }
    }
}
