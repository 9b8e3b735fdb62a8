//! Models in 8 bits: measured on photos, rounded, and run.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::Device;
use cairn_nets::StateDict;
use cairn_nets::quantised::{Calibration, Int8Settings, QuantiseError, QuantisedNetwork};
use cairn_photo::{Photo, TestViews};
use half::f16;

use crate::bundle::{Bundle, Int8, photo_levels};
use crate::{EmbeddingBank, Model, Precision};

/// What photos say of a model's maps, from which its 8-bit form is made: [`Model::to_int8`].
#[derive(Debug, Clone)]
pub struct Int8Calibration(Calibration);

impl Int8Calibration {
    /// Of a model that has seen no photo yet.
    pub fn new(model: &Model) -> Self {
        Self(Calibration::new(model.network(), model.info().network.side))
    }

    /// Looks at photos of any size, as the model frames them, all at once.
    ///
    /// # Errors
    /// When the network's graph does not fit its weights.
    ///
    /// # Panics
    /// When the model frames photos to anything but a square.
    pub fn observe(&mut self, model: &Model, photos: &[Photo]) -> Result<(), QuantiseError> {
        let preprocess = &model.info().preprocess;
        let views: Vec<Photo> =
            photos.iter().flat_map(|photo| preprocess.views(photo, TestViews::One)).collect();
        let mut pixels = vec![0.0; views.iter().map(|view| view.pixels().len()).sum()];
        let mut rest = pixels.as_mut_slice();
        for view in &views {
            let (own, others) = rest.split_at_mut(view.pixels().len());
            preprocess.normalisation.write_chw(view, own);
            rest = others;
        }
        self.0.observe(&pixels)
    }

    /// How many photos it has looked at.
    pub fn photos(&self) -> usize {
        self.0.photos()
    }

    /// The layers that can be in 8 bits, by their path, in the order of the network.
    pub fn layers(&self) -> Vec<String> {
        self.0.layers()
    }
}

impl Model {
    /// The same model in 8 bits but for the layers in `float`, as a bundle of it is opened: it computes so from now on.
    ///
    /// # Errors
    /// When the calibration has seen no photo, is not of this model, or `float` names other layers.
    pub fn to_int8(
        &self,
        calibration: &Int8Calibration,
        float: impl IntoIterator<Item = String>,
    ) -> Result<Self, QuantiseError> {
        let Int8Calibration(calibration) = calibration;
        let settings = calibration.settings(float)?;
        let (mut tensors, weights) = calibration.rounded(&settings)?;
        self.bank().insert_into(&mut tensors);
        let mut tensors = halved(tensors, &weights);
        let bank = EmbeddingBank::taken_from(&mut tensors, self.network().feature_count());
        let network = self.network().clone().with_state_dict(tensors)?;
        let info = self.info().clone();
        let int8 = Int8::new(&network, &info, settings, weights, &Device::flex())?;
        let int8 = Some(Arc::new(int8));
        let bundle = Bundle { int8, ..Bundle::new(network, info, bank) };
        let mut options = self.options().clone();
        options.precision = None;
        Ok(Self::from_bundle(bundle).keeping(options))
    }

    /// What the bundle says of its 8-bit form; `None` for a model of floats.
    pub fn int8(&self) -> Option<&Int8Settings> {
        self.bundle().int8.as_ref().map(|int8| &int8.settings)
    }

    /// The network in 8 bits, where the model computes in it: unless the options ask for a precision of floats.
    pub(crate) fn int8_network(&self) -> Option<&QuantisedNetwork> {
        let int8 = self.bundle().int8.as_ref().filter(|_| self.options().precision.is_none());
        int8.and_then(|int8| int8.network.as_ref())
    }

    /// Number type of activations, as people call it: `int8`, `bf16` or `f32`.
    pub fn number_type(&self) -> &'static str {
        if self.int8_network().is_some() { "int8" } else { self.precision().name() }
    }

    /// How much each layer by itself, in 8 bits while all others are in floats, changes the logits of these photos: the mean
    /// square of the differences, for each of the calibration's layers, the worst first.
    ///
    /// # Errors
    /// As [`Model::to_int8`].
    pub fn int8_errors(
        &self,
        calibration: &Int8Calibration,
        photos: &[Photo],
    ) -> Result<Vec<(String, f64)>, QuantiseError> {
        let Int8Calibration(calibration) = calibration;
        let preprocess = &self.info().preprocess;
        let views: Vec<Photo> =
            photos.iter().flat_map(|photo| preprocess.views(photo, TestViews::One)).collect();
        let pixels: Vec<u8> = views.iter().flat_map(|view| view.pixels().iter().copied()).collect();
        let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
        let photo = photo_levels(&preprocess.normalisation);
        let layers = calibration.layers();
        let logits = |in_bytes: Option<&String>| -> Result<Vec<f32>, QuantiseError> {
            let float = layers.iter().filter(|layer| Some(*layer) != in_bytes).cloned();
            let settings = calibration.settings(float)?;
            let side = self.info().network.side;
            let network = QuantisedNetwork::new(self.network(), side, photo, &BTreeMap::new(), &settings)?;
            Ok(network.forward(&pixels, height, width).logits.concat())
        };
        let expected = logits(None)?;
        let mut errors = Vec::with_capacity(layers.len());
        for layer in &layers {
            let found = logits(Some(layer))?;
            let squares = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
            errors.push((layer.clone(), squares.sum::<f64>() / expected.len().max(1) as f64));
        }
        errors.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        Ok(errors)
    }
}

/// The tensors as a bundle in 8 bits keeps them: weights that are not in 8 bits in 16, where all of them fit.
fn halved(
    mut tensors: StateDict,
    rounded: &BTreeMap<String, cairn_nets::quantised::QuantisedTensor>,
) -> StateDict {
    let weights: Vec<String> = tensors
        .shapes()
        .filter(|(name, shape)| is_weight(shape) && !rounded.contains_key(*name))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in weights {
        if let Some((shape, values)) = tensors.take(&name) {
            let half: Vec<f32> = values.iter().map(|&value| f16::from_f32(value).to_f32()).collect();
            let fits = half.iter().all(|value| value.is_finite());
            tensors.insert(&name, &shape, if fits { half } else { values });
        }
    }
    tensors
}

/// Whether a tensor of this shape is a layer's weight, and no bias, norm or statistic.
pub(crate) fn is_weight(shape: &[usize]) -> bool {
    shape.len() >= 2
}

impl Model {
    /// The precision that a labelling, say, writes down: one that does not depend on the machine where the model is in 8 bits.
    pub(crate) fn default_precision(&self) -> Precision {
        if self.int8_network().is_some() { Precision::F32 } else { Precision::best() }
    }
}
