//! First weights: a function of the scheme, the seed and each tensor's name, the same on every device.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal, Uniform};
use serde::{Deserialize, Serialize};

use crate::network::Network;
use crate::parameters::{LayerKind, Place};

/// How the weights of convolutions and linear layers begin. Batch norm always begins with weight 1 and bias 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// PyTorch's default for `Conv2d` and `Linear`: weights and biases uniform in +-1/sqrt(fan in).
    #[default]
    Default,
    /// He et al. 2015: convolution weights normal with deviation sqrt(2 / fan out), their biases zero, as torchvision's
    /// ResNets begin; linear layers as in [`Init::Default`].
    He,
    /// Weights N(0, 0.02) and zero biases, for convolutions and linear layers alike: System C's experiment.
    #[serde(rename = "normal-0.02")]
    Normal002,
}

impl Network {
    /// The same network with first weights drawn by `init`, and with parameter ids that depend on the tensors' names
    /// alone, so that an optimiser's saved state finds its parameters again.
    pub(crate) fn initialised(self, init: Init, seed: u64) -> Self {
        self.map(&mut Initialiser { init, seed, place: Place::default(), fan_in: 1 })
    }
}

struct Initialiser {
    init: Init,
    seed: u64,
    place: Place,
    /// Fan in of the weight seen last: a layer's bias follows its weight and is drawn from the same range.
    fan_in: usize,
}

impl Initialiser {
    /// The values for the current tensor; `None` if it keeps its own.
    fn draw(&mut self, name: &str, shape: &[usize]) -> Option<Vec<f32>> {
        let layer = self.place.layer();
        if layer == LayerKind::Other {
            return None;
        }
        let count = shape.iter().product();
        let is_bias = shape.len() == 1;
        let mut fan_out = 1;
        match (layer, shape) {
            (LayerKind::Convolution, &[outputs, inputs, height, width]) => {
                self.fan_in = inputs * height * width;
                fan_out = outputs * height * width;
            }
            (LayerKind::Linear, &[inputs, _]) => self.fan_in = inputs,
            _ => {}
        }
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ name_hash(name));
        match self.init {
            Init::Normal002 | Init::He if is_bias && !self.keeps_default(layer) => Some(vec![0.0; count]),
            Init::Normal002 => Some(normal(0.02, count, &mut rng)),
            Init::He if layer == LayerKind::Convolution => {
                Some(normal((2.0 / fan_out as f32).sqrt(), count, &mut rng))
            }
            Init::Default | Init::He => Some(uniform(1.0 / (self.fan_in as f32).sqrt(), count, &mut rng)),
        }
    }

    fn keeps_default(&self, layer: LayerKind) -> bool {
        self.init == Init::He && layer == LayerKind::Linear
    }
}

impl ModuleMapper for Initialiser {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.place.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.place.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.place.name();
        let shape = param.lazy_shape().to_vec();
        let drawn = self.draw(&name, &shape);
        let (_, mut tensor, mapper) = param.consume();
        if let Some(values) = drawn {
            let wants_gradient = tensor.is_require_grad();
            tensor = Tensor::from_data(TensorData::new(values, shape), &tensor.device())
                .set_require_grad(wants_gradient);
        }
        Param::from_mapped_value(ParamId::from(name_hash(&name)), tensor, mapper)
    }
}

fn normal(deviation: f32, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    match Normal::new(0.0, deviation) {
        Ok(distribution) => distribution.sample_iter(rng).take(count).collect(),
        Err(_) => vec![0.0; count], // a deviation that is not finite: no layer has one
    }
}

fn uniform(bound: f32, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    match Uniform::new_inclusive(-bound, bound) {
        Ok(distribution) => rng.sample_iter(distribution).take(count).collect(),
        Err(_) => vec![0.0; count], // a bound that is not finite: no layer has one
    }
}

/// FNV-1a: small, and the same in every version of Rust, which the standard hasher does not promise.
fn name_hash(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
