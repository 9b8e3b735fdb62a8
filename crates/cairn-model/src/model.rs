//! An opened model.

use std::path::Path;

use burn::tensor::Device;
use cairn_dataset::{Class, ClassId};
use cairn_nets::{Network, Precision};
use cairn_photo::{Limits, Photo};
use cairn_places::{Gazetteer, Place};

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
    /// The place of each class that has one, in class order.
    places: Vec<Option<Place>>,
}

impl Model {
    /// Opens a bundle, or the best model of a run folder, on the CPU.
    ///
    /// # Errors
    /// When there is no model, or the file is damaged, of another version, or does not fit together.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        let (network, info) = read_bundle(&locate(path.as_ref())?, &Device::flex())?;
        let model = Self { network, info, precision: Precision::best(), places: Vec::new() };
        Ok(model.with_places(&Gazetteer::builtin()))
    }

    /// The same model with the landmarks' places from `gazetteer`, where [`Model::open`] takes the built-in ones.
    #[must_use]
    pub fn with_places(self, gazetteer: &Gazetteer) -> Self {
        let classes = self.info.classes.iter();
        let places = classes.map(|(_, class)| gazetteer.find(&class.folder).cloned()).collect();
        Self { places, ..self }
    }

    /// The same model computing in this precision, where [`Model::open`] takes the machine's fastest.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
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
        let preprocess = &self.info.preprocess;
        let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
        let photo_len = 3 * height * width;
        let mut pixels = vec![0.0; photos.len() * photo_len];
        for (photo, out) in photos.iter().zip(pixels.chunks_exact_mut(photo_len)) {
            preprocess.normalisation.write_chw(photo, out);
        }
        let logits = self.network.logits(pixels, height, width, self.precision);
        logits.iter().map(|logits| self.likeliest(logits, k)).collect()
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

    fn likeliest(&self, logits: &[f32], k: usize) -> Vec<Landmark> {
        let mut ranked: Vec<_> = self.info.classes.iter().zip(Probability::softmax(logits)).collect();
        // A stable sort: equals stay in class order, so that the answer never depends on chance.
        ranked.sort_by(|(_, a), (_, b)| b.value().total_cmp(&a.value()));
        ranked.truncate(k);
        let landmark = |((id, class), probability): ((ClassId, &Class), Probability)| Landmark {
            class: class.folder.clone(),
            name: class.name.clone(),
            probability,
            place: self.places.get(id.index()).cloned().flatten(),
        };
        ranked.into_iter().map(landmark).collect()
    }
}
