//! One type for every architecture, so that training and prediction need not know which they hold.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use crate::{MobileNetV2, PlainCnn, Precision, ResNet, ResidualCnn, SixConv, ThreeConv};

/// A network of any architecture.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a program holds one or two networks, never many")]
pub enum Network {
    /// System A's.
    SixConv(SixConv),
    /// System B's plain one.
    PlainCnn(PlainCnn),
    /// System B's residual one.
    ResidualCnn(ResidualCnn),
    /// System C's.
    ThreeConv(ThreeConv),
    /// Any ResNet.
    ResNet(ResNet),
    /// MobileNetV2.
    MobileNetV2(MobileNetV2),
}

impl Network {
    /// Logits: `[batch, 3, height, width]` normalised photos to `[batch, classes]`.
    ///
    /// On an autodiff device batch norm uses the batch's statistics and dropout drops.
    pub fn forward(&self, images: Tensor<4>, precision: Precision) -> Tensor<2> {
        match self {
            Self::SixConv(network) => network.forward(images, precision),
            Self::PlainCnn(network) => network.forward(images, precision),
            Self::ResidualCnn(network) => network.forward(images, precision),
            Self::ThreeConv(network) => network.forward(images, precision),
            Self::ResNet(network) => network.forward(images, precision),
            Self::MobileNetV2(network) => network.forward(images, precision),
        }
    }

    /// Logits as numbers, `[batch][classes]`, of normalised photos: `pixels` is `[batch, 3, height, width]` and the
    /// batch is as many whole photos as it holds.
    pub fn logits(
        &self,
        pixels: Vec<f32>,
        height: usize,
        width: usize,
        precision: Precision,
    ) -> Vec<Vec<f32>> {
        let batch = pixels.len() / (3 * height * width);
        if batch == 0 {
            return Vec::new();
        }
        let images = TensorData::new(pixels, [batch, 3, height, width]);
        let logits = self.forward(Tensor::from_data(images, &self.device()), precision);
        let [_, classes] = logits.dims();
        let values: Vec<f32> = logits.into_data().iter::<f32>().collect();
        values.chunks_exact(classes).map(<[f32]>::to_vec).collect()
    }

    /// The device that the network lives on.
    fn device(&self) -> Device {
        self.devices().into_iter().next().unwrap_or_else(Device::flex)
    }
}
