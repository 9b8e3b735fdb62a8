//! A recipe: everything that decides how a training goes, in one TOML file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use cairn_dataset::{DatasetError, ImageFolder, mean_std};
use cairn_nets::{Architecture, Init, NetworkSpec, Precision};
use cairn_photo::{Augmentations, Framing, Normalisation, Preprocess};
use serde::{Deserialize, Serialize};

use crate::optimiser::OptimiserRecipe;
use crate::schedule::Schedule;

/// The recipes that come with cairn, by name.
pub const BUILT_IN_RECIPES: &[(&str, &str)] = &[
    ("demo", include_str!("../../../recipes/demo.toml")),
    ("quick", include_str!("../../../recipes/quick.toml")),
    ("system-a-scratch", include_str!("../../../recipes/system-a-scratch.toml")),
    ("system-b-plain", include_str!("../../../recipes/system-b-plain.toml")),
    ("system-b-residual", include_str!("../../../recipes/system-b-residual.toml")),
    ("system-c-scratch", include_str!("../../../recipes/system-c-scratch.toml")),
];

/// Everything that decides how a training goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The network and its first weights.
    pub network: NetworkRecipe,
    /// How photos are shown to it.
    pub photos: PhotosRecipe,
    /// How long, and in which portions.
    pub training: TrainingRecipe,
    /// How weights are updated.
    pub optimiser: OptimiserRecipe,
    /// How the learning rate changes.
    pub schedule: Schedule,
}

/// The network and its first weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkRecipe {
    /// Which network.
    pub architecture: Architecture,
    /// Share of values that dropout sets to zero, in `[0, 1)`.
    pub dropout: f64,
    /// How its first weights are drawn.
    #[serde(default)]
    pub init: Init,
}

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

/// How long, and in which portions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecipe {
    /// Photos in a batch.
    pub batch: usize,
    /// Epochs at most.
    pub epochs: usize,
    /// Minutes at most, validation included. A run under a time budget is not repeatable to the bit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Share of each label spread evenly over all classes, in `[0, 1)` (Szegedy et al. 2015,
    /// <https://arxiv.org/abs/1512.00567>).
    #[serde(default)]
    pub label_smoothing: f64,
    /// Stop after so many epochs without a lower validation loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<usize>,
    /// Number type of feature maps [default: the machine's fastest].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Decides first weights, the order of photos, augmentation and dropout.
    #[serde(default)]
    pub seed: u64,
}

/// Why a recipe cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// Neither a recipe that comes with cairn nor a file.
    #[error("no recipe is called `{name}` and there is no such file; cairn comes with {}", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Not TOML, or not a recipe.
    #[error("{origin}: not a recipe")]
    Syntax {
        /// Name or path.
        origin: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A figure out of its range.
    #[error("recipe: {0}")]
    Fault(String),
}

fn names() -> String {
    BUILT_IN_RECIPES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl Recipe {
    /// The recipe of this name, or in the TOML file of this path.
    ///
    /// # Errors
    /// When there is neither, or it is not a recipe, or a figure is out of range.
    pub fn find(name_or_path: &str) -> Result<Self, RecipeError> {
        Self::parse(&Self::text(name_or_path)?, name_or_path)
    }

    /// The recipe of this name or path as it is written, not yet checked.
    pub(crate) fn text(name_or_path: &str) -> Result<String, RecipeError> {
        if let Some((_, text)) = BUILT_IN_RECIPES.iter().find(|(name, _)| *name == name_or_path) {
            return Ok((*text).to_owned());
        }
        let path = Path::new(name_or_path);
        fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => RecipeError::Unknown { name: name_or_path.to_owned() },
            _ => RecipeError::Read { path: path.to_owned(), source },
        })
    }

    /// Reads and validates TOML; `origin` is what errors call it.
    ///
    /// # Errors
    /// When it is not a recipe, or a figure is out of range.
    pub fn parse(text: &str, origin: &str) -> Result<Self, RecipeError> {
        let recipe: Self = toml::from_str(text)
            .map_err(|source| RecipeError::Syntax { origin: origin.to_owned(), source: Box::new(source) })?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// The recipe as TOML.
    ///
    /// # Errors
    /// When TOML cannot hold a value, such as a seed beyond 63 bits.
    pub fn to_toml(&self) -> Result<String, RecipeError> {
        toml::to_string(self).map_err(|e| RecipeError::Fault(format!("cannot be written as TOML: {e}")))
    }

    /// The recipe with figures in place of what depends on the photos (their own mean and deviation, if it asks for
    /// them) and on the machine (the precision).
    ///
    /// `progress` is told how many photos are measured, and of how many.
    ///
    /// # Errors
    /// When not one photo can be read.
    pub fn resolved(
        mut self,
        data: &ImageFolder,
        progress: impl Fn(usize, usize) + Sync,
    ) -> Result<Self, DatasetError> {
        if self.photos.normalisation.known().is_none() {
            let measured = mean_std(&data.train, &self.photos.framing, progress)?;
            self.photos.normalisation = NormalisationRecipe::Given(measured.normalisation);
        }
        self.training.precision = Some(self.precision());
        Ok(self)
    }

    /// The number type of feature maps: the recipe's, or the machine's fastest.
    pub fn precision(&self) -> Precision {
        self.training.precision.unwrap_or_else(Precision::best)
    }

    /// The network for this many classes.
    pub fn network_spec(&self, classes: usize) -> NetworkSpec {
        let NetworkRecipe { architecture, dropout, .. } = self.network;
        NetworkSpec { architecture, classes, side: self.side(), dropout }
    }

    /// How photos are shown in validation, testing and use, once the normalisation is resolved.
    pub fn preprocess(&self, normalisation: Normalisation) -> Preprocess {
        Preprocess { framing: self.photos.framing.clone(), normalisation }
    }

    /// Side of the square input, in pixels.
    fn side(&self) -> usize {
        self.input_size().0 as usize
    }

    fn input_size(&self) -> (u32, u32) {
        let preprocess = self.preprocess(Normalisation::IMAGENET);
        (preprocess.input_width(), preprocess.input_height())
    }

    /// Checks every figure's range.
    ///
    /// # Errors
    /// [`RecipeError::Fault`] with the first fault found.
    pub fn validate(&self) -> Result<(), RecipeError> {
        self.fault().map_or(Ok(()), |fault| Err(RecipeError::Fault(fault)))
    }

    fn fault(&self) -> Option<String> {
        let TrainingRecipe { batch, epochs, minutes, label_smoothing, early_stopping, precision, seed } =
            self.training;
        let (width, height) = self.input_size();
        let ranges = [
            (batch > 0, "training.batch is 0; a batch needs at least one photo".to_owned()),
            (epochs > 0, "training.epochs is 0; train for at least one".to_owned()),
            (
                minutes.is_none_or(|m| m > 0.0 && m.is_finite()),
                format!("training.minutes is {}; it must be above 0", minutes.unwrap_or_default()),
            ),
            (
                (0.0..1.0).contains(&label_smoothing),
                format!(
                    "training.label_smoothing is {label_smoothing}; it must lie from 0 up to but not including 1"
                ),
            ),
            (early_stopping != Some(0), "training.early_stopping is 0; bear at least one epoch".to_owned()),
            (
                precision.is_none_or(Precision::is_offered),
                "training.precision is bf16, in which this machine does not compute; use f32".to_owned(),
            ),
            (i64::try_from(seed).is_ok(), format!("training.seed is {seed}; it must be below 2^63")),
            (width == height, format!("photos.framing ends at {width} x {height}; networks take squares")),
        ];
        if let Some((_, fault)) = ranges.into_iter().find(|(holds, _)| !holds) {
            return Some(fault);
        }
        self.augment_fault((width, height))
            .or_else(|| self.network_spec(2).validate().err().map(|e| format!("network: {e}")))
            .or_else(|| self.optimiser.fault())
            .or_else(|| self.schedule.fault())
    }

    fn augment_fault(&self, input: (u32, u32)) -> Option<String> {
        let augment = &self.photos.augment;
        if let Err(e) = augment.validate() {
            return Some(format!("photos.augment: {e}"));
        }
        match augment.output_size() {
            Some(size) if size == input => None,
            Some((width, height)) => Some(format!(
                "photos.augment ends at {width} x {height}, photos.framing at {} x {}: make them equal",
                input.0, input.1
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_that_comes_with_cairn_is_valid_and_survives_writing() {
        for (name, text) in BUILT_IN_RECIPES {
            let recipe = Recipe::parse(text, name).unwrap_or_else(|e| panic!("{name}: {e:?}"));
            let again = Recipe::parse(&recipe.to_toml().unwrap(), name).unwrap();
            assert_eq!(recipe, again, "{name}");
        }
    }

    #[test]
    fn a_misspelt_key_is_an_error_that_names_it() {
        let text = BUILT_IN_RECIPES[0].1.replace("batch =", "bacth =");
        let error = Recipe::parse(&text, "mine.toml").unwrap_err();
        let RecipeError::Syntax { source, .. } = error else { panic!("{error:?}") };
        assert!(source.to_string().contains("bacth"), "{source}");
    }

    #[test]
    fn figures_out_of_range_are_named() {
        let faulty = |named: &str, spoil: fn(&mut Recipe)| {
            let mut recipe = Recipe::find("demo").unwrap();
            spoil(&mut recipe);
            let message = recipe.validate().unwrap_err().to_string();
            assert!(message.contains(named), "{message} should name {named}");
        };
        faulty("training.batch", |r| r.training.batch = 0);
        faulty("training.minutes", |r| r.training.minutes = Some(-1.0));
        faulty("label_smoothing", |r| r.training.label_smoothing = 1.0);
        faulty("dropout", |r| r.network.dropout = 1.0);
        faulty("learning_rate", |r| {
            r.optimiser = OptimiserRecipe::Adam { learning_rate: f64::NAN, weight_decay: 0.0 };
        });
        faulty("photos.augment", |r| r.photos.augment = Augmentations::default());
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = Recipe::find("qiuck").unwrap_err().to_string();
        assert!(message.contains("qiuck") && message.contains("system-b-residual"), "{message}");
    }
}
