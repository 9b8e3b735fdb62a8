//! Dropout (Srivastava et al. 2014, <https://jmlr.org/papers/v15/srivastava14a.html>).

use burn::nn::Dropout;
use burn::tensor::{Distribution, Tensor, TensorData};
use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// In training, sets values to zero by chance and scales the others up by as much, as Burn's own [`Dropout`] does; one
/// draw from the device, so from its seed, decides for all of them. (Burn draws each from a generator behind a lock,
/// which takes longer than a last layer's whole step.)
pub(crate) fn dropped<const D: usize>(x: Tensor<D>, dropout: &Dropout) -> Tensor<D> {
    if dropout.prob == 0.0 || !dropout.training.is_enabled() || !x.device().is_autodiff() {
        return x;
    }
    let kept = 1.0 - dropout.prob;
    let sixteen_bits = Distribution::Uniform(0.0, 65536.0);
    let drawn = Tensor::<1>::random([4], sixteen_bits, &x.device()).into_data();
    let seed = drawn.iter::<f32>().fold(0, |seed, bits| seed << 16 | bits as u64);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let limit = (kept * 2.0_f64.powi(32)) as u64;
    let scale = (1.0 / kept) as f32;
    let factors: Vec<f32> = (0..x.dims().iter().product())
        .map(|_| if u64::from(rng.next_u32()) < limit { scale } else { 0.0 })
        .collect();
    let factors = TensorData::new(factors, x.dims());
    let factors = Tensor::<D>::from_data(factors, &x.device()).cast(x.dtype());
    x * factors
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use burn::nn::DropoutConfig;
    use burn::tensor::Device;

    use super::*;

    /// The device has one random generator and tests run in parallel: a test holds this lock while it draws.
    static GENERATOR: Mutex<()> = Mutex::new(());

    fn after(seed: u64) -> Vec<f32> {
        let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
        let device = Device::flex().autodiff();
        device.seed(seed);
        let x = Tensor::<2>::ones([100, 100], &device);
        dropped(x, &DropoutConfig::new(0.3).init()).into_data().iter::<f32>().collect()
    }

    #[test]
    fn three_of_ten_values_become_zero_and_the_others_make_up_for_them() {
        let values = after(1);
        let kept = values.iter().filter(|v| **v > 0.0).count();
        // Six standard deviations of 10,000 draws.
        assert!((6725..=7275).contains(&kept), "{kept}");
        assert!(values.iter().all(|v| *v == 0.0 || (*v - 1.0 / 0.7).abs() < 1e-6));
    }

    #[test]
    fn the_device_s_seed_decides() {
        assert_eq!(after(1), after(1));
        assert_ne!(after(1), after(2));
    }

    #[test]
    fn what_is_dropped_has_no_gradient_and_what_is_kept_the_scaled_one() {
        let _alone = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::ones([8, 8], &device).require_grad();
        let y = dropped(x.clone(), &DropoutConfig::new(0.5).init());
        let gradient = x.grad(&y.clone().sum().backward()).unwrap();
        assert_eq!(gradient.into_data(), y.inner().into_data());
    }

    #[test]
    fn in_evaluation_nothing_is_dropped() {
        let x = Tensor::<2>::ones([8, 8], &Device::flex());
        assert_eq!(dropped(x.clone(), &DropoutConfig::new(0.5).init()).into_data(), x.into_data());
    }
}
