//! Gradient accumulation over the batches of one optimizer step, and clipping.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use cairn_kernels::Isa;
use cairn_kernels::layers::lerp;
use cairn_kernels::optimiser::{gradient_norm, scale};
use cairn_nets::{HeadRows, Network};

use crate::engine::numbers;
use crate::engine::sampled_classes::HeadGradient;
use crate::engine::step::StepGradients;

/// Accumulated gradients of the mean loss over the photos of one or more batches.
#[derive(Debug, Default)]
pub(crate) struct GradientAccumulator {
    gradients: Option<StepGradients>,
    photos: usize,
}

impl GradientAccumulator {
    /// Whether there are no gradients.
    pub(crate) fn is_empty(&self) -> bool {
        self.gradients.is_none()
    }

    /// Adds the gradients of the mean loss over `photos` photos.
    pub(crate) fn add(&mut self, network: &Network, gradients: StepGradients, photos: usize) {
        self.photos += photos;
        self.gradients = Some(match self.gradients.take() {
            None => gradients,
            Some(mean) => {
                let share = photos as f64 / self.photos as f64;
                let head = blended(mean.head, gradients.head, share as f32);
                let mut blend = Blend { mean: mean.network, new: gradients.network, share };
                network.visit(&mut blend);
                StepGradients { network: blend.mean, head }
            }
        });
    }

    /// Takes the mean gradients, scaled down to a norm of at most `clip_norm`; `None` if there are none.
    pub(crate) fn take(&mut self, network: &Network, clip_norm: Option<f64>) -> Option<StepGradients> {
        let gradients = std::mem::take(self).gradients?;
        Some(match clip_norm {
            Some(longest) => clipped(gradients, network, longest),
            None => gradients,
        })
    }
}

/// The gradients of the same outputs of the head, moved towards new ones by their share.
fn blended(mean: Option<HeadGradient>, new: Option<HeadGradient>, share: f32) -> Option<HeadGradient> {
    let (mean, new) = (mean?, new?);
    let HeadRows { weight, bias } = new.rows;
    let rows =
        HeadRows { weight: lerp(mean.rows.weight, weight, share), bias: lerp(mean.rows.bias, bias, share) };
    Some(HeadGradient { rows, ..mean })
}

/// Moves the mean towards new gradients by their share.
struct Blend {
    mean: GradientsParams,
    new: GradientsParams,
    share: f64,
}

impl ModuleVisitor for Blend {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (Some(mean), Some(new)) = (self.mean.remove::<D>(param.id), self.new.remove::<D>(param.id))
        else {
            return;
        };
        self.mean.register::<D>(param.id, lerp(mean, new, self.share as f32));
    }
}

/// Gradients scaled down to a total norm of at most `longest` (PyTorch's `clip_grad_norm_`; Pascanu et al. 2013,
/// <https://arxiv.org/abs/1211.5063>).
fn clipped(gradients: StepGradients, network: &Network, longest: f64) -> StepGradients {
    let mut length = SquaredLength { gradients: &gradients.network, sum: 0.0 };
    network.visit(&mut length);
    if let Some(HeadGradient { rows, .. }) = &gradients.head {
        length.add(rows.weight.clone());
        length.add(rows.bias.clone());
    }
    // PyTorch adds 1e-6 to avoid a division by zero.
    let factor = longest / (length.sum.sqrt() + 1e-6);
    if factor >= 1.0 {
        return gradients;
    }
    let mut scale = Scale { gradients: gradients.network, factor };
    network.visit(&mut scale);
    let head = gradients.head.map(|head| head.map(|gradient| scaled(gradient, factor)));
    StepGradients { network: scale.gradients, head }
}

struct SquaredLength<'a> {
    gradients: &'a GradientsParams,
    sum: f64,
}

impl SquaredLength<'_> {
    fn add<const D: usize>(&mut self, gradient: Tensor<D>) {
        self.sum += numbers::of(gradient, |gradient| gradient_norm(Isa::best(), &[gradient]).powi(2));
    }
}

fn scaled<const D: usize>(gradient: Tensor<D>, factor: f64) -> Tensor<D> {
    numbers::changed(gradient, |gradient| scale(Isa::best(), factor as f32, gradient))
}

impl ModuleVisitor for SquaredLength<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.add(gradient);
        }
    }
}

struct Scale {
    gradients: GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register::<D>(param.id, scaled(gradient, self.factor));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use cairn_nets::{Architecture, Init, NetworkSpec, Pooling};

    use super::*;

    fn network() -> Network {
        let spec = NetworkSpec {
            architecture: Architecture::ThreeConv,
            classes: 2,
            side: 8,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        spec.build(Init::Default, 0, &Device::flex()).unwrap()
    }

    /// Gradients for the network's last layer alone: its bias's.
    fn gradients(network: &Network, bias: [f32; 2]) -> StepGradients {
        let mut gradients = GradientsParams::new();
        let id = network.parameters().last().unwrap().id;
        gradients.register(id, Tensor::<1>::from_floats(bias, &Device::flex()));
        StepGradients { network: gradients, head: None }
    }

    fn found(network: &Network, mut gradients: StepGradients) -> Vec<f32> {
        let id = network.parameters().last().unwrap().id;
        gradients.network.remove::<1>(id).unwrap().into_data().iter::<f32>().collect()
    }

    #[test]
    fn the_gradients_of_several_batches_are_the_mean_over_all_their_photos() {
        let network = network();
        let mut accumulator = GradientAccumulator::default();
        for (bias, photos) in [([1.0, 0.0], 8), ([0.0, 4.0], 8), ([3.0, 3.0], 4)] {
            accumulator.add(&network, gradients(&network, bias), photos);
        }
        let mean = found(&network, accumulator.take(&network, None).unwrap());
        // (8 * 1 + 8 * 0 + 4 * 3) / 20 and (8 * 0 + 8 * 4 + 4 * 3) / 20
        assert!((mean[0] - 1.0).abs() < 1e-6 && (mean[1] - 2.2).abs() < 1e-6, "{mean:?}");
        assert!(accumulator.is_empty() && accumulator.take(&network, None).is_none());
    }

    #[test]
    fn gradients_are_clipped_where_pytorch_clips_them() {
        let network = network();
        let clip = |bias, longest| {
            let mut accumulator = GradientAccumulator::default();
            accumulator.add(&network, gradients(&network, bias), 1);
            found(&network, accumulator.take(&network, Some(longest)).unwrap())
        };
        // torch 2.11: clip_grad_norm_ of a gradient (3, -4) to the norms 2 and 6.
        let short = clip([3.0, -4.0], 2.0);
        assert!((short[0] - 1.199_999_8).abs() < 1e-6 && (short[1] + 1.599_999_7).abs() < 1e-6, "{short:?}");
        assert_eq!(clip([3.0, -4.0], 6.0), [3.0, -4.0]);
    }
}
