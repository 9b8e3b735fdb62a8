//! What a training begins with.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cairn_dataset::user_cache_folder;
use cairn_model::Model;
use cairn_nets::weights::{Named, fetch_weights, read_weights};
use cairn_nets::{Architecture, Device, NetworkSpec, StateDict};
use cairn_train::{Blend, FirstWeights, NetworkRecipe};

use crate::progress::bar;
use crate::weights_notes::{say_naming, say_source};

/// Reads the weights that the network begins with, fetching them first where they are to be had from torchvision.
pub(crate) fn first_weights(network: &NetworkRecipe) -> Result<Option<StateDict>> {
    let weights = match &network.weights {
        None => None,
        Some(FirstWeights::File(path)) => Some(named_weights(path, network.architecture)?),
        Some(FirstWeights::Imagenet) => Some(read_weights(imagenet_weights(network.architecture)?, None)?.weights),
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

/// The weights in a file by the network's names. Says what of the file was taken.
fn named_weights(path: &Path, architecture: Architecture) -> Result<StateDict> {
    let file = read_weights(path, None)?;
    say_source(&file);
    // Names depend neither on the classes nor on the size.
    let network = NetworkSpec { architecture, classes: 2, side: 224, dropout: 0.0 }.blank(&Device::flex())?;
    let Named { weights, prefix, ignored, head } =
        network.name_weights(file.weights).with_context(|| path.display().to_string())?;
    say_naming(&prefix, &ignored, head.as_deref());
    Ok(weights)
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
