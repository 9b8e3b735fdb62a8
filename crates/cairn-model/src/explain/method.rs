//! Class activation maps: what activations and gradients of a layer make of each other.
//!
//! Formulas as in pytorch-grad-cam 1.5 (Gildenblat and contributors), so that figures can be compared.

use std::fmt;
use std::str::FromStr;

/// How a layer's channels are weighed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CamMethod {
    /// Each channel by its mean gradient (Selvaraju et al. 2017, <https://arxiv.org/abs/1610.02391>).
    #[default]
    GradCam,
    /// Each channel by its positive gradients, weighed pixel by pixel (Chattopadhay et al. 2018, equation 19,
    /// <https://arxiv.org/abs/1710.11063>).
    GradCamPlusPlus,
    /// Each pixel of each channel by its own gradient (Draelos and Carin 2020, <https://arxiv.org/abs/2011.08891>).
    HiResCam,
}

impl CamMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::GradCam, Self::GradCamPlusPlus, Self::HiResCam];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::GradCam => "gradcam",
            Self::GradCamPlusPlus => "gradcam++",
            Self::HiResCam => "hirescam",
        }
    }

    /// The map, `[pixels]`, of activations and their gradients, both `[pixels, channels]`. It may have values below zero,
    /// which are evidence against the class.
    pub(super) fn map(self, activation: &[f32], gradient: &[f32], channels: usize) -> Vec<f32> {
        let pixels = || activation.chunks_exact(channels).zip(gradient.chunks_exact(channels));
        if self == Self::HiResCam {
            return pixels().map(|(activation, gradient)| dot(activation, gradient)).collect();
        }
        let mut weights = vec![0.0; channels];
        if self == Self::GradCam {
            for (_, gradient) in pixels() {
                add(&mut weights, gradient);
            }
            let count = (activation.len() / channels) as f32;
            weights.iter_mut().for_each(|weight| *weight /= count);
        } else {
            let mut sums = vec![0.0; channels];
            for (activation, _) in pixels() {
                add(&mut sums, activation);
            }
            for (_, gradient) in pixels() {
                for ((weight, sum), gradient) in weights.iter_mut().zip(&sums).zip(gradient) {
                    *weight += gradient.max(0.0) * alpha(*gradient, *sum);
                }
            }
        }
        pixels().map(|(activation, _)| dot(activation, &weights)).collect()
    }
}

/// Grad-CAM++'s weight of a pixel's gradient in a channel whose activations add up to `sum`.
fn alpha(gradient: f32, sum: f32) -> f32 {
    let square = gradient * gradient;
    if gradient == 0.0 { 0.0 } else { square / (2.0 * square + sum * square * gradient + 1e-6) }
}

fn add(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl fmt::Display for CamMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No method has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no method is called `{0}`; there are {names}", names = CamMethod::ALL.map(CamMethod::name).join(", "))]
pub struct UnknownMethod(String);

impl FromStr for CamMethod {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| UnknownMethod(name.to_owned()))
    }
}
