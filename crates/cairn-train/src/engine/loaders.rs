//! The loaders of a training.

use std::sync::Arc;

use cairn_dataset::{
    CacheMode, CacheOptions, Example, ImageFolder, Loader, LoaderOptions, PhotoCache, View, cache_folder,
};
use cairn_photo::Preprocess;

use crate::TrainError;
use crate::recipe::Recipe;

/// The loaders of a training, and the preprocessing of its model.
#[derive(Debug)]
pub(crate) struct Loaders {
    /// The training photos, shuffled and augmented.
    pub train: Loader,
    /// The training photos in order, preprocessed as in validation.
    pub train_eval: Loader,
    /// The validation photos in order.
    pub valid: Loader,
    /// The preprocessing that the model file stores.
    pub preprocess: Preprocess,
    /// Decoded photos of all loaders.
    pub cache: Arc<PhotoCache>,
}

impl Loaders {
    pub(crate) fn new(recipe: &Recipe, data: &ImageFolder, cache: CacheMode) -> Result<Self, TrainError> {
        if data.valid.is_empty() {
            return Err(TrainError::NoValidation { path: data.root.clone() });
        }
        let normalisation = recipe.photos.normalisation.known().ok_or(TrainError::Unresolved)?;
        let preprocess = recipe.preprocess(normalisation.clone());
        let options = LoaderOptions { batch_size: recipe.training.batch, ..LoaderOptions::default() };
        let shuffled = LoaderOptions { shuffle: true, seed: recipe.training.seed, ..options };
        let augmented = View::Train { augment: recipe.photos.augment.clone(), normalisation };
        let plain = View::Test(preprocess.clone());
        let demand = PhotoCache::demand(&data.train, augmented.read_size())
            + PhotoCache::demand(&data.valid, plain.read_size());
        let kept = CacheOptions { mode: cache, folder: cache_folder(&data.root), ..CacheOptions::default() };
        let cache = Arc::new(PhotoCache::open(&kept, demand)?);
        let photos: Arc<[Example]> = data.train.as_slice().into();
        let mut train = Loader::new(Arc::clone(&photos), augmented, shuffled)?
            .cached(cache.clone())
            .sampled(recipe.training.sampling);
        if let Some(weights) = recipe.photo_weights(&data.train)? {
            train = train.weighted(weights);
        }
        if let Some(mixing) = recipe.photos.mixing {
            train = train.mixed(mixing)?;
        }
        if let Some(growth) = recipe.photos.growth {
            train = train.growing(growth)?;
        }
        let taking_turns = |loader: Loader| loader.cached(cache.clone()).in_memory_of(&train);
        Ok(Self {
            train_eval: taking_turns(Loader::new(photos, plain.clone(), options.clone())?),
            valid: taking_turns(Loader::new(data.valid.clone(), plain, options)?),
            train,
            preprocess,
            cache,
        })
    }
}
