//! Squeeze-and-excitation (Hu et al. 2017, <https://arxiv.org/abs/1709.01507>).

use burn::module::Module;
use burn::tensor::Device;
use cairn_kernels::Activation;

use super::Conv;
use crate::traceable::FeatureMap;

/// Scales each channel of a map by a number between 0 and 1 that two 1x1 convolutions make of all channels' means, as
/// torchvision's layer of this name.
#[derive(Module, Debug)]
pub(crate) struct SqueezeExcitation {
    fc1: Conv,
    fc2: Conv,
    /// Between the two.
    #[module(skip)]
    activation: Activation,
    /// After them.
    #[module(skip)]
    gate: Activation,
}

impl SqueezeExcitation {
    /// Of `channels`, with `squeezed` of them between the two convolutions.
    pub(crate) fn new(
        [channels, squeezed]: [usize; 2],
        activation: Activation,
        gate: Activation,
        device: &Device,
    ) -> Self {
        Self {
            fc1: Conv::new([channels, squeezed], 1, 1, true, device),
            fc2: Conv::new([squeezed, channels], 1, 1, true, device),
            activation,
            gate,
        }
    }

    pub(crate) fn forward(&self, x: FeatureMap) -> FeatureMap {
        let [x, seen] = x.fork();
        let means = seen.average_pixel(); // [batch, 1, 1, channels]
        let squeezed = self.fc1.forward(means).activate(self.activation);
        x.scale(self.fc2.forward(squeezed).activate(self.gate))
    }
}
