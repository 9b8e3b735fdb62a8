//! How fast whole epochs over real photos are, the loader included.

use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;
use cairn_dataset::{
    BadPhoto, CacheMode, CacheOptions, Example, ImageFolder, Loader, LoaderOptions, PhotoCache, View,
};
use cairn_kernels::in_pool;
use cairn_nets::{Architecture, Init, Network, Precision};
use cairn_photo::Normalisation;

use crate::TrainError;
use crate::engine::loss::Loss;
use crate::engine::optimizer::Optimizer;
use crate::engine::parameter_groups::ParameterGroups;
use crate::engine::step::{ClassesOf, StepInput, backward};
use crate::recipe::{OptimiserRecipe, Recipe};

/// The recipe whose augmentation the photos go through.
const RECIPE: &str = "system-b-residual";

/// Epochs over the same real photos, at 224 px with System B's augmentation, in a shuffled order.
#[derive(Debug, Clone)]
pub struct EpochBenchmark {
    photos: Vec<Example>,
    classes: usize,
    recipe: Recipe,
    batch: usize,
}

/// Photos a second in two epochs.
#[derive(Debug)]
pub struct EpochSpeeds {
    /// In the first, which reads the photos from their files.
    pub from_files: f64,
    /// In the second, which finds them decoded in memory.
    pub cached: f64,
    /// Photos that could not be read. They do not count.
    pub bad_photos: Vec<BadPhoto>,
}

impl EpochBenchmark {
    /// Of at most `images` of the training photos, evenly spread over them, in batches of `batch`.
    ///
    /// # Errors
    /// Only if a built-in recipe is not valid.
    pub fn new(data: &ImageFolder, images: usize, batch: usize) -> Result<Self, TrainError> {
        let stride = (data.train.len() / images.max(1)).max(1);
        let photos = data.train.iter().step_by(stride).take(images).cloned().collect();
        Ok(Self { photos, classes: data.classes.len(), recipe: Recipe::find(RECIPE)?, batch })
    }

    /// Photos in an epoch.
    pub fn images(&self) -> usize {
        self.photos.len()
    }

    /// Loads without training.
    ///
    /// # Errors
    /// When the loader cannot be made, or no photo can be read.
    pub fn loading(&self) -> Result<EpochSpeeds, TrainError> {
        self.two_epochs(|loader, epoch, bad_photos| {
            let read = loader.epoch(epoch, 0).map(|mut batch| {
                bad_photos.append(&mut batch.bad);
                batch.len()
            });
            read.sum()
        })
    }

    /// Training with Adam, from random weights.
    ///
    /// # Errors
    /// When the network or the loader cannot be made, or no photo can be read.
    pub fn training(
        &self,
        architecture: Architecture,
        precision: Precision,
    ) -> Result<EpochSpeeds, TrainError> {
        let device = Device::flex().autodiff();
        let mut recipe = self.recipe.clone();
        recipe.network.architecture = architecture;
        let spec = recipe.network_spec(self.classes);
        let mut network = Some(spec.build(Init::Default, 0, &Device::flex())?.train());
        let adam =
            OptimiserRecipe::Adam { learning_rate: 1e-4, weight_decay: 0.0, decay_biases_and_norms: true };
        let mut optimizer = Optimizer::new(adam, ParameterGroups::default());
        self.two_epochs(|loader, epoch, bad_photos| {
            let mut photos = 0;
            for mut batch in loader.epoch(epoch, 0) {
                bad_photos.append(&mut batch.bad);
                photos += batch.len();
                if !batch.is_empty() {
                    let batch =
                        StepInput::of(&batch, 0..batch.len(), ClassesOf::All(self.classes), None, &device);
                    let step = |network: Network| {
                        let (gradients, _) = backward(&network, batch, &Loss::default(), precision);
                        optimizer.step(adam.learning_rate(), network, gradients)
                    };
                    network = network.take().map(|network| in_pool(|| step(network)));
                }
            }
            photos
        })
    }

    /// Times `run` over two epochs. It returns how many photos went through.
    fn two_epochs(
        &self,
        mut run: impl FnMut(&Loader, usize, &mut Vec<BadPhoto>) -> usize,
    ) -> Result<EpochSpeeds, TrainError> {
        let augment = self.recipe.photos.augment.clone();
        let view = View::Train { augment, normalisation: Normalisation::IMAGENET };
        let options = LoaderOptions { batch_size: self.batch, shuffle: true, ..LoaderOptions::default() };
        let kept = CacheOptions { mode: CacheMode::Ram, ..CacheOptions::default() };
        let cache = PhotoCache::open(&kept, PhotoCache::demand(&self.photos, view.read_size()))?;
        let loader = Loader::new(self.photos.clone(), view, options)?.cached(Arc::new(cache));
        let mut bad_photos = Vec::new();
        let mut speed = |epoch| {
            // A photo that cannot be read is bad in both epochs.
            bad_photos.clear();
            let begun = Instant::now();
            let photos = run(&loader, epoch, &mut bad_photos);
            photos as f64 / begun.elapsed().as_secs_f64()
        };
        let (from_files, cached) = (speed(0), speed(1));
        if bad_photos.len() == self.photos.len() {
            let first = bad_photos.first().map(BadPhoto::message).unwrap_or_default();
            return Err(TrainError::NothingReadable { photos: self.photos.len(), first });
        }
        Ok(EpochSpeeds { from_files, cached, bad_photos })
    }
}

#[cfg(test)]
mod tests {
    use cairn_dataset::ValidSplit;
    use cairn_synthetic::{DrawnSet, Kind};

    use super::*;

    #[test]
    fn the_loader_and_a_training_are_timed_over_the_same_photos_and_a_bad_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let kinds = vec![Kind::Pyramid, Kind::Lighthouse];
        let set = DrawnSet { seed: 1, train_per_kind: 6, test_per_kind: 0, side: 32, kinds };
        set.write(folder.path(), |_, _| {}).unwrap();
        let data = ImageFolder::open(folder.path(), &ValidSplit { fraction: 0.0, seed: 0 }).unwrap();
        std::fs::write(data.train[0].path(), b"").unwrap();
        let benchmark = EpochBenchmark::new(&data, 4, 2).unwrap();
        assert_eq!(benchmark.images(), 4);
        let training = benchmark.training(Architecture::ThreeConv, Precision::F32);
        for speeds in [benchmark.loading().unwrap(), training.unwrap()] {
            assert!(speeds.from_files.is_finite() && speeds.from_files > 0.0, "{speeds:?}");
            assert!(speeds.cached.is_finite() && speeds.cached > 0.0, "{speeds:?}");
            assert_eq!(speeds.bad_photos.len(), 1, "{speeds:?}");
        }
    }
}
