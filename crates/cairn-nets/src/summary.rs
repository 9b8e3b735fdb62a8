//! Size and cost of each architecture.

use burn::tensor::Device;
use serde::Serialize;

use crate::architecture::{Architecture, NetworkSpec};
use crate::graph::{GraphError, TensorShapes};

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
    /// Where torchvision has weights for it that were learned on ImageNet.
    pub imagenet_weights: Option<&'static str>,
}

impl Architecture {
    /// Size and cost with this number of classes. No weights are drawn and nothing is computed.
    ///
    /// # Errors
    /// When the network's graph does not fit its tensors, which would be a fault of cairn.
    pub fn summary(self, classes: usize) -> Result<NetworkSummary, GraphError> {
        let side = self.published_side();
        let spec = NetworkSpec { architecture: self, classes, side, dropout: 0.0 };
        let network = spec.construct(&Device::flex());
        let shapes = network.tensor_shapes();
        let tensors: TensorShapes =
            shapes.iter().map(|(name, shape)| (name.as_str(), shape.as_slice())).collect();
        let nodes = network.graph(side).infer(&tensors)?;
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
            Self::ResNet18Small => 160,
            _ => 224,
        }
    }

    /// Where torchvision has its first weights that were learned on ImageNet (`IMAGENET1K_V1`), of 1000 classes. The file's
    /// name ends in the first eight digits of its SHA-256.
    pub fn imagenet_weights(self) -> Option<&'static str> {
        Some(match self {
            Self::SixConv | Self::PlainCnn | Self::ResidualCnn | Self::ThreeConv => return None,
            Self::ResNet10Small | Self::ResNet18Small => return None,
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
            Self::RegNetY800Mf => "https://download.pytorch.org/models/regnet_y_800mf-1b27b58c.pth",
            Self::ConvNextTiny => "https://download.pytorch.org/models/convnext_tiny-983f1562.pth",
        })
    }
}
