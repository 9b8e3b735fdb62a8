//! One type for every architecture, so that training and prediction need not know which they hold.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use cairn_kernels::{in_pool, layers};

use crate::Precision;
use crate::batch_parts::in_parts;
use crate::graph::Graph;
use crate::head::Head;
use crate::networks::{
    AlexNet, Classifier, ConvNext, EfficientNet, EfficientNetLite, MobileNetV2, MobileNetV3, PlainCnn,
    RegNet, ResNet, ResidualCnn, SixConv, SqueezeNet, ThreeConv, Vgg,
};
use crate::trace::trace;
use crate::traceable::{FeatureMap, Features};

/// A network of any architecture.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a program holds one or two networks, never many")]
pub enum Network {
    /// System A's.
    SixConv(SixConv),
    /// System B's plain one.
    PlainCnn(PlainCnn),
    /// System B's residual one.
    ResidualCnn(ResidualCnn),
    /// System C's.
    ThreeConv(ThreeConv),
    /// Any ResNet.
    ResNet(ResNet),
    /// AlexNet.
    AlexNet(AlexNet),
    /// A VGG with batch norm.
    Vgg(Vgg),
    /// SqueezeNet 1.1.
    SqueezeNet(SqueezeNet),
    /// MobileNetV2.
    MobileNetV2(MobileNetV2),
    /// MobileNetV3-Large.
    MobileNetV3(MobileNetV3),
    /// EfficientNet-B0.
    EfficientNet(EfficientNet),
    /// An EfficientNet-Lite.
    EfficientNetLite(EfficientNetLite),
    /// RegNetY-800MF.
    RegNet(RegNet),
    /// ConvNeXt-Tiny.
    ConvNext(ConvNext),
}

impl Network {
    /// Logits: `[batch, 3, height, width]` normalised photos to `[batch, classes]`.
    ///
    /// On an autodiff device batch norm uses the batch's statistics and dropout drops.
    pub fn forward(&self, images: Tensor<4>, precision: Precision) -> Tensor<2> {
        let [logits] = in_parts(
            images,
            || self.parameter_count(),
            |images| [self.classifier().forward(FeatureMap::from_images(images, precision)).tensor()],
        );
        logits
    }

    /// What the last linear layer takes: `[batch, 3, height, width]` normalised photos to `[batch, features]` of f32. Of
    /// SqueezeNet, whose last layer is a convolution, the mean of the map that it takes.
    pub fn features(&self, images: Tensor<4>, precision: Precision) -> Tensor<2> {
        let [features] = in_parts(
            images,
            || self.parameter_count(),
            |images| [self.classifier().features(FeatureMap::from_images(images, precision)).tensor()],
        );
        features
    }

    /// Features and logits of photos, both of one pass: what [`Network::features`] and [`Network::forward`] give.
    pub fn features_and_logits(&self, images: Tensor<4>, precision: Precision) -> [Tensor<2>; 2] {
        in_parts(
            images,
            || self.parameter_count(),
            |images| {
                let images = FeatureMap::from_images(images, precision);
                self.classifier().features_and_logits(images).map(Features::tensor)
            },
        )
    }

    /// Logits of features: `[batch, features]` to `[batch, classes]`, through dropout (where gradients are wanted) and
    /// the last layer. What [`Network::forward`] does after [`Network::features`], but in SqueezeNet, which classifies each
    /// pixel before it takes the mean: there it is only near it.
    pub fn classify(&self, features: Tensor<2>) -> Tensor<2> {
        self.classifier().head().forward(Features::Eager(features)).tensor()
    }

    /// How many values [`Network::features`] gives for a photo.
    pub fn feature_count(&self) -> usize {
        self.classifier().head().feature_count()
    }

    /// Whether logits are a linear function of [`Network::features`]: so in every network but SqueezeNet.
    pub fn has_linear_head(&self) -> bool {
        matches!(self.classifier().head(), Head::Linear { .. })
    }

    /// The path of the last layer, such as `fc` or `classifier.1`: its tensors are `fc.weight`,
    /// `[classes, features]` (in SqueezeNet `[classes, features, 1, 1]`), and `fc.bias`, `[classes]`.
    pub fn head_prefix(&self) -> String {
        let names = self.tensor_names();
        // Every parameter has a name, and a weight's ends in `.weight`.
        let name = names.get(&self.classifier().head().weight_id()).map_or("", String::as_str);
        name.trim_end_matches(".weight").to_owned()
    }

    /// What the network computes in evaluation, step by step, for square photos of `side` pixels.
    pub fn graph(&self, side: usize) -> Graph {
        self.trace(side, |images| self.classifier().forward(images))
    }

    /// The node of [`Network::graph`] whose map a Grad-CAM usually explains: the last before the map is pooled into
    /// features, such as the end of `layer4` in a ResNet.
    pub fn explain_layer(&self) -> String {
        // Of any side: names do not depend on it.
        let graph = self.trace(224, |images| self.classifier().features(images));
        graph.last_map().to_owned()
    }

    /// The graph of what `pass` does to a square photo of `side` pixels.
    fn trace(&self, side: usize, pass: impl FnOnce(FeatureMap) -> Features) -> Graph {
        trace(side, self.tensor_names(), |photo| {
            pass(FeatureMap::Traced(photo));
        })
    }

    pub(crate) fn classifier(&self) -> &dyn Classifier {
        match self {
            Self::SixConv(network) => network,
            Self::PlainCnn(network) => network,
            Self::ResidualCnn(network) => network,
            Self::ThreeConv(network) => network,
            Self::ResNet(network) => network,
            Self::AlexNet(network) => network,
            Self::Vgg(network) => network,
            Self::SqueezeNet(network) => network,
            Self::MobileNetV2(network) => network,
            Self::MobileNetV3(network) => network,
            Self::EfficientNet(network) => network,
            Self::EfficientNetLite(network) => network,
            Self::RegNet(network) => network,
            Self::ConvNext(network) => network,
        }
    }

    /// Logits as numbers, `[batch][classes]`, of normalised photos: `pixels` is `[batch, 3, height, width]` and the
    /// batch is as many whole photos as it holds.
    pub fn logits(&self, pixels: &[f32], height: usize, width: usize, precision: Precision) -> Vec<Vec<f32>> {
        let batch = pixels.len() / (3 * height * width);
        if batch == 0 {
            return Vec::new();
        }
        in_pool(|| {
            let images = layers::images(pixels, [batch, 3, height, width], &self.device());
            let logits = self.forward(images, precision);
            let [_, classes] = logits.dims();
            let values: Vec<f32> = logits.into_data().iter::<f32>().collect();
            values.chunks_exact(classes).map(<[f32]>::to_vec).collect()
        })
    }

    /// The device that the network lives on.
    fn device(&self) -> Device {
        self.devices().into_iter().next().unwrap_or_else(Device::flex)
    }
}
