//! Size and cost of each architecture.

use serde::Serialize;

use crate::architecture::Architecture;
use crate::graph::GraphError;
use crate::sketch::Sketch;

/// An architecture's size and cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NetworkSummary {
    /// Which network.
    pub architecture: Architecture,
    /// Side of the square photos that it was published for, in pixels: what the costs are of.
    pub side: usize,
    /// How many classes the costs are of.
    pub classes: usize,
    /// How many values training learns.
    pub parameters: usize,
    /// Multiplications that are each followed by an addition, for one photo: those of convolutions and linear layers.
    pub multiply_adds: u64,
    /// How many values the last layer takes.
    pub features: usize,
    /// Where torchvision, or timm, has weights for it that were learned on ImageNet.
    pub imagenet_weights: Option<&'static str>,
}

/// How photos become the input that a network's published weights expect: the shorter side is resized, the middle cropped,
/// and each channel's `mean` is taken off and it is divided by `std`, on a scale of 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PublishedInput {
    /// Shorter side after resizing, in pixels.
    pub short_side: u32,
    /// Side of the square that is kept, in pixels.
    pub crop: u32,
    /// Mean of red, green and blue.
    pub mean: [f32; 3],
    /// Their standard deviation.
    pub std: [f32; 3],
}

/// Where timm has a file of weights.
macro_rules! timm {
    ($file:literal) => {
        concat!(
            "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/",
            $file,
            ".pth"
        )
    };
}

impl Architecture {
    /// Size and cost with this number of classes. No weights are drawn and nothing is computed.
    ///
    /// # Errors
    /// When the network's graph does not fit its tensors, which would be a fault of cairn.
    pub fn summary(self, classes: usize) -> Result<NetworkSummary, GraphError> {
        let side = self.published_side();
        let Sketch { network, nodes, .. } = self.sketch(classes, side)?;
        Ok(NetworkSummary {
            architecture: self,
            side,
            classes,
            parameters: network.parameter_count(),
            multiply_adds: nodes.iter().map(|node| node.multiply_adds).sum(),
            features: network.feature_count(),
            imagenet_weights: self.imagenet_weights(),
        })
    }

    /// The side of the square photos that the network was published for, in pixels.
    pub fn published_side(self) -> usize {
        match self {
            Self::SixConv => 800,
            // No paper: the sizes of the recipes that use them.
            Self::ResNet10Small => 96,
            Self::ResNet18Small | Self::ResNet18Tiny => 160,
            Self::EfficientNetLite1 => 240,
            Self::EfficientNetLite2 => 260,
            Self::EfficientNetLite3 => 300,
            Self::EfficientNetLite4 => 380,
            _ => 224,
        }
    }

    /// How photos become the input that the network's published weights expect. In timm, Lite0 to Lite2 are shown photos that
    /// were resized by bicubic filters.
    pub fn published_input(self) -> PublishedInput {
        let imagenet = PublishedInput {
            short_side: 256,
            crop: self.published_side() as u32,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        };
        // The side over timm's `crop_pct`, rounded down.
        let short_side = match self {
            Self::EfficientNetLite0 => 256,
            Self::EfficientNetLite1 => 272,
            Self::EfficientNetLite2 => 292,
            Self::EfficientNetLite3 => 331,
            Self::EfficientNetLite4 => 413,
            // Networks that nobody published weights of.
            Self::SixConv | Self::ResNet10Small | Self::ResNet18Small | Self::ResNet18Tiny => {
                return PublishedInput { short_side: 256, crop: 224, ..imagenet };
            }
            _ => return imagenet,
        };
        PublishedInput { short_side, mean: [0.5; 3], std: [0.5; 3], ..imagenet }
    }

    /// Where torchvision has its first weights that were learned on ImageNet (`IMAGENET1K_V1`), of 1000 classes, and timm
    /// those of EfficientNet-Lite. The file's name ends in the first eight digits of its SHA-256.
    pub fn imagenet_weights(self) -> Option<&'static str> {
        Some(match self {
            Self::SixConv | Self::PlainCnn | Self::ResidualCnn | Self::ThreeConv => return None,
            Self::ResNet10Small | Self::ResNet18Small | Self::ResNet18Tiny => return None,
            Self::ResNet18 => "https://download.pytorch.org/models/resnet18-f37072fd.pth",
            Self::ResNet34 => "https://download.pytorch.org/models/resnet34-b627a593.pth",
            Self::ResNet50 => "https://download.pytorch.org/models/resnet50-0676ba61.pth",
            Self::AlexNet => "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
            Self::Vgg16Bn => "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth",
            Self::SqueezeNet1_1 => "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            Self::MobileNetV2 => "https://download.pytorch.org/models/mobilenet_v2-b0353104.pth",
            Self::MobileNetV3Large => "https://download.pytorch.org/models/mobilenet_v3_large-8738ca79.pth",
            Self::EfficientNetB0 => {
                "https://download.pytorch.org/models/efficientnet_b0_rwightman-7f5810bc.pth"
            }
            Self::EfficientNetLite0 => timm!("tf_efficientnet_lite0-0aa007d2"),
            Self::EfficientNetLite1 => timm!("tf_efficientnet_lite1-bde8b488"),
            Self::EfficientNetLite2 => timm!("tf_efficientnet_lite2-dcccb7df"),
            Self::EfficientNetLite3 => timm!("tf_efficientnet_lite3-b733e338"),
            Self::EfficientNetLite4 => timm!("tf_efficientnet_lite4-741542c3"),
            Self::RegNetY800Mf => "https://download.pytorch.org/models/regnet_y_800mf-1b27b58c.pth",
            Self::ConvNextTiny => "https://download.pytorch.org/models/convnext_tiny-983f1562.pth",
        })
    }
}
