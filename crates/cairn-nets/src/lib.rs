//! Network architectures by name, their initialisation and their state dicts.
//!
//! [`NetworkSpec`] says which network is meant; [`NetworkSpec::build`] makes a [`Network`] with seeded
//! weights; [`StateDict`] carries weights in and out under torchvision's names and layouts.
//! Nothing here knows of photos on disk or of training.

mod architecture;
mod batch_parts;
mod convolutions;
mod device;
mod freeze;
pub mod graph;
mod head;
mod head_rows;
mod init;
mod layers;
mod network;
mod networks;
mod parameters;
mod pooling;
mod precision;
pub mod quantised;
mod sketch;
mod state_dict;
mod summary;
mod trace;
mod traceable;
pub mod weights;

pub use cairn_kernels::in_pool;
pub use weights::{Fitted, HeadFit};

pub use architecture::{
    Architecture, LARGEST_SIDE, MOST_CLASSES, NetworkSpec, SpecError, UnknownArchitecture,
};
pub use burn::tensor::Device;
pub use device::{DeviceError, DeviceName};
pub use freeze::Parameter;
pub use head_rows::{HeadIds, HeadRows};
pub use init::Init;
pub use network::Network;
pub use networks::{
    AlexNet, ConvNext, EfficientNet, EfficientNetLite, MobileNetV2, MobileNetV3, PlainCnn, RegNet, ResNet,
    ResidualCnn, SixConv, SqueezeNet, ThreeConv, Vgg,
};
pub use pooling::Pooling;
pub use precision::{Precision, PrecisionError};
pub use state_dict::{StateDict, StateDictError};
pub use summary::{NetworkSummary, PublishedInput};
