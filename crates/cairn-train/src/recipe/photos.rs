//! The section `[photos]`.

use std::path::PathBuf;

use cairn_dataset::{BatchMixing, ProgressiveResize};
use cairn_photo::{Augmentations, Framing, Normalisation, Preprocess};
use serde::{Deserialize, Serialize};

use super::error::RecipeError;

/// Preprocessing and augmentation of the photos.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotosRecipe {
    /// Resizing and cropping in validation, testing and use.
    pub framing: Framing,
    /// Normalisation of pixel values.
    pub normalisation: NormalisationRecipe,
    /// Augmentation in training. It must end at the size of `framing`.
    pub augment: Augmentations,
    /// MixUp or CutMix of the photos of a batch, in training: `{ mix_up = { alpha = 0.2 } }`,
    /// `{ cut_mix = { alpha = 1.0 } }` or `{ mix_up_or_cut_mix = { mix_up_alpha = 0.2, cut_mix_alpha = 1.0 } }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixing: Option<BatchMixing>,
    /// Progressive resizing: smaller photos in the first epochs: `{ from = 96, epochs = 10 }` begins with 96 px and is at full size from the
    /// eleventh epoch on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<ProgressiveResize>,
    /// A file that names training photos to leave out, one a line, such as `cairn data check --doubtful` writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leave_out: Option<PathBuf>,
    /// Training photos that count less: `{ list = "doubtful.txt", weight = 0.3 }`, with such a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_weight: Option<DownWeight>,
}

/// Training photos whose labels count less in the loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownWeight {
    /// A file that names them, one a line.
    pub list: PathBuf,
    /// What the label of such a photo counts where that of another counts 1, at least 0 and below 1.
    pub weight: f32,
}

/// Normalisation of pixel values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NormalisationRecipe {
    /// By name.
    Named(NamedNormalisation),
    /// By these figures.
    Given(Normalisation),
}

/// Figures that go by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedNormalisation {
    /// Mean and standard deviation of ImageNet.
    Imagenet,
    /// Mean and standard deviation 0.5, for values from -1 to 1: what EfficientNet-Lite and Inception take.
    Inception,
    /// Mean and standard deviation of the training photos.
    DataSet,
}

impl PhotosRecipe {
    /// Columns and rows of the network's input.
    pub(crate) fn input_size(&self) -> (u32, u32) {
        let preprocess = Preprocess { framing: self.framing.clone(), normalisation: Normalisation::IMAGENET };
        (preprocess.input_width(), preprocess.input_height())
    }

    /// Checks that framing and augmentation are sound and end at the same size.
    pub(crate) fn validate(&self) -> Result<(), RecipeError> {
        let fault = |fault: String| Err(RecipeError::Fault(fault));
        let (width, height) = self.input_size();
        if width != height {
            return fault(format!("photos.framing ends at {width} x {height}; networks take squares"));
        }
        let normalisation = self.normalisation.known().unwrap_or(Normalisation::IMAGENET);
        let preprocess = Preprocess { framing: self.framing.clone(), normalisation };
        if let Err(e) = cairn_model::check_preprocess(&preprocess) {
            return fault(format!("photos: {e}"));
        }
        if let Err(e) = self.augment.validate() {
            return fault(format!("photos.augment: {e}"));
        }
        match self.augment.output_size() {
            Some(size) if size == (width, height) => {}
            Some(size) => {
                return fault(format!(
                    "photos.augment ends at {} x {}, photos.framing at {width} x {height}: make them equal",
                    size.0, size.1
                ));
            }
            None => {
                return fault(
                    "photos.augment leaves photos of different sizes: end it with a crop".to_owned(),
                );
            }
        }
        if let Some(DownWeight { weight, .. }) = self.down_weight
            && !(0.0..1.0).contains(&weight)
        {
            return fault(format!(
                "photos.down_weight.weight is {weight}; it must be at least 0 and below 1"
            ));
        }
        if let Some(Err(e)) = self.mixing.map(|mixing| mixing.validate()) {
            return fault(format!("photos.mixing: {e}"));
        }
        match self.growth {
            Some(ProgressiveResize { from, .. }) if from == 0 || from > width as usize => fault(format!(
                "photos.growth.from is {from}; it must be above 0 and at most the full size, {width}"
            )),
            _ => Ok(()),
        }
    }
}

impl NormalisationRecipe {
    /// The figures, where they do not depend on the data set.
    pub(crate) fn known(&self) -> Option<Normalisation> {
        match self {
            Self::Given(figures) => Some(figures.clone()),
            Self::Named(NamedNormalisation::Imagenet) => Some(Normalisation::IMAGENET),
            Self::Named(NamedNormalisation::Inception) => Some(Normalisation::INCEPTION),
            Self::Named(NamedNormalisation::DataSet) => None,
        }
    }
}
