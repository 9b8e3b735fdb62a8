//! From a photo to an answer: `load` makes views of it, `forward` shows them to the network, `aggregate` makes one answer of
//! what it says of them.

mod aggregate;
mod class_name;
mod forward;
mod prediction;

pub use class_name::ClassNameError;
pub use forward::{DEFAULT_BATCH_SIZE, ModelOutput};
pub use prediction::{Landmark, Prediction, Probability, Suggestion};
