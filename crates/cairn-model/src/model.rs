//! An opened model.

use std::path::Path;

use burn::tensor::Device;
use cairn_nets::{Network, Precision, StateDict, StateDictError};
use cairn_photo::{Limits, Photo};

use crate::bundle::{locate, read_bundle};
use crate::{BundleInfo, Landmark, ModelError, Probability, Suggestion};

/// How many landmarks a suggestion names.
const SUGGESTED: usize = 3;

/// A model that is ready to name landmarks.
#[derive(Debug)]
pub struct Model {
    network: Network,
    info: BundleInfo,
    precision: Precision,
}

impl Model {
    /// Opens a bundle, or the best model of a run folder, on the CPU.
    ///
    /// # Errors
    /// When there is no model, or the file is damaged, of another version, or does not fit together.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        let (network, info) = read_bundle(&locate(path.as_ref())?, &Device::flex())?;
        Ok(Self { network, info, precision: Precision::best() })
    }

    /// The same model computing in this precision, where [`Model::open`] takes the machine's fastest.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same model with other weights.
    ///
    /// # Errors
    /// When they do not fit its network.
    pub(crate) fn with_weights(&self, weights: &StateDict) -> Result<Self, StateDictError> {
        let network = self.network.clone().with_state_dict(weights)?;
        Ok(Self { network, info: self.info.clone(), precision: self.precision })
    }

    /// What it computes in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// What the bundle says of the model.
    pub fn info(&self) -> &BundleInfo {
        &self.info
    }

    /// The network, for whoever needs more than landmarks.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The `k` likeliest landmarks of each photo, the likeliest first.
    pub fn predict(&self, photos: &[&Photo], k: usize) -> Vec<Vec<Landmark>> {
        let framed: Vec<Photo> = photos.iter().map(|photo| self.info.preprocess.frame(photo)).collect();
        self.predict_framed(&framed.iter().collect::<Vec<_>>(), k)
    }

    /// The same for photos that [`Preprocess::frame`](cairn_photo::Preprocess::frame) has brought to the input's size,
    /// which takes far less memory when photos are large and many.
    ///
    /// # Panics
    /// If a photo is not of the input's size.
    pub fn predict_framed(&self, photos: &[&Photo], k: usize) -> Vec<Vec<Landmark>> {
        self.probabilities_framed(photos).into_iter().map(|each| self.likeliest(each, k)).collect()
    }

    /// The probability of each class, in class order, for each photo.
    pub fn probabilities(&self, photos: &[&Photo]) -> Vec<Vec<Probability>> {
        let framed: Vec<Photo> = photos.iter().map(|photo| self.info.preprocess.frame(photo)).collect();
        self.probabilities_framed(&framed.iter().collect::<Vec<_>>())
    }

    fn probabilities_framed(&self, photos: &[&Photo]) -> Vec<Vec<Probability>> {
        let preprocess = &self.info.preprocess;
        let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
        let photo_len = 3 * height * width;
        let mut pixels = vec![0.0; photos.len() * photo_len];
        for (photo, out) in photos.iter().zip(pixels.chunks_exact_mut(photo_len)) {
            preprocess.normalisation.write_chw(photo, out);
        }
        let logits = self.network.logits(pixels, height, width, self.precision);
        logits.iter().map(|logits| Probability::softmax(logits)).collect()
    }

    /// The `k` likeliest landmarks in the photo at `path`, the likeliest first.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn predict_landmarks(&self, path: impl AsRef<Path>, k: usize) -> Result<Vec<Landmark>, ModelError> {
        let photo = Photo::open_at(path, self.info.preprocess.framing.read_size(), &Limits::default())?;
        Ok(self.predict(&[&photo], k).remove(0))
    }

    /// The photo at `path`, upright, with the three landmarks that it most likely shows.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn suggest_locations(&self, path: impl AsRef<Path>) -> Result<Suggestion, ModelError> {
        let photo = Photo::open(path)?;
        let landmarks = self.predict(&[&photo], SUGGESTED).remove(0);
        Ok(Suggestion { photo, landmarks })
    }

    fn likeliest(&self, probabilities: Vec<Probability>, k: usize) -> Vec<Landmark> {
        let classes = self.info.classes.iter().map(|(_, class)| class.clone());
        let mut landmarks: Vec<Landmark> = classes
            .zip(probabilities)
            .map(|(class, probability)| Landmark { class: class.folder, name: class.name, probability })
            .collect();
        // A stable sort: equals stay in class order, so that the answer never depends on chance.
        landmarks.sort_by(|a, b| b.probability.value().total_cmp(&a.probability.value()));
        landmarks.truncate(k);
        landmarks
    }
}
