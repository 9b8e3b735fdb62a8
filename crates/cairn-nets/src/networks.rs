//! The architectures, each in a file of its own.

mod alexnet;
mod convnext;
mod efficientnet;
mod efficientnet_lite;
mod mobilenet_v2;
mod mobilenet_v3;
mod plain_cnn;
mod regnet;
mod residual_cnn;
mod resnet;
mod six_conv;
mod squeezenet;
mod three_conv;
mod vgg;

pub use alexnet::AlexNet;
pub use convnext::ConvNext;
pub use efficientnet::EfficientNet;
pub use efficientnet_lite::EfficientNetLite;
pub(crate) use efficientnet_lite::LiteSize;
pub use mobilenet_v2::MobileNetV2;
pub use mobilenet_v3::MobileNetV3;
pub use plain_cnn::PlainCnn;
pub use regnet::RegNet;
pub use residual_cnn::ResidualCnn;
pub use resnet::ResNet;
pub use six_conv::SixConv;
pub use squeezenet::SqueezeNet;
pub use three_conv::ThreeConv;
pub use vgg::Vgg;

use crate::head::Head;
use crate::traceable::{FeatureMap, Features};

/// What every architecture is: a backbone that turns photos into features, and a head that turns features into logits.
pub(crate) trait Classifier {
    /// What the head takes: photos as a map, `[batch, height, width, 3]`, to `[batch, features]`.
    fn features(&self, images: FeatureMap) -> Features;

    /// The layers after that.
    fn head(&self) -> Head<'_>;

    /// Logits: photos as a map to `[batch, classes]`.
    fn forward(&self, images: FeatureMap) -> Features {
        self.head().forward(self.features(images))
    }

    /// Both, of one pass.
    fn features_and_logits(&self, images: FeatureMap) -> [Features; 2] {
        let features = self.features(images);
        [features.clone(), self.head().forward(features)]
    }
}
