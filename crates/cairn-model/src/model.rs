//! An opened model: its bundle, and the options by which it answers.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use cairn_dataset::{Class, ClassId};
use cairn_nets::{Network, Precision, in_pool};
use cairn_photo::TestViews;
use cairn_places::Gazetteer;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::bundle::{
    Bundle, bundle_path, check_info, read_bundle, resize_input, write_file, write_with_bank,
};
use crate::export::int8_bytes;
use crate::few_shot::Comparison;
use crate::inference::{class_named, landmark_name};
use crate::{
    Backbone, BundleInfo, ClassNameError, Conformal, CoverageError, EmbeddingBank, InputSizeError,
    ModelError, ModelOptions, ModelOutput, OodScore, OptionsError, Rejection, Threshold,
};

/// A model that is ready to name landmarks.
///
/// A clone shares the weights, and threads may share a model. What changes the bundle is a method of `&mut self`.
#[derive(Debug, Clone)]
pub struct Model {
    bundle: Arc<Bundle>,
    options: ModelOptions,
    places: Arc<Gazetteer>,
    /// Of as many threads as the options say; without it, the current pool is used.
    pool: Option<Arc<ThreadPool>>,
}

impl Model {
    /// Opens a bundle, or the best model of a run folder, on the CPU.
    ///
    /// # Errors
    /// When there is no model, or the file is damaged, of another version, or does not fit together.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        Self::open_on(path, &Device::flex())
    }

    /// [`Model::open`], answering as `options` say.
    ///
    /// # Errors
    /// As [`Model::open`], and when the options do not suit the model.
    pub fn open_with(path: impl AsRef<Path>, options: ModelOptions) -> Result<Self, ModelError> {
        Ok(Self::open(path)?.with_options(options)?)
    }

    /// [`Model::open`] on another device.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn open_on(path: impl AsRef<Path>, device: &Device) -> Result<Self, ModelError> {
        read_bundle(&bundle_path(path.as_ref())?, device).map(Self::from_bundle)
    }

    /// Opens a bundle whose file's bytes are in memory, on the CPU; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn from_bytes(bytes: &[u8], name: impl AsRef<Path>) -> Result<Self, ModelError> {
        Bundle::from_bytes(bytes, name.as_ref(), &Device::flex()).map(Self::from_bundle)
    }

    /// The same model with these options, which were held against its bundle before.
    pub(crate) fn keeping(mut self, options: ModelOptions) -> Self {
        self.options = options;
        self
    }

    pub(crate) fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    pub(crate) fn from_bundle(bundle: Bundle) -> Self {
        let (bundle, places) = (Arc::new(bundle), Arc::new(Gazetteer::builtin()));
        Self { bundle, options: ModelOptions::default(), places, pool: None }
    }

    /// Writes the model as a bundle: a temporary file in the same folder, then renamed.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let Bundle { network, info, bank, int8, .. } = &*self.bundle;
        if let Some(int8) = int8 {
            check_info(info, path)?;
            let bytes = int8_bytes(network, info, bank, int8);
            return write_file(path, &bytes.map_err(|error| error.at(path))?);
        }
        write_with_bank(path, network, info, bank)
    }

    /// The same model, answering as `options` say and no longer as those before.
    ///
    /// # Errors
    /// When the bundle has no sure threshold or no sets of the coverage that are asked for, or the threads cannot be
    /// started.
    pub fn with_options(self, options: ModelOptions) -> Result<Self, OptionsError> {
        if options.threshold == Some(Threshold::Sure) {
            self.sure_threshold().ok_or(crate::NotSure)?;
        }
        if let Some(coverage) = options.coverage {
            self.check_coverage(coverage)?;
        }
        let pool = options.threads.map(|threads| ThreadPoolBuilder::new().num_threads(threads.get()).build());
        let places = options.places.clone().map_or_else(|| Arc::new(Gazetteer::builtin()), Arc::new);
        Ok(Self { bundle: self.bundle, options, places, pool: pool.transpose()?.map(Arc::new) })
    }

    /// The same model computing in this precision: [`ModelOptions::precision`] alone.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.options.precision = Some(precision);
        self
    }

    /// How it answers, where that is not as the bundle says.
    pub fn options(&self) -> &ModelOptions {
        &self.options
    }

    /// Number type of activations. Of a model that computes in 8 bits ([`Model::int8`]) it says nothing.
    pub fn precision(&self) -> Precision {
        self.options.precision.unwrap_or_else(|| self.default_precision())
    }

    /// The views of each photo by which it answers.
    pub fn views(&self) -> TestViews {
        self.options.views.unwrap_or(self.info().views)
    }

    /// The lowest score of a photo that is taken to show a landmark; `None` where the model does not decide.
    pub fn threshold(&self) -> Option<f64> {
        match self.options.threshold {
            Some(Threshold::At(threshold)) => Some(threshold),
            Some(Threshold::Sure) => self.sure_threshold(),
            None => self.info().rejection.map(|rejection| rejection.threshold),
        }
    }

    /// Whether the model has sets of landmarks of this coverage.
    ///
    /// # Errors
    /// When it has none, or none of this coverage.
    pub fn check_coverage(&self, coverage: f64) -> Result<(), CoverageError> {
        self.lowest_probability(coverage).map(|_| ())
    }

    /// The lowest probability of a landmark in a set of this coverage.
    pub(crate) fn lowest_probability(&self, coverage: f64) -> Result<f32, CoverageError> {
        self.info().conformal.as_ref().ok_or(CoverageError::NotCalibrated)?.lowest_probability(coverage)
    }

    fn sure_threshold(&self) -> Option<f64> {
        self.info().rejection.and_then(|rejection| rejection.sure)
    }

    /// The score by which it tells landmarks from other photos: the bundle's, or confidence where it names none.
    pub fn landmark_score(&self) -> OodScore {
        self.info().rejection.map_or(OodScore::Confidence, |rejection| rejection.score)
    }

    /// The score of a photo, of this kind.
    pub fn score(&self, output: &ModelOutput, score: OodScore) -> f64 {
        score.of(self, output)
    }

    /// Logits divided by the temperature, so that their softmax can be believed.
    pub fn calibrated(&self, logits: &[f32]) -> Vec<f64> {
        logits.iter().map(|&logit| f64::from(logit) / self.info().temperature).collect()
    }

    /// What the bundle says of the model.
    pub fn info(&self) -> &BundleInfo {
        &self.bundle.info
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.bundle.network
    }

    /// The embeddings that the bundle keeps.
    pub fn bank(&self) -> &EmbeddingBank {
        &self.bundle.bank
    }

    /// How photos are compared with learned classes; `None` where there are none.
    pub(crate) fn comparison(&self) -> Option<&Comparison> {
        let Bundle { info, bank, comparison, .. } = &*self.bundle;
        comparison.get_or_init(|| Comparison::new(info.learning.as_ref(), bank)).as_ref()
    }

    /// The places of landmarks.
    pub fn places(&self) -> &Gazetteer {
        &self.places
    }

    /// What people call the landmark of a class: by its place in the gazetteer, else by the class's own name. Predictions
    /// and exported models have this name.
    pub fn landmark_name<'a>(&'a self, class: &'a Class) -> &'a str {
        landmark_name(&self.places, class)
    }

    /// The landmark that a person means by `name`: a class folder, or a name as a prediction shows it, with or without
    /// its article, its place or accents, in upper or lower case.
    ///
    /// # Errors
    /// [`ClassNameError`] when no landmark has the name, or several have it and none of their folders is exactly it.
    pub fn class_named(&self, name: &str) -> Result<ClassId, ClassNameError> {
        class_named(&self.classes(), &self.places, name)
    }

    /// Takes a photo for a landmark from this score on, and says so in its bundle. A model that has no [`Rejection`]
    /// scores by confidence then.
    pub fn set_threshold(&mut self, threshold: f64) {
        let (sure, score) = (self.sure_threshold(), self.landmark_score());
        self.bundle_mut().info.rejection = Some(Rejection { sure, ..Rejection::new(score, threshold) });
        self.options.threshold = None;
    }

    /// Takes this for the lowest score of a sure answer from now on ([`Rejection::sure`]). A model without a threshold
    /// stays without.
    pub fn set_sure(&mut self, sure: f64) {
        if let Some(rejection) = &mut self.bundle_mut().info.rejection {
            rejection.sure = Some(sure);
        }
    }

    /// Looks at these views of each photo from now on, and says so in its bundle.
    pub fn set_views(&mut self, views: TestViews) {
        self.options.views = None;
        self.bundle_mut().info.views = views;
    }

    /// Divides logits by this temperature from now on.
    ///
    /// # Panics
    /// If it is not a number above 0.
    pub fn set_temperature(&mut self, temperature: f64) {
        assert!(temperature.is_finite() && temperature > 0.0, "logits cannot be divided by {temperature}");
        self.bundle_mut().info.temperature = temperature;
    }

    /// Makes sets of landmarks by these figures from now on, or none.
    pub fn set_conformal(&mut self, conformal: Option<Conformal>) {
        self.options.coverage = None;
        self.bundle_mut().info.conformal = conformal;
    }

    /// Sets how its backbone was trained, in its bundle too.
    pub fn set_backbone(&mut self, backbone: Backbone) {
        self.bundle_mut().info.backbone = Some(backbone);
    }

    /// Looks at photos of `side` x `side` pixels from now on, framed as before, and says so in its bundle.
    ///
    /// Random crops show landmarks larger in training than a test photo of the same size does, so that a network often names
    /// more of them in test photos that are somewhat larger (Touvron et al. 2019, "Fixing the train-test resolution
    /// discrepancy"). A calibration for the size before no longer holds: calibrate again.
    ///
    /// # Errors
    /// When the network takes no photos of this size.
    pub fn set_input_size(&mut self, side: u32) -> Result<(), InputSizeError> {
        resize_input(&mut self.bundle_mut().info, side)
    }

    /// No longer decides by a threshold of its options.
    pub(crate) fn use_own_threshold(&mut self) {
        self.options.threshold = None;
    }

    /// The bundle, to be changed; a clone of this model keeps its own.
    pub(crate) fn bundle_mut(&mut self) -> &mut Bundle {
        let bundle = Arc::make_mut(&mut self.bundle);
        bundle.comparison.take();
        bundle
    }

    /// Does `work` on as many threads as the options say.
    pub(crate) fn with_threads<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => in_pool(work),
        }
    }
}
