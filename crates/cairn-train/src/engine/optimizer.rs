//! The optimizer at work: what it keeps of every parameter, and its step over all of them.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_kernels::layers::{adam_step, put_columns, sgd_step, take_columns};
use cairn_kernels::optimiser::{Adam, Decay, Sgd};
use cairn_nets::{HeadIds, HeadRows, Network};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};

use crate::engine::parameter_groups::{ParameterGroups, Treatment};
use crate::engine::sampled_classes::HeadGradient;
use crate::engine::step::StepGradients;
use crate::recipe::OptimiserRecipe;

/// An optimizer and its state.
#[derive(Debug, Clone)]
pub(crate) struct Optimizer {
    recipe: OptimiserRecipe,
    groups: ParameterGroups,
    states: BTreeMap<ParamId, State>,
}

/// The state of one parameter: its step count and its moments, flattened (SGD: the velocity; Adam: two moments).
#[derive(Debug, Clone)]
struct State {
    steps: u32,
    means: Vec<Tensor<1>>,
}

impl Optimizer {
    /// An optimizer before its first step.
    pub(crate) fn new(recipe: OptimiserRecipe, groups: ParameterGroups) -> Self {
        Self { recipe, groups, states: BTreeMap::new() }
    }

    /// Takes one step along these gradients. Parameters without a gradient do not change. Of a head of which some outputs have
    /// gradients, the others keep their weights and their means, as with PyTorch's `SparseAdam`; steps are counted for all.
    pub(crate) fn step(&mut self, learning_rate: f64, network: Network, gradients: StepGradients) -> Network {
        let StepGradients { network: gradients, head } = gradients;
        let network = network.map(&mut Step { optimizer: self, gradients, learning_rate });
        match (head, network.head_ids()) {
            (Some(head), Some(ids)) => self.step_head(learning_rate, network, ids, head),
            _ => network,
        }
    }

    fn step_head(
        &mut self,
        learning_rate: f64,
        network: Network,
        ids: HeadIds,
        head: HeadGradient,
    ) -> Network {
        let HeadGradient { outputs, rows: gradient } = head;
        let Some(rows) = network.head_rows(&outputs) else { return network };
        let all = network.head_outputs();
        let weight =
            self.update_columns(ids.weight, rows.weight, gradient.weight, &outputs, all, learning_rate);
        let bias = self.update_columns(
            ids.bias,
            rows.bias.unsqueeze::<2>(),
            gradient.bias.unsqueeze::<2>(),
            &outputs,
            all,
            learning_rate,
        );
        let bias = bias.reshape([outputs.len()]);
        network.with_head_rows(&outputs, HeadRows { weight, bias })
    }

    /// The step of some columns of a parameter, of so many in all.
    fn update_columns(
        &mut self,
        id: ParamId,
        weight: Tensor<2>,
        gradient: Tensor<2>,
        columns: &[u32],
        all: usize,
        learning_rate: f64,
    ) -> Tensor<2> {
        let dims = weight.dims();
        let whole = [dims[0], all];
        let fresh = || State {
            steps: 0,
            means: vec![Tensor::zeros([dims[0] * all], &weight.device()); self.recipe.kept_means()],
        };
        let State { steps, means } = self.states.remove(&id).unwrap_or_else(fresh);
        let taken =
            means.iter().map(|mean| flat(take_columns(mean.clone().reshape(whole), columns))).collect();
        self.states.insert(id, State { steps, means: taken });
        let updated = self.update(id, flat(weight), flat(gradient), learning_rate);
        if let Some(State { steps, means: taken }) = self.states.remove(&id) {
            // One after the other, each in its own memory.
            let means = means
                .into_iter()
                .zip(taken)
                .map(|(mean, taken)| flat(put_columns(mean.reshape(whole), taken.reshape(dims), columns)));
            self.states.insert(id, State { steps, means: means.collect() });
        }
        updated.reshape(dims)
    }

    fn update(
        &mut self,
        id: ParamId,
        weight: Tensor<1>,
        gradient: Tensor<1>,
        learning_rate: f64,
    ) -> Tensor<1> {
        let recipe = self.recipe;
        let fresh = || State {
            steps: 0,
            means: vec![Tensor::zeros(gradient.dims(), &gradient.device()); recipe.kept_means()],
        };
        let mut state = self.states.remove(&id).unwrap_or_else(fresh);
        state.steps += 1;
        let (weight, means) = match recipe.rule(learning_rate, self.groups.treatment(id)) {
            Rule::Sgd(sgd) => {
                let velocity = state.means.remove(0);
                let [weight, velocity] = sgd_step(weight, gradient, velocity, sgd);
                (weight, vec![velocity])
            }
            Rule::Adam(adam) => {
                let moments = [state.means.remove(0), state.means.remove(0)];
                let (weight, moments) = adam_step(weight, gradient, moments, adam, state.steps);
                (weight, moments.into())
            }
        };
        self.states.insert(id, State { means, ..state });
        weight
    }

    /// The state as a safetensors file: for every parameter, its count of steps and its means.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, SafeTensorError> {
        let tensors: Vec<(String, Dtype, Vec<u8>)> = self
            .states
            .iter()
            .flat_map(|(id, state)| {
                let id = id.val();
                let steps = (format!("{id}.steps"), Dtype::U32, state.steps.to_le_bytes().to_vec());
                let means = state.means.iter().enumerate().map(move |(n, mean)| {
                    let values = mean.clone().into_data();
                    let bytes = values.iter::<f32>().flat_map(f32::to_le_bytes).collect();
                    (format!("{id}.{n}"), Dtype::F32, bytes)
                });
                std::iter::once(steps).chain(means)
            })
            .collect();
        let views = tensors
            .iter()
            .map(|(name, dtype, bytes)| Ok((name, TensorView::new(*dtype, vec![bytes.len() / 4], bytes)?)))
            .collect::<Result<Vec<_>, SafeTensorError>>()?;
        safetensors::serialize(views, None)
    }

    /// Restores the state from [`Optimizer::to_bytes`].
    pub(crate) fn with_state(mut self, bytes: &[u8], device: &Device) -> Result<Self, String> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        for name in file.names() {
            let Some(id) = name.strip_suffix(".steps") else { continue };
            let tensor = |name: &str| file.tensor(name).map_err(|error| format!("optimiser: {error}"));
            let id_value =
                id.parse::<u64>().map_err(|_| format!("optimiser: no parameter is called {id}"))?;
            let words = |name: &str| -> Result<Vec<[u8; 4]>, String> {
                Ok(tensor(name)?.data().chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]).collect())
            };
            let steps = words(name)?.first().copied().map_or(0, u32::from_le_bytes);
            let means = (0..self.recipe.kept_means())
                .map(|n| {
                    let values: Vec<f32> =
                        words(&format!("{id}.{n}"))?.into_iter().map(f32::from_le_bytes).collect();
                    let count = values.len();
                    Ok(Tensor::from_data(TensorData::new(values, [count]), device))
                })
                .collect::<Result<_, String>>()?;
            self.states.insert(ParamId::from(id_value), State { steps, means });
        }
        Ok(self)
    }
}

struct Step<'a> {
    optimizer: &'a mut Optimizer,
    gradients: GradientsParams,
    learning_rate: f64,
}

impl ModuleMapper for Step<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let (id, tensor, mapper) = param.consume();
        let dims = tensor.dims();
        // Outside of the graph nothing else holds the memory, so that it is written in place.
        let (weight, gradient) = (flat(tensor.inner()), flat(gradient));
        let weight = self.optimizer.update(id, weight, gradient, self.learning_rate);
        let weight = Tensor::from_inner(weight.reshape(dims)).require_grad();
        Param::from_mapped_value(id, weight, mapper)
    }
}

fn flat<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    let count = tensor.shape().num_elements();
    tensor.reshape([count])
}

/// An update rule with its hyper-parameters.
enum Rule {
    Sgd(Sgd),
    Adam(Adam),
}

impl OptimiserRecipe {
    /// Moments per parameter.
    fn kept_means(&self) -> usize {
        match self {
            Self::Sgd { .. } => 1,
            Self::Adam { .. } | Self::AdamW { .. } => 2,
        }
    }

    fn rule(&self, learning_rate: f64, treatment: Treatment) -> Rule {
        let learning_rate = (learning_rate * treatment.rate) as f32;
        let decayed = |weight_decay: f64| if treatment.decays { weight_decay as f32 } else { 0.0 };
        let adam = |weight_decay: f64, decay| {
            // PyTorch's defaults.
            let (beta1, beta2, epsilon) = (0.9, 0.999, 1e-8);
            Rule::Adam(Adam {
                learning_rate,
                beta1,
                beta2,
                epsilon,
                weight_decay: decayed(weight_decay),
                decay,
            })
        };
        match *self {
            Self::Adam { weight_decay, .. } => adam(weight_decay, Decay::Penalty),
            Self::AdamW { weight_decay, .. } => adam(weight_decay, Decay::Decoupled),
            Self::Sgd { momentum, weight_decay, nesterov, .. } => Rule::Sgd(Sgd {
                learning_rate,
                momentum: momentum as f32,
                weight_decay: decayed(weight_decay),
                nesterov,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the weights (1, -2, 3) on the loss sum((c w)^2), c = (1, 0.5, 2).
    fn after_three_steps(optimizer: &mut Optimizer) -> Vec<f32> {
        let device = Device::flex();
        let scale = Tensor::<1>::from_floats([1.0, 0.5, 2.0], &device);
        let mut weight = Tensor::<1>::from_floats([1.0, -2.0, 3.0], &device);
        for _ in 0..3 {
            let gradient = weight.clone() * scale.clone() * scale.clone() * 2.0;
            weight = optimizer.update(ParamId::from(7), weight, gradient, optimizer.recipe.learning_rate());
        }
        weight.into_data().iter::<f32>().collect()
    }

    fn recipes() -> [(OptimiserRecipe, [f32; 3]); 4] {
        // torch 2.11: three steps at a learning rate and a weight decay of 0.1 and, for SGD, a momentum of 0.9.
        let (learning_rate, weight_decay, momentum, decay_biases_and_norms) = (0.1, 0.1, 0.9, true);
        let sgd = |nesterov| OptimiserRecipe::Sgd {
            learning_rate,
            momentum,
            weight_decay,
            decay_biases_and_norms,
            nesterov,
        };
        let adam = OptimiserRecipe::Adam { learning_rate, weight_decay, decay_biases_and_norms };
        let adam_w = OptimiserRecipe::AdamW { learning_rate, weight_decay, decay_biases_and_norms };
        [
            (adam, [0.701586, -1.700623, 2.700382]),
            (adam_w, [0.675101, -1.644369, 2.614406]),
            (sgd(false), [0.024319, -1.360928, -2.778783]),
            (sgd(true), [-0.140468, -1.131294, -0.119415]),
        ]
    }

    fn optimizer(recipe: OptimiserRecipe) -> Optimizer {
        Optimizer::new(recipe, ParameterGroups::default())
    }

    #[test]
    fn three_steps_of_every_optimizer_end_where_pytorchs_do() {
        for (recipe, expected) in recipes() {
            let found = after_three_steps(&mut optimizer(recipe));
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "{recipe:?}: {found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn a_parameter_that_is_treated_apart_moves_at_its_own_rate_and_without_decay() {
        // torch 2.11: as above in a parameter group with "lr": 0.05 and "weight_decay": 0.
        let expected = [
            [0.850312, -1.850137, 2.850087],
            [0.850312, -1.850137, 2.850087],
            [0.486, -1.725469, -1.62],
            [0.327321, -1.614721, -1.299888],
        ];
        for ((recipe, _), expected) in recipes().into_iter().zip(expected) {
            let groups = ParameterGroups::of(ParamId::from(7), Treatment { rate: 0.5, decays: false });
            let found = after_three_steps(&mut Optimizer::new(recipe, groups));
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "{recipe:?}: {found:?}, expected {expected:?}");
        }
    }

    #[test]
    fn an_optimizer_read_back_goes_on_as_the_one_that_was_written() {
        for (recipe, _) in recipes() {
            let mut written = optimizer(recipe);
            after_three_steps(&mut written);
            let bytes = written.to_bytes().unwrap();
            let mut read = optimizer(recipe).with_state(&bytes, &Device::flex()).unwrap();
            assert_eq!(read.to_bytes().unwrap(), bytes, "{recipe:?}");
            assert_eq!(after_three_steps(&mut read), after_three_steps(&mut written), "{recipe:?}");
        }
    }
}
