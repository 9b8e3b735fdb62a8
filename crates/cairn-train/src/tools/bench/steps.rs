//! How fast a network trains and infers on this machine, on photos of noise.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use cairn_kernels::in_pool;
use cairn_nets::quantised::{Calibration, PhotoLevels, QuantiseError, QuantisedNetwork};
use cairn_nets::{Architecture, Init, Network, NetworkSpec, Pooling, Precision, SpecError};

use super::best_seconds;
use crate::engine::loss::{Loss, Targets};
use crate::engine::optimizer::Optimizer;
use crate::engine::parameter_groups::ParameterGroups;
use crate::engine::step::{Input, StepInput, backward};
use crate::recipe::OptimiserRecipe;

/// What is timed, on photos of 224 px and with 50 classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Benchmark {
    /// The network, with random weights.
    pub architecture: Architecture,
    /// Photos in a batch.
    pub batch: usize,
    /// Number type of activations.
    pub precision: Precision,
    /// Timed runs after a warm-up run; the best counts.
    pub repeats: usize,
}

/// Why a benchmark in 8 bits cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Int8BenchmarkError {
    /// The network cannot be built.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// It cannot be computed in 8 bits.
    #[error(transparent)]
    Quantise(#[from] QuantiseError),
}

const SIDE: usize = 224;
const CLASSES: usize = 50;

impl Benchmark {
    /// Photos a second of whole training steps: forward, loss, backward, Adam.
    ///
    /// # Errors
    /// When the network cannot be built.
    pub fn training(&self) -> Result<f64, SpecError> {
        let device = Device::flex().autodiff();
        let mut network = Some(self.network()?.train());
        let recipe =
            OptimiserRecipe::Adam { learning_rate: 1e-4, weight_decay: 0.0, decay_biases_and_norms: true };
        let mut optimizer = Optimizer::new(recipe, ParameterGroups::default());
        let labels: Vec<f32> = (0..self.batch).flat_map(|n| one_hot(n % CLASSES)).collect();
        let images = self.images(&device);
        Ok(self.best(|| {
            let targets = Targets { labels: labels.clone(), answers: None };
            let batch = StepInput { input: Input::Images(images.clone()), targets, sampled: None };
            let step = |network: Network| {
                let (gradients, _) = backward(&network, batch, &Loss::default(), self.precision);
                optimizer.step(recipe.learning_rate(), network, gradients)
            };
            network = network.take().map(|network| in_pool(|| step(network)));
        }))
    }

    /// Photos a second of forward passes.
    ///
    /// # Errors
    /// When the network cannot be built.
    pub fn inference(&self) -> Result<f64, SpecError> {
        let network = self.network()?;
        let images = self.images(&Device::flex());
        Ok(self.best(|| in_pool(|| drop(network.forward(images.clone(), self.precision).into_data()))))
    }

    /// Photos a second of forward passes in 8 bits, whatever the precision, of a network whose activations were measured on
    /// noise: how fast it is does not depend on what it computes.
    ///
    /// # Errors
    /// When the network cannot be built, or not be computed in 8 bits.
    pub fn int8_inference(&self) -> Result<f64, Int8BenchmarkError> {
        let network = self.network()?;
        let mut calibration = Calibration::new(&network, SIDE);
        let noise: Vec<f32> = Self { batch: 1, ..*self }.images(&Device::flex()).into_data().iter().collect();
        calibration.observe(&noise)?;
        let settings = calibration.settings([])?;
        let photo = PhotoLevels { mean: [0.5; 3], std: [0.25; 3] };
        let network = QuantisedNetwork::new(&network, SIDE, photo, &BTreeMap::new(), &settings)?;
        let pixels: Vec<u8> = (0..self.batch * SIDE * SIDE * 3).map(|at| (at * 167 % 256) as u8).collect();
        Ok(self.best(|| in_pool(|| drop(network.forward(&pixels, SIDE, SIDE)))))
    }

    fn network(&self) -> Result<Network, SpecError> {
        let spec = NetworkSpec {
            architecture: self.architecture,
            classes: CLASSES,
            side: SIDE,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        spec.build(Init::Default, 0, &Device::flex())
    }

    fn images(&self, device: &Device) -> Tensor<4> {
        Tensor::random([self.batch, 3, SIDE, SIDE], Distribution::Normal(0.0, 1.0), device)
    }

    /// Photos a second in the best of the runs.
    fn best(&self, run: impl FnMut()) -> f64 {
        self.batch as f64 / best_seconds(self.repeats, run)
    }
}

/// A label as probabilities.
fn one_hot(class: usize) -> [f32; CLASSES] {
    std::array::from_fn(|other| if other == class { 1.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_benchmarks_run_and_find_a_speed() {
        let benchmark = Benchmark {
            architecture: Architecture::ThreeConv,
            batch: 2,
            precision: Precision::F32,
            repeats: 1,
        };
        let int8 = benchmark.int8_inference().unwrap();
        for speed in [benchmark.training().unwrap(), benchmark.inference().unwrap(), int8] {
            assert!(speed.is_finite() && speed > 0.0, "{speed}");
        }
    }
}
