//! The network's output for photos, wherever they come from.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::ClassId;
use cairn_photo::{Photo, PhotoError};
use rayon::prelude::*;

use crate::{Embedding, Model};

/// How many photos are read and shown to the network together where nothing else is asked for: enough to keep every
/// core busy, few enough that memory stays flat.
pub const DEFAULT_BATCH_SIZE: usize = 16;

/// What the network makes of one photo.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelOutput {
    /// One logit for each of the model's [classes](Model::classes), before the temperature.
    pub logits: Vec<f32>,
    /// What the photo looks like to the network.
    pub embedding: Embedding,
}

impl ModelOutput {
    /// The class of the greatest logit, the first of equals; `None` where they have no softmax.
    pub fn likeliest(&self) -> Option<ClassId> {
        let mut best = 0;
        for (class, logit) in self.logits.iter().enumerate() {
            if logit.is_nan() {
                return None;
            }
            if *logit > self.logits[best] {
                best = class;
            }
        }
        self.logits.get(best).is_some_and(|logit| logit.is_finite()).then(|| ClassId::new(best))
    }
}

impl Model {
    /// The network's output for each of these photos, which [`Preprocess::frame`](cairn_photo::Preprocess::frame) has
    /// brought to the input's size.
    ///
    /// # Panics
    /// If a photo is not of the input's size.
    pub fn outputs(&self, framed: &[&Photo]) -> Vec<ModelOutput> {
        if framed.is_empty() {
            return Vec::new();
        }
        let preprocess = &self.info().preprocess;
        let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
        let photo_len = 3 * height * width;
        let mut pixels = vec![0.0; framed.len() * photo_len];
        for (photo, out) in framed.iter().zip(pixels.chunks_exact_mut(photo_len)) {
            preprocess.normalisation.write_chw(photo, out);
        }
        let images = TensorData::new(pixels, [framed.len(), 3, height, width]);
        let images = Tensor::from_data(images, &Device::flex());
        // [batch, features] and [batch, trained classes]
        let [features, logits] = self.network().features_and_logits(images, self.precision());
        let comparison = self.comparison();
        rows(features)
            .zip(rows(logits))
            .map(|(features, mut logits)| {
                let embedding = Embedding::of(&features);
                if let Some(comparison) = &comparison {
                    logits.extend(self.learned_logits(comparison, &embedding, &logits));
                }
                ModelOutput { logits, embedding }
            })
            .collect()
    }

    /// The photo at `path` as the network's input, in pixels still: of a large photo no more than that stays in memory.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn load_view(&self, path: impl AsRef<Path>) -> Result<Photo, PhotoError> {
        Ok(self.info().preprocess.frame(&self.load_photo(path)?))
    }

    /// The network's output for the photo at `path`, by the model's views of it.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn output_at(&self, path: impl AsRef<Path>) -> Result<ModelOutput, PhotoError> {
        let photo = self.load_photo(path)?;
        Ok(self.outputs_of(&[&photo]).pop().expect("an output for each photo"))
    }

    /// The network's output for the photos at `paths`, in their order. So many are read and shown to the network
    /// `together`; memory stays flat, however many there are.
    ///
    /// # Panics
    /// If `together` is 0.
    pub fn outputs_at<'a>(
        &'a self,
        paths: &'a [PathBuf],
        together: usize,
    ) -> impl Iterator<Item = (&'a Path, Result<ModelOutput, PhotoError>)> {
        paths.chunks(together).flat_map(|paths| {
            let opened: Vec<_> = paths.par_iter().map(|path| self.open_views(path)).collect();
            let readable: Vec<&Photo> = opened.iter().flatten().flatten().collect();
            let mut outputs = self.outputs_of_views(&readable).into_iter();
            paths.iter().zip(opened).map(move |(path, views)| {
                // There are as many outputs as photos that could be read.
                let output = views.map(|_| outputs.next().expect("an output for each photo"));
                (path.as_path(), output)
            })
        })
    }
}

/// The rows of a matrix as numbers.
fn rows(matrix: Tensor<2>) -> impl Iterator<Item = Vec<f32>> {
    let [_, columns] = matrix.dims();
    let values: Vec<f32> = matrix.into_data().iter::<f32>().collect();
    (0..values.len() / columns).map(move |row| values[row * columns..][..columns].to_vec())
}
