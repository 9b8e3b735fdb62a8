//! A recipe: everything that decides how a training goes, in one TOML file.

mod built_in;
mod decimals;
mod distil;
mod error;
mod fine_tune;
mod metric;
mod network;
mod optimiser;
mod photo_list;
mod photos;
pub(crate) mod recipe_diff;
mod schedule;
mod training;

use std::path::Path;
use std::{fs, io};

use cairn_dataset::{DatasetError, Example, ImageFolder, mean_std};
use cairn_model::Backbone;
use cairn_nets::{NetworkSpec, Precision};
use cairn_photo::{Normalisation, Preprocess};
use serde::{Deserialize, Serialize};

pub use built_in::BUILT_IN_RECIPES;
pub use distil::DistilRecipe;
pub use error::RecipeError;
pub use fine_tune::{FineTuneRecipe, Learning};
pub use metric::{Margin, MetricRecipe};
pub use network::{Blend, FirstWeights, NetworkRecipe};
pub use optimiser::OptimiserRecipe;
use photo_list::PhotoList;
pub use photos::{DownWeight, NamedNormalisation, NormalisationRecipe, PhotosRecipe};
pub use schedule::Schedule;
pub(crate) use schedule::SchedulePoint;
pub use training::{ClassWeights, TrainingRecipe};

use crate::relative_path::without_root;

/// Everything that decides how a training goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The network and its first weights.
    pub network: NetworkRecipe,
    /// Preprocessing and augmentation of the photos.
    pub photos: PhotosRecipe,
    /// How long, and with which batches.
    pub training: TrainingRecipe,
    /// The optimizer.
    pub optimiser: OptimiserRecipe,
    /// The learning-rate schedule.
    pub schedule: Schedule,
    /// Which layers learn, and how fast.
    #[serde(default, skip_serializing_if = "FineTuneRecipe::is_default")]
    pub fine_tune: FineTuneRecipe,
    /// Knowledge distillation from other models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distil: Option<DistilRecipe>,
    /// Margins between the classes, for features that tell apart classes that they never saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<MetricRecipe>,
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
        let exact = toml::to_string(self)
            .map_err(|e| RecipeError::Fault(format!("cannot be written as TOML: {e}")))?;
        let short = decimals::shortened(&exact);
        // A 64-bit number that looks like one of 32 bits keeps its decimals: a run must be resumed by the same recipe.
        let same = toml::from_str::<Self>(&short).is_ok_and(|recipe| recipe == *self);
        Ok(if same { short } else { exact })
    }

    /// The recipe with file names instead of absolute paths, for models that are passed on.
    pub(crate) fn without_absolute_paths(&self) -> Self {
        let mut recipe = self.clone();
        if let Some(FirstWeights::File(path)) = &mut recipe.network.weights {
            *path = without_root(path);
        }
        let down_weighted = recipe.photos.down_weight.as_mut().map(|down_weight| &mut down_weight.list);
        for list in recipe.photos.leave_out.iter_mut().chain(down_weighted) {
            *list = without_root(list);
        }
        if let Some(blend) = &mut recipe.network.blend {
            blend.with = without_root(&blend.with);
        }
        for teacher in recipe.distil.iter_mut().flat_map(|distil| &mut distil.teachers) {
            *teacher = without_root(Path::new(teacher)).to_string_lossy().into_owned();
        }
        recipe
    }

    /// Replaces what depends on the photos (their mean and standard deviation, if the recipe asks for them) and on the
    /// machine (the precision) with figures.
    ///
    /// `progress` is called with the number of measured photos and the number of all photos.
    ///
    /// # Errors
    /// When no photo can be read.
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

    /// The number type of activations: the recipe's, or the machine's fastest.
    pub fn precision(&self) -> Precision {
        self.training.precision.unwrap_or_else(Precision::best)
    }

    /// How a training by this recipe leaves the backbone.
    pub fn backbone(&self) -> Backbone {
        let head_alone = self.fine_tune.train == Learning::Head && self.fine_tune.unfreeze_every.is_none();
        match self.network.blend {
            Some(_) if head_alone => Backbone::Blended,
            None if head_alone => Backbone::Frozen,
            _ => Backbone::FineTuned,
        }
    }

    /// The network for this many classes.
    pub fn network_spec(&self, classes: usize) -> NetworkSpec {
        let NetworkRecipe { architecture, dropout, pooling, .. } = self.network;
        NetworkSpec { architecture, classes, side: self.side(), dropout, pooling }
    }

    /// The network that learns this many classes: its head has a row for each centre of each class, class by class.
    pub(crate) fn training_spec(&self, classes: usize) -> NetworkSpec {
        let centres = self.metric.map_or(1, |metric| metric.centres);
        NetworkSpec { classes: classes.saturating_mul(centres), ..self.network_spec(classes) }
    }

    /// The preprocessing in validation, testing and use, with this normalisation.
    pub fn preprocess(&self, normalisation: Normalisation) -> Preprocess {
        Preprocess { framing: self.photos.framing.clone(), normalisation }
    }

    /// The data set without the training photos that the recipe leaves out; `None` where it leaves out none.
    pub(crate) fn kept(&self, data: &ImageFolder) -> Result<Option<ImageFolder>, RecipeError> {
        let Some(path) = &self.photos.leave_out else { return Ok(None) };
        let list = PhotoList::read(path, "photos.leave_out", &data.train)?;
        let mut kept = data.clone();
        kept.train.retain(|example| !list.names(example));
        Ok(Some(kept))
    }

    /// How much each training photo counts in the loss; `None` where all count the same.
    pub(crate) fn photo_weights(&self, photos: &[Example]) -> Result<Option<Vec<f32>>, RecipeError> {
        let Some(DownWeight { list, weight }) = &self.photos.down_weight else { return Ok(None) };
        let list = PhotoList::read(list, "photos.down_weight.list", photos)?;
        Ok(Some(photos.iter().map(|photo| if list.names(photo) { *weight } else { 1.0 }).collect()))
    }

    /// Side of the square input, in pixels.
    fn side(&self) -> usize {
        self.photos.input_size().0 as usize
    }

    /// Checks the range of every figure.
    ///
    /// # Errors
    /// [`RecipeError::Fault`] with the first fault found.
    pub fn validate(&self) -> Result<(), RecipeError> {
        self.training.validate()?;
        self.photos.validate()?;
        self.network_spec(2).validate().map_err(|e| RecipeError::Fault(format!("network: {e}")))?;
        self.network.blend.as_ref().map_or(Ok(()), Blend::validate)?;
        self.validate_growth()?;
        self.optimiser.validate()?;
        self.schedule.validate()?;
        self.fine_tune.validate()?;
        self.metric.map_or(Ok(()), |metric| metric.validate(self.network.dropout))?;
        let both = self.distil.is_some() && self.fine_tune.cached_views.is_some();
        let sampled = self.training.sampled_classes.is_some();
        let whole = self.distil.is_some() || self.fine_tune.cached_views.is_some();
        RecipeError::check([
            (
                !both,
                "distil needs photos, but fine_tune.cached_views keeps features only: leave out one".to_owned(),
            ),
            (
                !(sampled && whole),
                "training.sampled_classes: distil and fine_tune.cached_views learn all classes; leave it or them out"
                    .to_owned(),
            ),
        ])?;
        self.distil.as_ref().map_or(Ok(()), DistilRecipe::validate)
    }

    /// Checks that the network can take the photos of the first epochs.
    fn validate_growth(&self) -> Result<(), RecipeError> {
        let Some(growth) = self.photos.growth else { return Ok(()) };
        let network = self.network.architecture;
        let fault = format!("photos.growth: {network} takes photos of one size only");
        RecipeError::check([(!network.takes_one_size(), fault)])?;
        let spec = NetworkSpec { side: growth.from, ..self.network_spec(2) };
        spec.validate().map_err(|e| RecipeError::Fault(format!("photos.growth.from: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use cairn_dataset::{BatchMixing, ProgressiveResize};
    use cairn_nets::Architecture;
    use cairn_photo::Augmentations;

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
    fn numbers_are_written_as_people_write_them_and_sections_in_their_order() {
        let text = BUILT_IN_RECIPES.iter().find(|(name, _)| *name == "demo").unwrap().1;
        let mut recipe = Recipe::parse(text, "demo").unwrap();
        recipe.photos.normalisation =
            NormalisationRecipe::Given(Normalisation { mean: [0.35, 0.1, 0.7], std: [0.229, 0.224, 0.225] });
        let written = recipe.to_toml().unwrap();
        assert!(written.contains("mean = [0.35, 0.1, 0.7]"), "{written}");
        let sections: Vec<&str> = written.lines().filter(|line| line.starts_with('[')).collect();
        assert_eq!(sections[0], "[network]", "{written}");
        // A rate of 64 bits that a 32-bit number stands for is kept to the last digit.
        if let OptimiserRecipe::AdamW { learning_rate, .. } | OptimiserRecipe::Adam { learning_rate, .. } =
            &mut recipe.optimiser
        {
            *learning_rate = f64::from(0.35_f32);
        }
        let written = recipe.to_toml().unwrap();
        assert!(written.contains("0.3499999940395355"), "{written}");
        assert_eq!(Recipe::parse(&written, "again").unwrap(), recipe);
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
        faulty("training.accumulate", |r| r.training.accumulate = 0);
        faulty("training.clip_norm", |r| r.training.clip_norm = Some(0.0));
        faulty("training.ema", |r| r.training.ema = Some(1.0));
        faulty("schedule.pct_start", |r| {
            r.schedule = Schedule::OneCycle { pct_start: 0.0, div_factor: 25.0, final_div_factor: 1e4 };
        });
        faulty("schedule.milestones", |r| {
            let milestones = vec![5, 3];
            r.schedule = Schedule::MultiStep { milestones, gamma: 0.1, warmup_epochs: 0.0 };
        });
        faulty("photos.mixing", |r| r.photos.mixing = Some(BatchMixing::MixUp { alpha: 0.0 }));
        faulty("photos.growth", |r| r.photos.growth = Some(ProgressiveResize { from: 4, epochs: 2 }));
        faulty("photos.growth", |r| r.photos.growth = Some(ProgressiveResize { from: 640, epochs: 2 }));
        faulty("one size", |r| {
            r.network.architecture = Architecture::ThreeConv;
            r.photos.growth = Some(ProgressiveResize { from: 32, epochs: 2 });
        });
        for (named, weight, temperature) in [("distil.weight", 0.0, 2.0), ("distil.temperature", 0.5, 0.0)] {
            let mut recipe = Recipe::find("demo").unwrap();
            recipe.distil = Some(DistilRecipe { teachers: vec!["run".to_owned()], weight, temperature });
            assert!(recipe.validate().unwrap_err().to_string().contains(named), "{named}");
        }
        faulty("network.blend.share", |r| {
            r.network.blend = Some(Blend { with: "run".into(), share: 1.0 });
        });
        faulty("dropout", |r| r.network.dropout = 1.0);
        faulty("learning_rate", |r| {
            r.optimiser = OptimiserRecipe::Adam {
                learning_rate: f64::NAN,
                weight_decay: 0.0,
                decay_biases_and_norms: true,
            };
        });
        faulty("photos.augment", |r| r.photos.augment = Augmentations::default());
        faulty("fine_tune.train", |r| r.fine_tune.train = Learning::Last(0));
        faulty("fine_tune.layer_decay", |r| r.fine_tune.layer_decay = 0.0);
        faulty("fine_tune.unfreeze_every", |r| r.fine_tune.unfreeze_every = Some(1));
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = Recipe::find("qiuck").unwrap_err().to_string();
        assert!(message.contains("qiuck") && message.contains("system-b-residual"), "{message}");
    }
}
