//! A batch: photos as one block of numbers, with their classes.

use cairn_photo::{Normalisation, Photo};

use crate::{BadPhoto, ClassId, MixedLabels, Pixels};

/// Photos that go through the network together.
#[derive(Debug)]
pub struct Batch {
    /// Which batch of its epoch this is, counted from zero.
    pub number: usize,
    /// Normalised pixels, `[len * views, 3, height, width]`.
    pub pixels: Pixels,
    /// The class of each photo, `[len]`.
    pub labels: Vec<ClassId>,
    /// Which example of the loader's list each photo is, `[len]`.
    pub examples: Vec<usize>,
    /// How much each photo counts, `[len]`: 1, but where the loader is [weighted](crate::Loader::weighted).
    pub weights: Vec<f32>,
    /// Rows of each photo.
    pub height: usize,
    /// Columns of each photo.
    pub width: usize,
    /// How many views of each photo there are, one after the other: 1, but where the loader's
    /// [`views`](crate::Loader::viewed_as) are several.
    pub views: usize,
    /// What the photos are mixed with, where the loader [mixes](crate::Loader::mixed) them.
    pub mixed_labels: Option<MixedLabels>,
    /// The photos that belong here but could not be used. They are in none of the other fields, so a batch may be
    /// shorter than the others, or empty.
    pub bad: Vec<BadPhoto>,
}

impl Batch {
    /// How many photos there are, the bad ones not counted.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether not one photo could be used.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels as probabilities, `[len, classes]`: of a mixed photo, two of them. Each is times the weight of its photo.
    ///
    /// # Panics
    /// If a class is not below `classes`.
    pub fn soft_labels(&self, classes: usize) -> Vec<f32> {
        let mut soft = vec![0.0; self.len() * classes];
        for (place, row) in soft.chunks_exact_mut(classes).enumerate() {
            let mut add =
                |photo: usize, share: f32| row[self.labels[photo].index()] += share * self.weights[photo];
            match &self.mixed_labels {
                Some(MixedLabels { weight, partners }) => {
                    add(place, *weight);
                    add(partners[place], 1.0 - weight);
                }
                None => add(place, 1.0),
            }
        }
        soft
    }

    /// [`Batch::soft_labels`] for some classes, which are in order: `[len, classes.len()]`. A share of another class is left out.
    pub fn soft_labels_of(&self, classes: &[ClassId]) -> Vec<f32> {
        let mut soft = vec![0.0; self.len() * classes.len()];
        for (photo, row) in soft.chunks_exact_mut(classes.len().max(1)).enumerate() {
            let mut add = |shown: usize, share: f32| {
                if let Ok(place) = classes.binary_search(&self.labels[shown]) {
                    row[place] += share * self.weights[shown];
                }
            };
            match &self.mixed_labels {
                Some(MixedLabels { weight, partners }) => {
                    add(photo, *weight);
                    add(partners[photo], 1.0 - weight);
                }
                None => add(photo, 1.0),
            }
        }
        soft
    }

    /// The photos, every view, turned back into pixels to look at: `normalisation` undone, rounded to whole levels.
    pub fn photos(&self, normalisation: &Normalisation) -> Vec<Photo> {
        let plane = self.height * self.width;
        self.pixels.chunks_exact(3 * plane).map(|chw| self.photo(chw, plane, normalisation)).collect()
    }

    fn photo(&self, chw: &[f32], plane: usize, normalisation: &Normalisation) -> Photo {
        let mut photo = Photo::filled(self.width as u32, self.height as u32, [0; 3]);
        for (at, pixel) in photo.pixels_mut().chunks_exact_mut(3).enumerate() {
            for (channel, level) in pixel.iter_mut().enumerate() {
                let (mean, std) = (normalisation.mean[channel], normalisation.std[channel]);
                // `as` clamps to 0..=255.
                *level = ((chw[channel * plane + at] * std + mean) * 255.0).round() as u8;
            }
        }
        photo
    }
}
