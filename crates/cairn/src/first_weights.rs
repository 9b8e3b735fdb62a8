//! What a training begins with.

use cairn_nets::StateDict;
use cairn_train::{NetworkRecipe, TrainError};

use crate::progress::bar;

/// Reads the weights that the network begins with, with a bar while they are fetched.
pub(crate) fn first_weights(network: &NetworkRecipe) -> Result<Option<StateDict>, TrainError> {
    let bar = bar(0, "KiB of ImageNet weights");
    let weights = network.first_weights(&mut |done, total| {
        bar.set_length(total.unwrap_or(done) >> 10);
        bar.set_position(done >> 10);
    });
    bar.finish_and_clear();
    weights
}
