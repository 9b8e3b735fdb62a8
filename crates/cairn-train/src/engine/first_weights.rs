//! First weights of a network in place of random ones.

use std::borrow::Cow;
use std::mem;
use std::path::{Path, PathBuf};

use cairn_dataset::user_cache_folder;
use cairn_model::Model;
use cairn_nets::weights::{Named, WeightsFile, fetch_weights, read_weights};
use cairn_nets::{Architecture, Device, NetworkSpec, StateDict};

use crate::TrainError;
use crate::recipe::{Blend, FirstWeights, NetworkRecipe};

impl NetworkRecipe {
    /// The weights that the recipe names, blended if it says so; `None` for random weights.
    ///
    /// Weights that torchvision publishes are fetched into the user's cache folder, unless they are there; `progress`
    /// gets the bytes done, and the bytes in all where the server says how many. `taken` gets what a file holds beside its
    /// weights, and how their names became the network's.
    ///
    /// # Errors
    /// When a file cannot be read, weights cannot be fetched, or there is nothing to blend with.
    pub fn first_weights(
        &self,
        progress: &mut dyn FnMut(u64, Option<u64>),
        taken: &mut dyn FnMut(&WeightsFile, &Named),
    ) -> Result<Option<StateDict>, TrainError> {
        let weights = match &self.weights {
            None => None,
            Some(FirstWeights::File(path)) => Some(named_weights(path, self, taken)?),
            Some(FirstWeights::Imagenet) => {
                Some(read_weights(imagenet_weights(self.architecture, progress)?, None)?.weights)
            }
        };
        let Some(Blend { with, share }) = &self.blend else { return Ok(weights) };
        let weights = weights.ok_or_else(|| TrainError::NothingToBlend { with: with.clone() })?;
        Ok(Some(weights.blended(&Model::open(with)?.network().state_dict(), *share)))
    }
}

/// The weights in a file by the network's names.
fn named_weights(
    path: &Path,
    network: &NetworkRecipe,
    taken: &mut dyn FnMut(&WeightsFile, &Named),
) -> Result<StateDict, TrainError> {
    let mut file = read_weights(path, None)?;
    let weights = mem::take(&mut file.weights);
    let NetworkRecipe { architecture, pooling, .. } = *network;
    // Names depend neither on the classes nor on the size.
    let spec = NetworkSpec { architecture, classes: 2, side: 224, dropout: 0.0, pooling };
    let network = spec.blank(&Device::flex())?;
    let named = network.name_weights(weights).map_err(|error| TrainError::FirstWeights(error.into()))?;
    taken(&file, &named);
    Ok(named.weights)
}

/// The given weights, or else those that the recipe names.
pub(crate) fn given_or_named<'a>(
    given: Option<&'a StateDict>,
    network: &NetworkRecipe,
) -> Result<Option<Cow<'a, StateDict>>, TrainError> {
    match given {
        Some(given) => Ok(Some(Cow::Borrowed(given))),
        None => Ok(network.first_weights(&mut |_, _| (), &mut |_, _| ())?.map(Cow::Owned)),
    }
}

/// The published weights of a network in the user's cache folder.
fn imagenet_weights(
    architecture: Architecture,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<PathBuf, TrainError> {
    let url = architecture.imagenet_weights().ok_or(TrainError::NoPublishedWeights { architecture })?;
    let caches = user_cache_folder().ok_or_else(|| TrainError::NoCacheFolder { url: url.to_owned() })?;
    Ok(fetch_weights(url, &caches.join("weights"), progress)?)
}
