//! The section `[photos]`.

use cairn_dataset::{BatchMixing, SizeGrowth};
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
    /// How the photos of a batch are mixed with each other, in training: `{ mix_up = { alpha = 0.2 } }`,
    /// `{ cut_mix = { alpha = 1.0 } }` or `{ mix_up_or_cut_mix = { mix_up_alpha = 0.2, cut_mix_alpha = 1.0 } }`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixing: Option<BatchMixing>,
    /// Smaller photos in the first epochs: `{ from = 96, epochs = 10 }` begins with 96 px and is at full size from the
    /// eleventh epoch on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub growth: Option<SizeGrowth>,
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
        let normalisation = self.normalisation.known().unwrap_or(Normalisation::IMAGENET);
        let preprocess = Preprocess { framing: self.framing.clone(), normalisation };
        if let Err(e) = cairn_model::check_preprocess(&preprocess) {
            return Some(format!("photos: {e}"));
        }
        if let Err(e) = self.augment.validate() {
            return Some(format!("photos.augment: {e}"));
        }
        let ends_at = match self.augment.output_size() {
            Some(size) if size == (width, height) => None,
            Some(size) => Some(format!(
                "photos.augment ends at {} x {}, photos.framing at {width} x {height}: make them equal",
                size.0, size.1
            )),
            None => Some("photos.augment leaves photos of different sizes: end it with a crop".to_owned()),
        };
        ends_at
            .or_else(|| Some(format!("photos.mixing: {}", self.mixing?.validate().err()?)))
            .or_else(|| self.growth_fault(width as usize))
    }

    fn growth_fault(&self, side: usize) -> Option<String> {
        let from = self.growth?.from;
        let fault =
            format!("photos.growth.from is {from}; it must lie above 0 and at most at the full size, {side}");
        (from == 0 || from > side).then_some(fault)
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
