//! Several views of one photo, and what a model says of them together: test-time augmentation.

use std::path::Path;

use cairn_photo::{Limits, Photo, PhotoError, TestViews};

use crate::{DEFAULT_BATCH_SIZE, Embedding, Model, ModelOutput};

/// Pixels of all photos that are in the network at once: as of [`DEFAULT_BATCH_SIZE`] photos of 512 px.
const PIXELS_TOGETHER: usize = DEFAULT_BATCH_SIZE * 512 * 512;

impl Model {
    /// The same model looking at these views of each photo that it is given, where [`Model::open`] takes the bundle's.
    #[must_use]
    pub fn with_views(mut self, views: TestViews) -> Self {
        self.views = views;
        self
    }

    /// Looks at these views of each photo from now on, and says so in its bundle.
    pub fn set_views(&mut self, views: TestViews) {
        self.views = views;
        self.bundle.info.views = views;
    }

    /// The photo at `path`, no larger than the model's views are taken from: they are the same as of the whole photo.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn load_photo(&self, path: impl AsRef<Path>) -> Result<Photo, PhotoError> {
        Photo::open_at(path, self.info().preprocess.framing.read_size(), &Limits::default())
    }

    /// The views of the photo at `path`: of a large photo no more than these stays in memory.
    pub(crate) fn open_views(&self, path: impl AsRef<Path>) -> Result<Vec<Photo>, PhotoError> {
        Ok(self.views_of(&self.load_photo(path)?))
    }

    /// What the model looks at of a photo, each view at the input's size.
    fn views_of(&self, photo: &Photo) -> Vec<Photo> {
        self.info().preprocess.views(photo, self.views)
    }

    /// The output for each of these photos of any size, by the model's views.
    pub(crate) fn outputs_of(&self, photos: &[&Photo]) -> Vec<ModelOutput> {
        let views: Vec<Photo> = photos.iter().flat_map(|photo| self.views_of(photo)).collect();
        self.outputs_of_views(&views.iter().collect::<Vec<_>>())
    }

    /// The output for the photo and for its mirror image. No second copy of the photo is made: it may be a large one.
    pub(crate) fn outputs_both_ways(&self, mut photo: Photo) -> Vec<ModelOutput> {
        let mut views = self.views_of(&photo);
        photo.flip_horizontally();
        views.extend(self.views_of(&photo));
        self.outputs_of_views(&views.iter().collect::<Vec<_>>())
    }

    /// The output for each photo, of so many as there are views of, one photo's after the other's. However many views a
    /// photo has, no more than [`DEFAULT_BATCH_SIZE`] or one photo's are in the network at once, and fewer if they are large.
    pub(crate) fn outputs_of_views(&self, views: &[&Photo]) -> Vec<ModelOutput> {
        let each = self.views.count();
        let photos_together = (DEFAULT_BATCH_SIZE / each).max(1);
        let preprocess = &self.info().preprocess;
        let pixels = preprocess.input_width() as usize * preprocess.input_height() as usize;
        let together = (photos_together * each).min((PIXELS_TOGETHER / pixels).max(1));
        let shown = views.chunks(together).flat_map(|views| self.outputs(views));
        shown.collect::<Vec<_>>().chunks_exact(each).filter_map(combined).collect()
    }
}

/// The output of a photo by its views: the mean of their probabilities and of their embeddings' directions. `None` of
/// no view.
fn combined(views: &[ModelOutput]) -> Option<ModelOutput> {
    if let [only] = views {
        return Some(only.clone());
    }
    let logits: Vec<&[f32]> = views.iter().map(|view| view.logits.as_slice()).collect();
    let embedding = Embedding::mean(views.iter().map(|view| &view.embedding))?;
    Some(ModelOutput { logits: mean_probabilities(&logits), embedding })
}

/// The logits whose softmax is the mean of the views' probabilities. Each view has a logit for each class.
///
/// As in Krizhevsky et al. 2012, section 4.1, probabilities are averaged, not logits.
fn mean_probabilities(views: &[&[f32]]) -> Vec<f32> {
    let mut mean = vec![0.0_f64; views.first().map_or(0, |view| view.len())];
    for view in views {
        let greatest = view.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f64> = view.iter().map(|logit| f64::from(logit - greatest).exp()).collect();
        let sum: f64 = weights.iter().sum();
        for (mean, weight) in mean.iter_mut().zip(weights) {
            *mean += weight / sum / views.len() as f64;
        }
    }
    // A logit must be finite where the probability is too small for f32.
    let least = f64::from(f32::MIN_POSITIVE);
    mean.into_iter().map(|probability| probability.clamp(least, 1.0).ln() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn softmax(logits: &[f32]) -> Vec<f64> {
        let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }

    #[test]
    fn the_probabilities_of_the_whole_are_the_mean_of_the_views() {
        let views: [&[f32]; 3] = [&[2.0, -1.0, 0.5], &[0.0, 3.0, 1.0], &[-4.0, 0.0, 0.25]];
        let found = softmax(&mean_probabilities(&views));
        let each = views.map(softmax);
        for (class, found) in found.iter().enumerate() {
            let expected = each.iter().map(|view| view[class]).sum::<f64>() / 3.0;
            assert!((found - expected).abs() < 1e-6, "class {class}: {found}, expected {expected}");
        }
    }

    #[test]
    fn views_that_are_certain_stay_finite_and_one_view_speaks_for_itself() {
        let certain = mean_probabilities(&[&[1000.0, 0.0], &[1000.0, 0.0]]);
        assert!(certain.iter().all(|logit| logit.is_finite()) && certain[0] > certain[1], "{certain:?}");
        let output = ModelOutput { logits: vec![2.5, -1.0], embedding: Embedding::of(&[1.0, 0.0]) };
        assert_eq!(combined(std::slice::from_ref(&output)), Some(output));
    }

    #[test]
    fn logits_that_are_not_numbers_stay_so() {
        let broken = mean_probabilities(&[&[f32::NAN, 1.0], &[0.0, 1.0]]);
        assert!(broken.iter().all(|logit| logit.is_nan()), "{broken:?}");
    }
}
