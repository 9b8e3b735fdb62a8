//! All that a training needs to go on as if it had never stopped.

use cairn_nets::StateDict;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::history::{EpochRecord, History};
use crate::json_number::or_nan;
use crate::recipe::Recipe;
use crate::schedule::Standing;
use crate::step::StepOutcome;

const STATE: &str = "state";
const NETWORK: &str = "network";
const OPTIMISER: &str = "optimiser";
const AVERAGE: &str = "average";

/// A point between two batches: where the training stands, the weights, their running mean where one is kept, and the
/// optimiser's moments.
///
/// The order of photos, their augmentation and dropout are functions of the recipe's seed and of the place, so no
/// random state is kept. On disk it is one safetensors file, so that it is either whole or not there: the weights and
/// the optimiser as tensors of bytes, the rest as metadata.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub place: Place,
    pub weights: StateDict,
    pub average: Option<StateDict>,
    pub optimiser: Vec<u8>,
}

/// Where a training stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Whole epochs done.
    pub epoch: usize,
    /// Batches done of the one under way.
    pub batch: usize,
    /// What those batches came to.
    pub so_far: EpochSums,
    /// Figures of the whole epochs.
    pub history: History,
    /// Of the last step.
    #[serde(deserialize_with = "or_nan")]
    pub learning_rate: f64,
    /// Steps that are in the weights' running mean.
    #[serde(default)]
    pub averaged_steps: u64,
    /// Seconds that the run has taken.
    #[serde(deserialize_with = "or_nan")]
    pub seconds: f64,
    /// The data set's fingerprint.
    pub fingerprint: String,
}

impl Place {
    /// The learning rate of the batch of this number, counted from 0, of `batches` in the epoch under way.
    pub(crate) fn scheduled_rate(&self, recipe: &Recipe, clock: &Clock, batch: usize, batches: usize) -> f64 {
        let epochs = self.epoch as f64 + batch as f64 / batches as f64;
        let valid_losses = &self.history.valid_losses();
        let standing = Standing { epochs, progress: clock.progress(epochs), valid_losses };
        recipe.optimiser.learning_rate() * recipe.schedule.factor(standing)
    }

    /// To the beginning of the next epoch.
    pub(crate) fn end_epoch(&mut self, record: EpochRecord, clock: &Clock) {
        self.history.push(record);
        self.epoch += 1;
        self.batch = 0;
        self.so_far = EpochSums::default();
        self.seconds = clock.seconds();
    }
}

/// Sums over the batches of an epoch, or over the parts of one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct EpochSums {
    /// Sum of the photos' losses.
    #[serde(deserialize_with = "or_nan")]
    pub loss: f64,
    pub correct: usize,
    pub photos: usize,
    pub bad_photos: usize,
    #[serde(deserialize_with = "or_nan")]
    pub seconds: f64,
    #[serde(deserialize_with = "or_nan")]
    pub waited: f64,
}

impl EpochSums {
    /// Mean loss of a photo.
    pub(crate) fn mean_loss(&self) -> f64 {
        self.loss / self.photos as f64
    }

    pub(crate) fn add(&mut self, step: &StepOutcome) {
        self.loss += step.loss * step.photos as f64;
        self.correct += step.correct;
        self.photos += step.photos;
    }

    /// Share of photos named right.
    pub(crate) fn accuracy(&self) -> f64 {
        self.correct as f64 / self.photos as f64
    }
}

impl Checkpoint {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let state = serde_json::to_string(&self.place).map_err(|e| e.to_string())?;
        let weights = |weights: &StateDict| {
            weights.to_safetensors("format", "pt".to_owned()).map_err(|e| e.to_string())
        };
        let network = weights(&self.weights)?;
        let average = self.average.as_ref().map(weights).transpose()?;
        let view =
            |bytes| TensorView::new(Dtype::U8, vec![<[u8]>::len(bytes)], bytes).map_err(|e| e.to_string());
        let mut tensors = vec![(NETWORK, view(&network)?), (OPTIMISER, view(&self.optimiser)?)];
        if let Some(average) = &average {
            tensors.push((AVERAGE, view(average)?));
        }
        serialize(tensors, Some([(STATE.to_owned(), state)].into())).map_err(|e| e.to_string())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = |e: safetensors::SafeTensorError| e.to_string();
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
        let state = header.metadata().as_ref().and_then(|entries| entries.get(STATE));
        let state = state.ok_or("it does not say where the training stands")?;
        let place = serde_json::from_str(state).map_err(|e| e.to_string())?;
        let file = SafeTensors::deserialize(bytes).map_err(text)?;
        let weights = |tensor: TensorView<'_>| {
            let read = StateDict::from_safetensors(tensor.data(), STATE).map_err(|e| e.to_string())?;
            Ok::<_, String>(read.0)
        };
        let average = file.tensor(AVERAGE).ok().map(weights).transpose()?;
        let weights = weights(file.tensor(NETWORK).map_err(text)?)?;
        let optimiser = file.tensor(OPTIMISER).map_err(text)?.data().to_vec();
        Ok(Self { place, weights, average, optimiser })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_whose_figures_are_no_numbers_survives_being_written() {
        let so_far = EpochSums { loss: f64::NAN, photos: 3, seconds: 1.5, ..EpochSums::default() };
        let place = Place { so_far, learning_rate: f64::INFINITY, ..Place::default() };
        let written = serde_json::to_string(&place).unwrap();
        let read: Place = serde_json::from_str(&written).unwrap();
        assert!(read.so_far.loss.is_nan() && read.learning_rate.is_nan(), "{read:?}");
        assert_eq!((read.so_far.photos, read.so_far.seconds), (3, 1.5));
    }
}
