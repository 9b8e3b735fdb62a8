//! What a training changes from step to step, from its beginning or from a checkpoint on.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use cairn_nets::{Network, StateDict};

use crate::TrainError;
use crate::average::WeightAverage;
use crate::checkpoint::{Checkpoint, Place};
use crate::first_weights::given_or_named;
use crate::observer::{Event, Observer};
use crate::parameter_groups::ParameterGroups;
use crate::recipe::Recipe;
use crate::training::Training;
use crate::updates::Optimiser;

/// A network that learns, its optimiser, and the running mean of its weights where the recipe asks for one.
#[derive(Debug)]
pub(crate) struct Learner {
    pub network: Network,
    optimiser: Optimiser,
    groups: ParameterGroups,
    average: Option<WeightAverage>,
}

impl Learner {
    /// With these weights, or else drawn ones, which are the same on every device.
    pub(crate) fn begin(
        recipe: &Recipe,
        classes: usize,
        weights: Option<&StateDict>,
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let spec = recipe.network_spec(classes);
        let mut network = spec.build(recipe.network.init, recipe.training.seed, &Device::flex())?;
        if let Some(weights) = weights {
            let fitted = network.fitted_with(weights).map_err(TrainError::FirstWeights)?;
            observer.on_event(Event::FirstWeights(fitted.head));
            network = fitted.network;
        }
        let network = network.fork(device);
        let groups = ParameterGroups::new(&network, recipe);
        let optimiser = Optimiser::new(recipe.optimiser, groups.clone());
        // A copy with running statistics of its own.
        let average = recipe.training.ema.map(|decay| WeightAverage::new(decay, network.valid(), 0));
        Ok(Self { network: network.train(), optimiser, groups, average })
    }

    /// Fresh, or as the run's checkpoint left it; and where the training stands.
    pub(crate) fn begin_or_resume(
        training: &Training<'_>,
        observer: &mut dyn Observer,
    ) -> Result<(Self, Place), TrainError> {
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
            return Ok((learner, Place { fingerprint, ..Place::default() }));
        };
        let Self { network, optimiser, groups, .. } = learner;
        let network = network.valid();
        let Checkpoint { place, weights, average, optimiser: state } = checkpoint;
        if place.fingerprint != fingerprint {
            let (then, now) = (place.fingerprint, fingerprint);
            return Err(TrainError::DataChanged { path: data.root.clone(), then, now });
        }
        let path = run.checkpoint_path();
        let optimiser = optimiser
            .with_state(&state, device)
            .map_err(|reason| TrainError::Checkpoint { path: path.clone(), reason })?;
        let with_weights = |network: Network, weights: StateDict| {
            network
                .with_state_dict(weights)
                .map_err(|source| TrainError::Weights { path: path.clone(), source })
        };
        // Where a run has kept no mean, it begins with the weights.
        let mean = with_weights(network.valid(), average.unwrap_or_else(|| weights.clone()))?;
        let average = recipe.training.ema.map(|decay| WeightAverage::new(decay, mean, place.averaged_steps));
        let network = with_weights(network, weights)?.train();
        Ok((Self { network, optimiser, groups, average }, place))
    }

    /// With those layers learning that do so in this epoch, counted from 0.
    pub(crate) fn in_epoch(self, epoch: usize) -> Self {
        Self { network: self.groups.applied(self.network, epoch), ..self }
    }

    /// After a step along these gradients.
    pub(crate) fn stepped(mut self, learning_rate: f64, gradients: GradientsParams) -> Self {
        let network = self.optimiser.step(learning_rate, self.network, gradients);
        let average = self.average.map(|average| average.updated(&network));
        Self { network, average, ..self }
    }

    /// The network as it is validated and saved: the mean of the weights, or the weights themselves.
    pub(crate) fn snapshot(&self) -> Network {
        self.average.as_ref().map_or_else(|| self.network.valid(), |average| average.network().clone())
    }

    pub(crate) fn checkpoint(&self, place: &Place) -> Result<Checkpoint, String> {
        let averaged_steps = self.average.as_ref().map_or(0, WeightAverage::steps);
        Ok(Checkpoint {
            place: Place { averaged_steps, ..place.clone() },
            // `valid` also settles the batch norms' running statistics, which the training network keeps a step behind.
            weights: self.network.valid().state_dict(),
            average: self.average.as_ref().map(|average| average.network().state_dict()),
            optimiser: self.optimiser.to_bytes().map_err(|e| e.to_string())?,
        })
    }
}
