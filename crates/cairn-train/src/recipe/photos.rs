//! The section `[photos]`.

use cairn_photo::{Augmentations, Framing, Normalisation, Preprocess};
use serde::{Deserialize, Serialize};

/// How photos are shown to the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotosRecipe {
    /// From a photo to the network's input, in validation, testing and use.
    pub framing: Framing,
    /// How pixel values become numbers.
    pub normalisation: NormalisationRecipe,
    /// From a photo to the network's input, in training. It ends at the framing's size.
    pub augment: Augmentations,
}

/// How pixel values become numbers.
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
    /// Mean and deviation of ImageNet.
    Imagenet,
    /// Mean and deviation of the training photos at hand.
    DataSet,
}

impl PhotosRecipe {
    /// Columns and rows of the network's input.
    pub(crate) fn input_size(&self) -> (u32, u32) {
        let preprocess = Preprocess { framing: self.framing.clone(), normalisation: Normalisation::IMAGENET };
        (preprocess.input_width(), preprocess.input_height())
    }

    /// What is wrong with the figures, if anything.
    pub(crate) fn fault(&self) -> Option<String> {
        let (width, height) = self.input_size();
        if width != height {
            return Some(format!("photos.framing ends at {width} x {height}; networks take squares"));
        }
        if let Err(e) = self.augment.validate() {
            return Some(format!("photos.augment: {e}"));
        }
        match self.augment.output_size() {
            Some(size) if size == (width, height) => None,
            Some(size) => Some(format!(
                "photos.augment ends at {} x {}, photos.framing at {width} x {height}: make them equal",
                size.0, size.1
            )),
            None => Some("photos.augment leaves photos of different sizes: end it with a crop".to_owned()),
        }
    }
}

impl NormalisationRecipe {
    /// The figures, where they do not depend on the data set.
    pub(crate) fn known(&self) -> Option<Normalisation> {
        match self {
            Self::Given(figures) => Some(figures.clone()),
            Self::Named(NamedNormalisation::Imagenet) => Some(Normalisation::IMAGENET),
            Self::Named(NamedNormalisation::DataSet) => None,
        }
    }
}
