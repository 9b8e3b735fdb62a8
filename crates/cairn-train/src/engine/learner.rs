//! What the steps of a training change: the network, the optimizer and the moving average.

use burn::module::Module;
use burn::tensor::Device;
use cairn_nets::{Network, StateDict};

use crate::TrainError;
use crate::engine::ema::Ema;
use crate::engine::first_weights::given_or_named;
use crate::engine::job::Training;
use crate::engine::observer::{Event, Observer};
use crate::engine::optimizer::Optimizer;
use crate::engine::parameter_groups::ParameterGroups;
use crate::engine::state::TrainState;
use crate::engine::step::StepGradients;
use crate::recipe::Recipe;
use crate::run::checkpoint::Checkpoint;

/// A network in training with its optimizer and, if the recipe asks for one, the moving average of its weights.
#[derive(Debug)]
pub(crate) struct Learner {
    pub network: Network,
    optimizer: Optimizer,
    groups: ParameterGroups,
    ema: Option<Ema>,
}

impl Learner {
    /// Starts with these weights, or else with random ones, which are the same on every device.
    pub(crate) fn begin(
        recipe: &Recipe,
        classes: usize,
        weights: Option<&StateDict>,
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let spec = recipe.training_spec(classes);
        let mut network = spec.build(recipe.network.init, recipe.training.seed, &Device::flex())?;
        if let Some(weights) = weights {
            let fitted = network.load_partial(weights).map_err(TrainError::FirstWeights)?;
            observer.on_event(Event::FirstWeights(fitted.head));
            network = fitted.network;
        }
        let network = network.fork(device);
        let groups = ParameterGroups::new(&network, recipe);
        let optimizer = Optimizer::new(recipe.optimiser, groups.clone());
        // A copy with running statistics of its own.
        let ema = recipe.training.ema.map(|decay| Ema::new(decay, network.valid(), 0));
        Ok(Self { network: network.train(), optimizer, groups, ema })
    }

    /// Starts a new training, or continues from the run's checkpoint.
    pub(crate) fn begin_or_resume(
        training: &Training<'_>,
        observer: &mut dyn Observer,
    ) -> Result<(Self, TrainState), TrainError> {
        let Training { recipe, data, run, devices, .. } = *training;
        let device = &devices[0];
        let fingerprint = data.fingerprint();
        let checkpoint = run.read_checkpoint()?;
        let weights = match checkpoint {
            Some(_) => None,
            None => given_or_named(training.weights, &recipe.network)?,
        };
        let learner = Self::begin(recipe, data.classes.len(), weights.as_deref(), device, observer)?;
        let Some(checkpoint) = checkpoint else {
            return Ok((learner, TrainState { fingerprint, ..TrainState::default() }));
        };
        let Self { network, optimizer, groups, .. } = learner;
        let network = network.valid();
        let path = run.checkpoint_path();
        let damaged = |reason| TrainError::Checkpoint { path: path.clone(), reason };
        let state: TrainState =
            serde_json::from_str(&checkpoint.state).map_err(|error| damaged(error.to_string()))?;
        if state.fingerprint != fingerprint {
            let (then, now) = (state.fingerprint, fingerprint);
            return Err(TrainError::DataChanged { path: data.root.clone(), then, now });
        }
        let optimizer = optimizer.with_state(&checkpoint.optimizer, device).map_err(damaged)?;
        let with_weights = |network: Network, weights: StateDict| {
            network
                .with_state_dict(weights)
                .map_err(|source| TrainError::Weights { path: path.clone(), source })
        };
        // A run without an average starts it with the weights.
        let average = checkpoint.ema.unwrap_or_else(|| checkpoint.weights.clone());
        let average = with_weights(network.valid(), average)?;
        let ema = recipe.training.ema.map(|decay| Ema::new(decay, average, state.ema_steps));
        let network = with_weights(network, checkpoint.weights)?.train();
        Ok((Self { network, optimizer, groups, ema }, state))
    }

    /// Freezes the layers that do not learn in this epoch, counted from 0, and unfreezes the others.
    pub(crate) fn in_epoch(self, epoch: usize) -> Self {
        Self { network: self.groups.applied(self.network, epoch), ..self }
    }

    /// Takes a step along these gradients.
    pub(crate) fn stepped(mut self, learning_rate: f64, gradients: StepGradients) -> Self {
        let network = self.optimizer.step(learning_rate, self.network, gradients);
        let ema = self.ema.map(|ema| ema.updated(&network));
        Self { network, ema, ..self }
    }

    /// The network that is validated and saved: the moving average, or else the weights themselves.
    pub(crate) fn snapshot(&self) -> Network {
        self.ema.as_ref().map_or_else(|| self.network.valid(), |ema| ema.network().clone())
    }

    /// The checkpoint of this learner in this state.
    pub(crate) fn checkpoint(&self, state: &TrainState) -> Result<Checkpoint, String> {
        let state = TrainState { ema_steps: self.ema.as_ref().map_or(0, Ema::steps), ..state.clone() };
        Ok(Checkpoint {
            state: serde_json::to_string(&state).map_err(|e| e.to_string())?,
            weights: self.network.valid().state_dict(),
            ema: self.ema.as_ref().map(|ema| ema.network().state_dict()),
            optimizer: self.optimizer.to_bytes().map_err(|e| e.to_string())?,
        })
    }
}
