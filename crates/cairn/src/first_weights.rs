//! What a training begins with.

use cairn_nets::StateDict;
use cairn_train::{NetworkRecipe, TrainError};

use crate::progress::bar;
use crate::weights_notes::{say_naming, say_source};

/// Reads the weights that the network begins with, with a bar while they are fetched. Says what of a file was taken.
pub(crate) fn first_weights(network: &NetworkRecipe) -> Result<Option<StateDict>, TrainError> {
    let bar = bar(0, "KiB of ImageNet weights");
    let weights = network.first_weights(
        &mut |done, total| {
            bar.set_length(total.unwrap_or(done) >> 10);
            bar.set_position(done >> 10);
        },
        &mut |file, named| {
            say_source(file);
            say_naming(&named.prefix, &named.ignored, named.head.as_deref());
        },
    );
    bar.finish_and_clear();
    weights
}
