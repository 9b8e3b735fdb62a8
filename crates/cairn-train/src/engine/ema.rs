//! Exponential moving average (EMA) of a network's weights, which often generalises better than the last weights.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;
use cairn_kernels::layers::lerp;
use cairn_nets::Network;

/// Exponential moving average of all weights and running statistics (Polyak and Juditsky 1992; Tarvainen and Valpola 2017,
/// <https://arxiv.org/abs/1703.01780>), as in timm's `ModelEmaV3` with `use_warmup`.
#[derive(Debug)]
pub(crate) struct Ema {
    decay: f64,
    steps: u64,
    network: Network,
}

impl Ema {
    /// The average after `steps` steps; after none it is the network itself. `network` is for evaluation.
    pub(crate) fn new(decay: f64, network: Network, steps: u64) -> Self {
        Self { decay, steps, network }
    }

    /// Adds the weights after a step.
    pub(crate) fn updated(self, network: &Network) -> Self {
        let steps = self.steps + 1;
        let share = (1.0 - warmed_up(self.decay, steps)) as f32;
        let mut latest = Latest::default();
        network.valid().visit(&mut latest);
        Self { network: self.network.map(&mut TowardsLatest { latest, share }), steps, ..self }
    }

    /// The network with the averaged weights, for evaluation.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// Steps in the average.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }
}

/// The decay at a step, counted from 1: timm's `get_decay` with `warmup_gamma` 1 and `warmup_power` 2 / 3. It forgets the
/// untrained first weights early.
fn warmed_up(decay: f64, step: u64) -> f64 {
    (1.0 - (step as f64).powf(-2.0 / 3.0)).min(decay)
}

/// Every tensor of a network, flat.
#[derive(Default)]
struct Latest {
    tensors: BTreeMap<ParamId, Tensor<1>>,
}

impl ModuleVisitor for Latest {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.tensors.insert(param.id, param.val().flatten(0, D - 1));
    }
}

struct TowardsLatest {
    latest: Latest,
    share: f32,
}

impl ModuleMapper for TowardsLatest {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(latest) = self.latest.tensors.remove(&param.id) else { return param };
        param.map(|mean| {
            let shape = mean.shape();
            lerp(mean, latest.reshape(shape), self.share)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use cairn_nets::{Architecture, Init, NetworkSpec, Pooling, StateDict};

    use super::*;

    fn network(seed: u64) -> Network {
        let spec = NetworkSpec {
            architecture: Architecture::ThreeConv,
            classes: 2,
            side: 8,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        spec.build(Init::Default, seed, &Device::flex()).unwrap()
    }

    #[test]
    fn the_decay_warms_up_as_timms() {
        // timm 1.0.31: ModelEmaV3(model, decay=0.99, use_warmup=True).get_decay(step)
        for (step, decay) in [
            (1, 0.0),
            (2, 0.370_039_475_052_563_4),
            (10, 0.784_556_530_996_811_7),
            (100, 0.953_584_111_663_872_2),
            (999, 0.989_993_327_772_835),
            (1001, 0.99),
        ] {
            assert!((warmed_up(0.99, step) - decay).abs() < 1e-12, "{step}: {}", warmed_up(0.99, step));
        }
    }

    #[test]
    fn the_average_follows_weights_and_statistics_alike() {
        let weights: Vec<StateDict> = (1..=3).map(|seed| network(seed).state_dict()).collect();
        let mut training = network(0).train();
        let mut average = Ema::new(0.5, training.valid(), 0);
        let mut expected = BTreeMap::new();
        for (step, weights) in (1..).zip(&weights) {
            training = training.with_state_dict(weights.clone()).unwrap();
            average = average.updated(&training);
            let decay = warmed_up(0.5, step);
            for (name, _) in weights.shapes() {
                let values = weights.values(name).unwrap();
                let mean = expected.entry(name).or_insert_with(|| vec![0.0_f64; values.len()]);
                for (mean, value) in mean.iter_mut().zip(values) {
                    *mean = decay * *mean + (1.0 - decay) * f64::from(*value);
                }
            }
        }
        let found = average.network().state_dict();
        for (name, expected) in expected {
            let found = found.values(name).unwrap();
            let off = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(off < 1e-6, "{name}: off by {off}");
        }
    }
}
