//! Which network is meant.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::init::Init;
use crate::network::Network;
use crate::networks::{
    AlexNet, ConvNext, EfficientNet, EfficientNetLite, LiteSize, MobileNetV2, MobileNetV3, PlainCnn, RegNet,
    ResNet, ResidualCnn, SixConv, SqueezeNet, ThreeConv, Vgg,
};
use crate::pooling::Pooling;

/// An architecture by name, as recipes and model files write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// System A's six-conv network, made for 800 px.
    SixConv,
    /// System B's plain CNN.
    PlainCnn,
    /// System B's residual CNN.
    ResidualCnn,
    /// System C's three-conv network.
    ThreeConv,
    /// ResNet-10 of half the width with a 3x3 stem.
    #[serde(rename = "resnet10-small")]
    ResNet10Small,
    /// ResNet-18 of half the width.
    #[serde(rename = "resnet18-small")]
    ResNet18Small,
    /// ResNet-18 of three eighths of the width, and less at the end.
    #[serde(rename = "resnet18-tiny")]
    ResNet18Tiny,
    /// ResNet-18.
    #[serde(rename = "resnet18")]
    ResNet18,
    /// ResNet-34.
    #[serde(rename = "resnet34")]
    ResNet34,
    /// ResNet-50.
    #[serde(rename = "resnet50")]
    ResNet50,
    /// AlexNet.
    #[serde(rename = "alexnet")]
    AlexNet,
    /// VGG-16 with batch norm.
    #[serde(rename = "vgg16_bn")]
    Vgg16Bn,
    /// SqueezeNet 1.1.
    #[serde(rename = "squeezenet1_1")]
    SqueezeNet1_1,
    /// MobileNetV2.
    #[serde(rename = "mobilenet_v2")]
    MobileNetV2,
    /// MobileNetV3-Large.
    #[serde(rename = "mobilenet_v3_large")]
    MobileNetV3Large,
    /// EfficientNet-B0.
    #[serde(rename = "efficientnet_b0")]
    EfficientNetB0,
    /// EfficientNet-Lite0.
    #[serde(rename = "tf_efficientnet_lite0")]
    EfficientNetLite0,
    /// EfficientNet-Lite1.
    #[serde(rename = "tf_efficientnet_lite1")]
    EfficientNetLite1,
    /// EfficientNet-Lite2.
    #[serde(rename = "tf_efficientnet_lite2")]
    EfficientNetLite2,
    /// EfficientNet-Lite3.
    #[serde(rename = "tf_efficientnet_lite3")]
    EfficientNetLite3,
    /// EfficientNet-Lite4.
    #[serde(rename = "tf_efficientnet_lite4")]
    EfficientNetLite4,
    /// RegNetY-800MF.
    #[serde(rename = "regnet_y_800mf")]
    RegNetY800Mf,
    /// ConvNeXt-Tiny.
    #[serde(rename = "convnext_tiny")]
    ConvNextTiny,
}

impl Architecture {
    /// Every architecture.
    pub const ALL: [Self; 23] = [
        Self::SixConv,
        Self::PlainCnn,
        Self::ResidualCnn,
        Self::ThreeConv,
        Self::ResNet10Small,
        Self::ResNet18Small,
        Self::ResNet18Tiny,
        Self::ResNet18,
        Self::ResNet34,
        Self::ResNet50,
        Self::AlexNet,
        Self::Vgg16Bn,
        Self::SqueezeNet1_1,
        Self::MobileNetV2,
        Self::MobileNetV3Large,
        Self::EfficientNetB0,
        Self::EfficientNetLite0,
        Self::EfficientNetLite1,
        Self::EfficientNetLite2,
        Self::EfficientNetLite3,
        Self::EfficientNetLite4,
        Self::RegNetY800Mf,
        Self::ConvNextTiny,
    ];

    /// The name in recipes and model files.
    pub fn name(self) -> &'static str {
        match self {
            Self::SixConv => "six-conv",
            Self::PlainCnn => "plain-cnn",
            Self::ResidualCnn => "residual-cnn",
            Self::ThreeConv => "three-conv",
            Self::ResNet10Small => "resnet10-small",
            Self::ResNet18Small => "resnet18-small",
            Self::ResNet18Tiny => "resnet18-tiny",
            Self::ResNet18 => "resnet18",
            Self::ResNet34 => "resnet34",
            Self::ResNet50 => "resnet50",
            Self::AlexNet => "alexnet",
            Self::Vgg16Bn => "vgg16_bn",
            Self::SqueezeNet1_1 => "squeezenet1_1",
            Self::MobileNetV2 => "mobilenet_v2",
            Self::MobileNetV3Large => "mobilenet_v3_large",
            Self::EfficientNetB0 => "efficientnet_b0",
            Self::EfficientNetLite0 => "tf_efficientnet_lite0",
            Self::EfficientNetLite1 => "tf_efficientnet_lite1",
            Self::EfficientNetLite2 => "tf_efficientnet_lite2",
            Self::EfficientNetLite3 => "tf_efficientnet_lite3",
            Self::EfficientNetLite4 => "tf_efficientnet_lite4",
            Self::RegNetY800Mf => "regnet_y_800mf",
            Self::ConvNextTiny => "convnext_tiny",
        }
    }

    /// timm's name of the network, where it has another one than torchvision.
    pub fn timm_name(self) -> Option<&'static str> {
        match self {
            Self::MobileNetV2 => Some("mobilenetv2_100"),
            Self::MobileNetV3Large => Some("mobilenetv3_large_100"),
            Self::RegNetY800Mf => Some("regnety_008_tv"),
            _ => None,
        }
    }

    /// Whether the network takes photos of the one size only that it was built for, having a linear layer over its map.
    pub fn takes_one_size(self) -> bool {
        matches!(self, Self::SixConv | Self::ThreeConv)
    }

    /// Whether the network ends in a mean over its last map, which another [`Pooling`] can replace.
    pub fn ends_in_average(self) -> bool {
        // SqueezeNet takes the mean of its logits.
        !matches!(self, Self::SixConv | Self::ThreeConv | Self::AlexNet | Self::Vgg16Bn | Self::SqueezeNet1_1)
    }

    /// The smallest photo side, in pixels, that leaves the last feature map at least one pixel.
    fn smallest_side(self) -> usize {
        match self {
            Self::SixConv => 64,
            Self::AlexNet => 63,
            Self::PlainCnn | Self::ResidualCnn | Self::Vgg16Bn => 32,
            Self::ResNet18Small | Self::ResNet18Tiny => 32,
            Self::ResNet18 | Self::ResNet34 | Self::ResNet50 => 32,
            Self::ConvNextTiny => 32,
            Self::MobileNetV2 | Self::MobileNetV3Large | Self::EfficientNetB0 | Self::RegNetY800Mf => 32,
            Self::EfficientNetLite0 | Self::EfficientNetLite1 | Self::EfficientNetLite2 => 32,
            Self::EfficientNetLite3 | Self::EfficientNetLite4 => 32,
            Self::SqueezeNet1_1 => 17,
            Self::ResNet10Small => 16,
            Self::ThreeConv => 8,
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No architecture has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no network is called `{0}`; there are {names}", names = Architecture::ALL.map(Architecture::name).join(", "))]
pub struct UnknownArchitecture(String);

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|a| a.name() == name || a.timm_name() == Some(name))
            .ok_or_else(|| UnknownArchitecture(name.to_owned()))
    }
}

/// The largest side of photos that a network is built for, in pixels: the first map of a photo of this side takes some
/// hundred megabytes.
pub const LARGEST_SIDE: usize = 2048;

/// The most classes that a network tells apart: as many landmarks as there are in the largest data sets.
pub const MOST_CLASSES: usize = 250_000;

/// All that is needed to build a network: what a model file keeps beside the weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkSpec {
    /// Which network.
    pub architecture: Architecture,
    /// Number of classes: the length of the logits.
    pub classes: usize,
    /// Side of the square photos it is made for, in pixels.
    pub side: usize,
    /// Share of values that dropout sets to zero in training, in `[0, 1)`. Unless it is zero, EfficientNet and ConvNeXt
    /// leave out blocks in training, too (stochastic depth), at torchvision's rates: 0.2 and 0.1 for the last block;
    /// EfficientNet-Lite at 0.2, which timm trains it with.
    pub dropout: f64,
    /// How the last map becomes features, in networks that end in a mean over it.
    #[serde(default, skip_serializing_if = "Pooling::is_average")]
    pub pooling: Pooling,
}

/// A network that cannot be built as described.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SpecError {
    /// Too few classes.
    #[error("a classifier needs at least 2 classes, not {0}: give the data set more class folders")]
    Classes(usize),
    /// Too many classes.
    #[error("{0} classes are too many; the limit is {MOST_CLASSES}")]
    TooManyClasses(usize),
    /// Too large a photo.
    #[error("networks take photos of at most {LARGEST_SIDE} px, not {0}: choose a smaller size")]
    LargeSide(usize),
    /// Too small a photo.
    #[error("{architecture} needs photos of at least {smallest} px, not {side}: choose a larger size")]
    Side {
        /// The network.
        architecture: Architecture,
        /// Its smallest side.
        smallest: usize,
        /// What was asked for.
        side: usize,
    },
    /// Dropout outside its range.
    #[error("dropout is {0}; it must be at least 0 and less than 1")]
    Dropout(f64),
    /// Another pool where there is no average pool to replace.
    #[error(
        "{0} does not end in a global average pool, which GeM would replace: use the pooling \"average\""
    )]
    Pooling(Architecture),
}

impl NetworkSpec {
    /// Checks the ranges of every field.
    ///
    /// # Errors
    /// The first field that is out of range.
    pub fn validate(&self) -> Result<(), SpecError> {
        let smallest = self.architecture.smallest_side();
        if self.classes < 2 {
            Err(SpecError::Classes(self.classes))
        } else if self.classes > MOST_CLASSES {
            Err(SpecError::TooManyClasses(self.classes))
        } else if self.side > LARGEST_SIDE {
            Err(SpecError::LargeSide(self.side))
        } else if self.side < smallest {
            Err(SpecError::Side { architecture: self.architecture, smallest, side: self.side })
        } else if !(0.0..1.0).contains(&self.dropout) {
            Err(SpecError::Dropout(self.dropout))
        } else if !self.pooling.is_average() && !self.architecture.ends_in_average() {
            Err(SpecError::Pooling(self.architecture))
        } else {
            Ok(())
        }
    }

    /// The network with first weights, on `device`. For training, call Burn's `train()` on it.
    ///
    /// # Errors
    /// As [`NetworkSpec::validate`].
    pub fn build(&self, init: Init, seed: u64, device: &Device) -> Result<Network, SpecError> {
        self.validate()?;
        Ok(self.construct(device).initialised(init, seed))
    }

    /// The network with zeros for weights, for a state dict to be put in: what [`NetworkSpec::build`] gives, without
    /// drawing numbers that nothing would be left of.
    ///
    /// # Errors
    /// As [`NetworkSpec::validate`].
    pub fn blank(&self, device: &Device) -> Result<Network, SpecError> {
        self.validate()?;
        Ok(self.construct(device))
    }

    /// The network with zeros for weights, whatever the ranges.
    pub(crate) fn construct(&self, device: &Device) -> Network {
        let Self { architecture, classes, side, dropout, pooling } = *self;
        // torchvision's rates, and timm's.
        let depth_rate = |rate| if dropout > 0.0 { rate } else { 0.0 };
        let lite = |size: usize| {
            let size = LiteSize::ALL[size];
            let network = EfficientNetLite::new(size, classes, dropout, depth_rate(0.2), pooling, device);
            Network::EfficientNetLite(network)
        };
        match architecture {
            Architecture::SixConv => Network::SixConv(SixConv::new(classes, side, dropout, device)),
            Architecture::PlainCnn => Network::PlainCnn(PlainCnn::new(classes, dropout, pooling, device)),
            Architecture::ResidualCnn => {
                Network::ResidualCnn(ResidualCnn::new(classes, dropout, pooling, device))
            }
            Architecture::ThreeConv => Network::ThreeConv(ThreeConv::new(classes, side, dropout, device)),
            Architecture::ResNet10Small => {
                Network::ResNet(ResNet::resnet10_small(classes, dropout, pooling, device))
            }
            Architecture::ResNet18Small => {
                Network::ResNet(ResNet::resnet18_small(classes, dropout, pooling, device))
            }
            Architecture::ResNet18Tiny => {
                Network::ResNet(ResNet::resnet18_tiny(classes, dropout, pooling, device))
            }
            Architecture::ResNet18 => Network::ResNet(ResNet::resnet18(classes, dropout, pooling, device)),
            Architecture::ResNet34 => Network::ResNet(ResNet::resnet34(classes, dropout, pooling, device)),
            Architecture::ResNet50 => Network::ResNet(ResNet::resnet50(classes, dropout, pooling, device)),
            Architecture::AlexNet => Network::AlexNet(AlexNet::new(classes, dropout, device)),
            Architecture::Vgg16Bn => Network::Vgg(Vgg::vgg16_bn(classes, dropout, device)),
            Architecture::SqueezeNet1_1 => {
                Network::SqueezeNet(SqueezeNet::squeezenet1_1(classes, dropout, device))
            }
            Architecture::MobileNetV2 => {
                Network::MobileNetV2(MobileNetV2::new(classes, dropout, pooling, device))
            }
            Architecture::MobileNetV3Large => {
                Network::MobileNetV3(MobileNetV3::large(classes, dropout, pooling, device))
            }
            Architecture::EfficientNetB0 => {
                Network::EfficientNet(EfficientNet::b0(classes, dropout, depth_rate(0.2), pooling, device))
            }
            Architecture::EfficientNetLite0 => lite(0),
            Architecture::EfficientNetLite1 => lite(1),
            Architecture::EfficientNetLite2 => lite(2),
            Architecture::EfficientNetLite3 => lite(3),
            Architecture::EfficientNetLite4 => lite(4),
            Architecture::RegNetY800Mf => Network::RegNet(RegNet::y_800mf(classes, dropout, pooling, device)),
            Architecture::ConvNextTiny => {
                Network::ConvNext(ConvNext::tiny(classes, dropout, depth_rate(0.1), pooling, device))
            }
        }
    }
}
