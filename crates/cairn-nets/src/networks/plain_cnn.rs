//! System B's plain CNN.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::Classifier;
use crate::Pooling;
use crate::head::Head;
use crate::layers::{BatchNorm, Conv, GlobalPool, Linear};
use crate::traceable::{FeatureMap, Features};

/// Five groups of [3x3 conv - batch norm - ReLU] with a 2 x 2 max pool after each: 64; 128; 256, 256; 512, 512;
/// 512, 512 channels. Then global average pool, dropout, linear.
#[derive(Module, Debug)]
pub struct PlainCnn {
    groups: Vec<Vec<ConvNorm>>,
    pool: GlobalPool,
    dropout: Dropout,
    fc: Linear,
}

#[derive(Module, Debug)]
struct ConvNorm {
    conv: Conv,
    bn: BatchNorm,
}

impl PlainCnn {
    const GROUPS: [&[[usize; 2]]; 5] =
        [&[[3, 64]], &[[64, 128]], &[[128, 256], [256, 256]], &[[256, 512], [512, 512]], &[[512, 512]; 2]];

    /// A network for photos of any size from 32 px up (224 in System B).
    pub(crate) fn new(classes: usize, dropout: f64, pooling: Pooling, device: &Device) -> Self {
        let layer = |&channels: &[usize; 2]| ConvNorm {
            conv: Conv::new(channels, 3, 1, true, device),
            bn: BatchNorm::new(channels[1], device),
        };
        Self {
            groups: Self::GROUPS.iter().map(|group| group.iter().map(layer).collect()).collect(),
            pool: GlobalPool::new(pooling, device),
            dropout: DropoutConfig::new(dropout).init(),
            fc: Linear::new(512, classes, device),
        }
    }
}

impl Classifier for PlainCnn {
    fn features(&self, images: FeatureMap) -> Features {
        let mut x = images; // [batch, 224, 224, 3]
        for group in &self.groups {
            for layer in group {
                x = layer.conv.norm(&layer.bn, x, None, Activation::Relu);
            }
            x = x.halve(); // 112, 56, 28, 14, 7
        }
        self.pool.forward(x) // [batch, 512]
    }

    fn head(&self) -> Head<'_> {
        Head::Linear { dropout: Some(&self.dropout), linear: &self.fc }
    }
}
