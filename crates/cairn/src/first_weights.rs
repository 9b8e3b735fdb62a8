//! What a training begins with.

use std::path::PathBuf;

use anyhow::{Result, bail};
use cairn_dataset::user_cache_folder;
use cairn_model::Model;
use cairn_nets::weights::{fetch_weights, read_weights};
use cairn_nets::{Architecture, StateDict};
use cairn_train::{Blend, FirstWeights, NetworkRecipe};

use crate::progress::bar;

/// Reads the weights that the network begins with, fetching them first where they are to be had from torchvision.
pub(crate) fn first_weights(network: &NetworkRecipe) -> Result<Option<StateDict>> {
    let weights = match &network.weights {
        None => None,
        Some(FirstWeights::File(path)) => Some(read_weights(path)?),
        Some(FirstWeights::Imagenet) => Some(read_weights(imagenet_weights(network.architecture)?)?),
    };
    let Some(Blend { with, share }) = &network.blend else { return Ok(weights) };
    let Some(weights) = weights else {
        bail!(
            "the recipe's network.blend wants the weights with which {} began: give them by --weights",
            with.display()
        );
    };
    Ok(Some(weights.blended(&Model::open(with)?.network().state_dict(), *share)))
}

/// The published weights of a network in the user's cache folder.
fn imagenet_weights(architecture: Architecture) -> Result<PathBuf> {
    let Some(url) = architecture.imagenet_weights() else {
        bail!(
            "nobody publishes ImageNet weights for {architecture}; give a file, or a network that `cairn nets` lists with some"
        );
    };
    let Some(caches) = user_cache_folder() else {
        bail!("the system names no cache folder for {url}: fetch it, and give the file by --weights");
    };
    let bar = bar(0, "KiB of ImageNet weights");
    let file = fetch_weights(url, &caches.join("weights"), &mut |done, total| {
        bar.set_length(total.unwrap_or(done) >> 10);
        bar.set_position(done >> 10);
    });
    bar.finish_and_clear();
    Ok(file?)
}
