//! An opened model.

use std::path::Path;

use burn::tensor::Device;
use cairn_dataset::{Class, ClassId};
use cairn_nets::{Network, Precision};
use cairn_photo::{Photo, TestViews};
use cairn_places::Gazetteer;

use crate::bundle::{Bundle, bundle_path, read_bundle, write_with_bank};
use crate::{
    BundleInfo, EmbeddingBank, Landmark, ModelError, ModelOutput, NotSure, Prediction, Probability,
    Rejection, Suggestion,
};

/// How many landmarks a suggestion names.
const SUGGESTED: usize = 3;

/// A model that is ready to name landmarks.
#[derive(Debug)]
pub struct Model {
    pub(crate) bundle: Bundle,
    precision: Precision,
    pub(crate) gazetteer: Gazetteer,
    pub(crate) views: TestViews,
    /// Asked for in place of the bundle's.
    pub(crate) threshold: Option<f64>,
}

impl Model {
    /// Opens a bundle, or the best model of a run folder, on the CPU.
    ///
    /// # Errors
    /// When there is no model, or the file is damaged, of another version, or does not fit together.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        Self::open_on(path, &Device::flex())
    }

    /// The same on another device, for whoever has tensors there; everything that takes photos wants the CPU.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn open_on(path: impl AsRef<Path>, device: &Device) -> Result<Self, ModelError> {
        read_bundle(&bundle_path(path.as_ref())?, device).map(Self::from_bundle)
    }

    /// Opens a bundle whose file's bytes lie in memory, on the CPU; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self, ModelError> {
        Bundle::from_bytes(bytes, Path::new(name), &Device::flex()).map(Self::from_bundle)
    }

    pub(crate) fn from_bundle(bundle: Bundle) -> Self {
        let (precision, gazetteer) = (Precision::best(), Gazetteer::builtin());
        let views = bundle.info.views;
        Self { bundle, precision, gazetteer, views, threshold: None }
    }

    /// Writes the model as a bundle: a temporary file in the same folder, then renamed.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let Bundle { network, info, bank } = &self.bundle;
        write_with_bank(path, network, info, bank)
    }

    /// The same model computing in this precision, where [`Model::open`] takes the machine's fastest.
    #[must_use]
    pub fn with_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// The same model with the landmarks' places from `gazetteer`, where [`Model::open`] takes the built-in ones.
    #[must_use]
    pub fn with_places(self, gazetteer: Gazetteer) -> Self {
        Self { gazetteer, ..self }
    }

    /// The same model taking a photo for a landmark that it knows from this score on, where [`Model::open`] takes the
    /// bundle's threshold. What [`save`](Model::save) writes stays as it is.
    #[must_use]
    pub fn with_threshold(self, threshold: f64) -> Self {
        Self { threshold: Some(threshold), ..self }
    }

    /// Takes a photo for a landmark from this score on, and says so in its bundle. A model that has no [`Rejection`]
    /// scores by confidence then.
    pub fn set_threshold(&mut self, threshold: f64) {
        let sure = self.info().rejection.and_then(|rejection| rejection.sure);
        self.bundle.info.rejection =
            Some(Rejection { sure, ..Rejection::new(self.landmark_score(), threshold) });
        self.threshold = None;
    }

    /// The lowest score of a photo that is taken to show a landmark; `None` where the model does not decide.
    pub fn threshold(&self) -> Option<f64> {
        self.threshold.or(self.info().rejection.map(|rejection| rejection.threshold))
    }

    /// The same model taking a photo for a landmark that it knows only if it is sure: by the threshold
    /// [`Rejection::sure`].
    ///
    /// # Errors
    /// [`NotSure`] where the bundle has no such threshold.
    pub fn with_sure_threshold(self) -> Result<Self, NotSure> {
        let sure = self.info().rejection.and_then(|rejection| rejection.sure).ok_or(NotSure)?;
        Ok(self.with_threshold(sure))
    }

    /// What it computes in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// What the bundle says of the model.
    pub fn info(&self) -> &BundleInfo {
        &self.bundle.info
    }

    /// The network, for whoever needs more than landmarks.
    pub fn network(&self) -> &Network {
        &self.bundle.network
    }

    /// The `k` likeliest landmarks of each photo, the likeliest first, and whether it shows one at all.
    pub fn predict(&self, photos: &[&Photo], k: usize) -> Vec<Prediction> {
        self.outputs_of(photos).iter().map(|output| self.prediction(output, k)).collect()
    }

    /// The probability of each class, in class order, for each photo, by the model's views.
    pub fn probabilities(&self, photos: &[&Photo]) -> Vec<Vec<Probability>> {
        self.outputs_of(photos)
            .iter()
            .map(|output| Probability::softmax(&output.logits, self.info().temperature))
            .collect()
    }

    /// What the network's output for a photo means: the `k` likeliest landmarks, and whether it shows one at all.
    pub fn prediction(&self, output: &ModelOutput, k: usize) -> Prediction {
        let probabilities = Probability::softmax(&output.logits, self.info().temperature);
        let classes = self.classes();
        let mut ranked: Vec<((ClassId, &Class), Probability)> = classes.iter().zip(probabilities).collect();
        // A stable sort: equals stay in class order, so that the answer never depends on chance.
        ranked.sort_by(|(_, a), (_, b)| b.value().total_cmp(&a.value()));
        ranked.truncate(k);
        let landmark = |((_, class), probability): ((ClassId, &Class), Probability)| Landmark {
            class: class.folder.clone(),
            name: class.name.clone(),
            probability,
            place: self.gazetteer.find(&class.folder).cloned(),
        };
        let score = self.score(output, self.landmark_score());
        Prediction {
            // A score that is not a number reaches no threshold.
            is_landmark: self.threshold().map(|threshold| score >= threshold),
            sure: self.info().rejection.and_then(|rejection| rejection.sure).map(|sure| score >= sure),
            landmark_score: score,
            landmarks: ranked.into_iter().map(landmark).collect(),
        }
    }

    /// The `k` likeliest landmarks in the photo at `path`, the likeliest first, and whether it shows one at all.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn predict_landmarks(&self, path: impl AsRef<Path>, k: usize) -> Result<Prediction, ModelError> {
        Ok(self.prediction(&self.output_at(path)?, k))
    }

    /// The photo at `path`, upright, with the three landmarks that it most likely shows.
    ///
    /// # Errors
    /// When the photo cannot be read.
    pub fn suggest_locations(&self, path: impl AsRef<Path>) -> Result<Suggestion, ModelError> {
        let photo = Photo::open(path)?;
        let prediction = self.predict(&[&photo], SUGGESTED).remove(0);
        Ok(Suggestion { photo, prediction })
    }

    /// The embeddings that the bundle keeps.
    pub fn bank(&self) -> &EmbeddingBank {
        &self.bundle.bank
    }

    /// Logits divided by the temperature, so that their softmax can be believed.
    pub fn calibrated(&self, logits: &[f32]) -> Vec<f64> {
        logits.iter().map(|&logit| f64::from(logit) / self.info().temperature).collect()
    }
}
