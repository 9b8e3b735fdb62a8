//! Network architectures by name, their initialisation and their state dicts.
//!
//! [`NetworkSpec`] says which network is meant; [`NetworkSpec::build`] makes a [`Network`] with seeded
//! weights; [`StateDict`] carries weights in and out under torchvision's names and layouts.
//! Nothing here knows of photos on disk or of training.

mod architecture;
mod feature_map;
pub mod graph;
mod init;
mod layers;
mod mobilenet_v2;
mod network;
mod parameters;
mod plain_cnn;
mod residual_cnn;
mod resnet;
mod six_conv;
mod state_dict;
mod three_conv;
mod trainable;
pub mod weights;

pub use architecture::{Architecture, NetworkSpec, SpecError, UnknownArchitecture};
pub use feature_map::{Precision, PrecisionError};
pub use init::Init;
pub use mobilenet_v2::MobileNetV2;
pub use network::Network;
pub use plain_cnn::PlainCnn;
pub use residual_cnn::ResidualCnn;
pub use resnet::ResNet;
pub use six_conv::SixConv;
pub use state_dict::{StateDict, StateDictError};
pub use three_conv::ThreeConv;
pub use trainable::Parameter;
