//! The pool that ends a backbone: from a map to a vector.

use burn::module::{Module, Param};
use burn::tensor::{Device, FloatDType, Tensor};

use crate::graph::Op;
use crate::pooling::Pooling;
use crate::traceable::{FeatureMap, Features};

/// The mean over the pixels, or their generalised mean.
#[derive(Module, Debug)]
pub(crate) struct GlobalPool {
    /// The power of the generalised mean, `[1]`; `None` for the ordinary mean.
    p: Option<Param<Tensor<1>>>,
}

impl GlobalPool {
    /// What the power begins with, as the paper has it.
    const FIRST_POWER: f32 = 3.0;

    /// The least that a value counts as, as the paper's code has it.
    const EPSILON: f64 = 1e-6;

    pub(crate) fn new(pooling: Pooling, device: &Device) -> Self {
        let power = || Param::from_tensor(Tensor::full([1], Self::FIRST_POWER, device));
        Self { p: (pooling == Pooling::Gem).then(power) }
    }

    /// `[batch, height, width, channels]` to `[batch, channels]` of f32.
    pub(crate) fn forward(&self, map: FeatureMap) -> Features {
        let Some(power) = &self.p else { return map.average() };
        let op = |path: &str| Op::GeneralisedMean { power: format!("{path}.p"), eps: Self::EPSILON };
        map.apply(
            |x| generalised_mean(x, power.val(), Self::EPSILON),
            |x| x.layer(power, op).then(Op::Flatten),
        )
    }
}

/// What [`Op::GeneralisedMean`] computes, in f32: `[batch, height, width, channels]` to `[batch, channels]`; `power` is
/// `[1]`.
pub(crate) fn generalised_mean(x: Tensor<4>, power: Tensor<1>, eps: f64) -> Tensor<2> {
    let [batch, height, width, channels] = x.dims();
    let power = power.clamp_min(Op::LEAST_POWER).reshape([1, 1, 1]);
    let x = x.cast(FloatDType::F32).reshape([batch, height * width, channels]).clamp_min(eps);
    // Of values between 0 and 1 no power is infinite, and their mean is not zero. The greatest value cancels out, so that it
    // needs no gradient.
    let greatest = x.clone().detach().max_dim(1);
    let mean = ((x / greatest.clone()).log() * power.clone()).exp().mean_dim(1);
    ((mean.log() / power).exp() * greatest).reshape([batch, channels])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
        x.into_data().iter::<f32>().collect()
    }

    /// `sin(start + step * i)`.
    fn wave(count: usize, step: f64, start: f64) -> Vec<f32> {
        (0..count).map(|place| (start + step * place as f64).sin() as f32).collect()
    }

    /// Two maps of 3 x 2 pixels and three channels, some values below zero.
    fn map(device: &Device) -> Tensor<4> {
        let values: Vec<f32> = wave(36, 0.83, 0.4).iter().map(|value| 2.0 * value + 0.5).collect();
        Tensor::<1>::from_floats(values.as_slice(), device).reshape([2, 3, 2, 3])
    }

    #[track_caller]
    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 4e-6, "{found}, expected {expected}");
        }
    }

    /// Holds means, and the gradients of a weighted sum of them, to PyTorch's.
    fn check(power: f32, means: &[f32; 6], of_power: f32, of_map: &[f32; 36]) {
        let device = Device::flex().autodiff();
        let (x, p) = (map(&device).require_grad(), Tensor::<1>::from_floats([power], &device).require_grad());
        let y = generalised_mean(x.clone(), p.clone(), 1e-6);
        assert_close(&values(y.clone()), means);
        let factors = Tensor::<1>::from_floats(wave(6, 1.3, 0.2).as_slice(), &device).reshape([2, 3]);
        let gradients = (y * factors).sum().backward();
        assert_close(&values(p.grad(&gradients).unwrap()), &[of_power]);
        assert_close(&values(x.grad(&gradients).unwrap()), of_map);
    }

    /// torch 2.11 in f64, of the maps as `[2, 3, 3, 2]`: avg_pool2d(x.clamp(min=1e-6).pow(p), (3, 2)).pow(1 / p), which is
    /// the paper's own code.
    #[test]
    fn means_and_gradients_are_pytorchs() {
        check(
            3.0,
            &[1.49119, 1.743144, 1.736383, 1.512492, 1.44895, 1.479815],
            0.029683,
            &[
                0.024353, 0.311216, 0.095035, 0.014828, 0.0, 0.0, 0.0, 0.006847, 0.064978, 0.093047,
                0.182417, 0.001557, 0.0, 0.0, 0.0, 0.016721, 0.288079, 0.103363, -0.08865, 0.0, 0.0, 0.0,
                -0.00093, 0.088536, -0.369607, -0.243138, 0.008405, 0.0, 0.0, 0.0, -0.041363, -0.291535,
                0.182633, -0.12212, 0.0, 0.0,
            ],
        );
        check(
            6.5,
            &[1.903039, 2.006931, 1.99247, 1.900872, 1.770941, 1.874045],
            -0.000146,
            &[
                0.00372, 0.429531, 0.113119, 0.000951, 0.0, 0.0, 0.0, 0.000012, 0.039761, 0.148403, 0.098856,
                0.000001, 0.0, 0.0, 0.0, 0.001323, 0.347323, 0.142517, -0.011868, 0.0, 0.0, 0.0, 0.0,
                0.038854, -0.601929, -0.245159, 0.00006, 0.0, 0.0, 0.0, -0.001459, -0.403883, 0.284572,
                -0.028637, 0.0, 0.0,
            ],
        );
    }

    #[test]
    fn the_first_power_is_the_mean_and_no_power_is_below_it() {
        let device = Device::flex();
        let x = map(&device).clamp_min(0.1);
        let means = values(cairn_kernels::layers::average(x.clone()));
        for power in [1.0, 0.5, 0.0, -3.0] {
            let power = Tensor::<1>::from_floats([power], &device);
            assert_close(&values(generalised_mean(x.clone(), power, 1e-6)), &means);
        }
    }

    #[test]
    fn powers_beyond_all_numbers_give_the_greatest_value_and_nothing_is_lost_where_all_is_zero() {
        let device = Device::flex();
        let x = map(&device) * 1e4;
        let greatest = values(x.clone().reshape([2, 6, 3]).max_dim(1));
        let power = || Tensor::<1>::from_floats([1e4], &device);
        for (found, greatest) in values(generalised_mean(x, power(), 1e-6)).iter().zip(greatest) {
            assert!((found / greatest - 1.0).abs() < 1e-3, "{found} of {greatest}");
        }
        let nothing = generalised_mean(Tensor::zeros([1, 2, 2, 1], &device), power(), 1e-6);
        assert!((values(nothing)[0] - 1e-6).abs() < 1e-12);
    }

    #[test]
    fn maps_of_16_bits_are_pooled_in_32() {
        let device = Device::flex();
        let x = map(&device).cast(FloatDType::BF16);
        let power = Tensor::<1>::from_floats([3.0], &device);
        let pooled = generalised_mean(x.clone(), power.clone(), 1e-6);
        assert_eq!(pooled.dtype(), FloatDType::F32.into());
        assert_eq!(values(pooled), values(generalised_mean(x.cast(FloatDType::F32), power, 1e-6)));
    }
}
