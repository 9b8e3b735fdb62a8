//! A network in 8 bits, for inference: [`QuantisedNetwork`].
//!
//! A network's [`Graph`](crate::graph::Graph) is read into steps, each a layer with all that its pass can take in: batch norm,
//! the residual add, a ReLU. Maps between steps are bytes, and the photo's own pixels are the first of them: the network's
//! normalisation is part of its first layer. What the levels of a map mean is measured on photos ([`Calibration`]). A step that
//! has no kernel for bytes, or is named in [`Int8Settings::float`], computes in floats.
//!
//! | file | |
//! | --- | --- |
//! | `plan` | steps of a graph |
//! | `calibration`, `histogram` | from photos to ranges, and the bias that weights lose by rounding |
//! | `tensor` | weights in 8 bits |
//! | `fold` | batch norm as a factor and a term of each channel |
//! | `layer` | convolutions and linear layers, of bytes or of floats |
//! | `network` | all steps, ready to run; `map` and `buffers` are what they run on |

mod buffers;
mod calibration;
mod fold;
mod histogram;
mod layer;
mod map;
mod network;
mod plan;
mod settings;
mod tensor;

pub use calibration::Calibration;
pub use network::{PhotoLevels, QuantisedNetwork, QuantisedOutput};
pub use settings::{Int8Settings, LevelScale, QuantiseError};
pub use tensor::QuantisedTensor;
