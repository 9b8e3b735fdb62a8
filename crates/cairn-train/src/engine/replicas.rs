//! Data parallelism: the devices that compute a step together.
//!
//! Each has a replica of the network and takes its share of every batch; the gradients meet on the first device, which takes
//! the optimizer's step (what Burn's own trainer calls `OptimMainDevice`, and PyTorch `DataParallel`). As there, batch norms
//! go by the photos of their own device, and keep the statistics of the first one's.

use std::ops::Range;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::Device;
use cairn_dataset::{Batch, ImageFolder};
use cairn_nets::{Network, Precision};
use cairn_photo::Normalisation;

use crate::TrainError;
use crate::engine::accumulate::GradientAccumulator;
use crate::engine::loss::Loss;
use crate::engine::sampled_classes::SampledClasses;
use crate::engine::state::EpochSums;
use crate::engine::step::{ClassesOf, Launched, StepGradients, StepInput, StepOutcome, launch};
use crate::engine::teachers::Teachers;
use crate::recipe::Recipe;

/// The devices that share every batch, each with its teachers.
#[derive(Debug)]
pub(crate) struct Replicas {
    /// At least one.
    replicas: Vec<Replica>,
    classes: usize,
    /// How many classes a step learns; all if `None`.
    sampled_classes: Option<usize>,
    loss: Loss,
    precision: Precision,
}

#[derive(Debug)]
struct Replica {
    /// With gradients.
    device: Device,
    teachers: Option<Teachers>,
}

impl Replicas {
    /// Opens the recipe's teachers on each of these devices.
    ///
    /// # Panics
    /// If there is no device.
    pub(crate) fn open(
        recipe: &Recipe,
        data: &ImageFolder,
        normalisation: &Normalisation,
        devices: &[Device],
    ) -> Result<Self, TrainError> {
        assert!(!devices.is_empty(), "a training needs a device");
        let replica = |device: &Device| {
            let teachers = Teachers::open(recipe, &data.classes, normalisation, device)?;
            Ok(Replica { device: device.clone().autodiff(), teachers })
        };
        let classes = data.classes.len();
        Ok(Self {
            replicas: devices.iter().map(replica).collect::<Result<_, TrainError>>()?,
            classes,
            sampled_classes: recipe.training.sampled_classes,
            loss: Loss::new(recipe, &data.train, classes),
            precision: recipe.precision(),
        })
    }

    /// Seeds dropout on every device, differently on each.
    pub(crate) fn seed(&self, seed: u64) {
        for (number, replica) in (0..).zip(&self.replicas) {
            replica.device.seed(seed.wrapping_add(number));
        }
    }

    /// Adds the gradients of the mean loss over a batch, which must not be empty, to `accumulator`. `network` is on the first
    /// device. Where classes are sampled, `seed` draws them.
    pub(crate) fn backward(
        &self,
        network: &Network,
        batch: &Batch,
        seed: u64,
        accumulator: &mut GradientAccumulator,
    ) -> StepOutcome {
        // The same for all devices, so that their gradients are of the same outputs.
        let sampled = self
            .sampled_classes
            .map(|count| Arc::new(SampledClasses::draw(batch, self.classes, count, seed)));
        let classes = sampled.as_ref().map_or(ClassesOf::All(self.classes), ClassesOf::Sampled);
        let share = batch.len().div_ceil(self.replicas.len());
        let shares = (0..batch.len()).step_by(share).map(|from| from..batch.len().min(from + share));
        // A GPU computes in the background, so that one thread keeps all of them busy.
        let launched: Vec<Launched> = (self.replicas.iter().enumerate().zip(shares))
            .map(|((number, replica), photos)| match number {
                0 => self.launch(network, replica, batch, photos, classes),
                _ => self.launch(&network.clone().fork(&replica.device), replica, batch, photos, classes),
            })
            .collect();
        let first = self.replicas[0].device.clone().inner();
        let (mut sums, mut nearest) = (EpochSums::default(), Vec::new());
        for launched in launched {
            let (gradients, mut outcome) = launched.outcome();
            let StepGradients { network: of_network, head } = gradients;
            let gradients = StepGradients {
                network: of_network.to_device(&first, network),
                head: head.map(|head| head.moved_to(&first)),
            };
            accumulator.add(network, gradients, outcome.photos);
            sums.add(&outcome);
            nearest.append(&mut outcome.nearest);
        }
        StepOutcome { loss: sums.mean_loss(), correct: sums.correct, photos: sums.photos, nearest }
    }

    fn launch(
        &self,
        network: &Network,
        replica: &Replica,
        batch: &Batch,
        photos: Range<usize>,
        classes: ClassesOf<'_>,
    ) -> Launched {
        let batch = StepInput::of(batch, photos, classes, replica.teachers.as_ref(), &replica.device);
        launch(network, batch, &self.loss, self.precision)
    }
}
