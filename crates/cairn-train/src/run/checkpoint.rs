//! The checkpoint of a run: all that a resumed training needs.

use cairn_nets::StateDict;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

const STATE: &str = "state";
const NETWORK: &str = "network";
const OPTIMIZER: &str = "optimiser";
const EMA: &str = "average";

/// A training between two steps: its state, the weights, their moving average if the recipe asks for one, and the
/// optimizer's moments.
///
/// It holds no random state: the order of photos, their augmentation and dropout are functions of the recipe's seed and of
/// the state. It is one safetensors file, which is either complete or missing: weights and optimizer are tensors of bytes,
/// the state is metadata.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    /// The engine's `TrainState` as JSON.
    pub state: String,
    pub weights: StateDict,
    /// The moving average of the weights.
    pub ema: Option<StateDict>,
    pub optimizer: Vec<u8>,
}

impl Checkpoint {
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let weights = |weights: &StateDict| {
            weights.to_safetensors("format", "pt".to_owned()).map_err(|e| e.to_string())
        };
        let network = weights(&self.weights)?;
        let ema = self.ema.as_ref().map(weights).transpose()?;
        let view =
            |bytes| TensorView::new(Dtype::U8, vec![<[u8]>::len(bytes)], bytes).map_err(|e| e.to_string());
        let mut tensors = vec![(NETWORK, view(&network)?), (OPTIMIZER, view(&self.optimizer)?)];
        if let Some(ema) = &ema {
            tensors.push((EMA, view(ema)?));
        }
        serialize(tensors, Some([(STATE.to_owned(), self.state.clone())].into())).map_err(|e| e.to_string())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = |e: safetensors::SafeTensorError| e.to_string();
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
        let state = header.metadata().as_ref().and_then(|entries| entries.get(STATE));
        let state = state.ok_or("the training state is missing")?.clone();
        let file = SafeTensors::deserialize(bytes).map_err(text)?;
        let weights = |tensor: TensorView<'_>| {
            let read = StateDict::from_safetensors(tensor.data(), STATE).map_err(|e| e.to_string())?;
            Ok::<_, String>(read.0)
        };
        let ema = file.tensor(EMA).ok().map(weights).transpose()?;
        let weights = weights(file.tensor(NETWORK).map_err(text)?)?;
        let optimizer = file.tensor(OPTIMIZER).map_err(text)?.data().to_vec();
        Ok(Self { state, weights, ema, optimizer })
    }
}
