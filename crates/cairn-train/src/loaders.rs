//! The two streams of photos that a training needs.

use cairn_dataset::{ImageFolder, Loader, LoaderOptions, View};
use cairn_photo::Preprocess;

use crate::TrainError;
use crate::recipe::Recipe;

/// The loaders of a training, and how its model will see photos.
#[derive(Debug)]
pub(crate) struct Loaders {
    /// Shuffled and augmented.
    pub train: Loader,
    /// In order, as in use.
    pub valid: Loader,
    /// What the model file will say.
    pub preprocess: Preprocess,
}

impl Loaders {
    pub(crate) fn new(recipe: &Recipe, data: &ImageFolder) -> Result<Self, TrainError> {
        if data.valid.is_empty() {
            return Err(TrainError::NoValidation { path: data.root.clone() });
        }
        let normalisation = recipe.photos.normalisation.known().ok_or(TrainError::Unresolved)?;
        let preprocess = recipe.preprocess(normalisation.clone());
        let options = LoaderOptions { batch_size: recipe.training.batch, ..LoaderOptions::default() };
        let shuffled = LoaderOptions { shuffle: true, seed: recipe.training.seed, ..options };
        let augmented = View::Train { augment: recipe.photos.augment.clone(), normalisation };
        Ok(Self {
            train: Loader::new(data.train.clone(), augmented, shuffled)?,
            valid: Loader::new(data.valid.clone(), View::Test(preprocess.clone()), options)?,
            preprocess,
        })
    }
}
