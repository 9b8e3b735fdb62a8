//! One batch: forward, loss, backward.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::{Batch, ClassId};
use cairn_nets::{Network, Precision};

use crate::loss::Loss;

/// What a batch came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepOutcome {
    /// Mean loss over the batch, in nats.
    pub loss: f64,
    /// Photos whose likeliest class was right.
    pub correct: usize,
    /// Photos in the batch.
    pub photos: usize,
}

/// The photos of a batch as a tensor, `[photos, 3, height, width]`, and their classes.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub images: Tensor<4>,
    pub labels: Vec<ClassId>,
}

impl Labelled {
    pub(crate) fn new(batch: Batch, device: &Device) -> Self {
        let pixels = TensorData::new(batch.pixels, [batch.labels.len(), 3, batch.height, batch.width]);
        Self { images: Tensor::from_data(pixels, device), labels: batch.labels }
    }
}

/// The gradients of the mean loss over a batch that is not empty. Its photos live on an autodiff device, and so does the
/// network.
pub(crate) fn backward(
    network: &Network,
    batch: Labelled,
    loss: &Loss,
    precision: Precision,
) -> (GradientsParams, StepOutcome) {
    let Labelled { images, labels } = batch;
    let logits = network.forward(images, precision); // [batch, classes]
    let loss = loss.of(logits.clone(), &labels);
    let gradients = GradientsParams::from_grads(loss.backward(), network);
    let correct = count_correct(logits.inner(), &labels);
    let loss = f64::from(loss.into_data().iter::<f32>().next().unwrap_or(f32::NAN));
    (gradients, StepOutcome { loss, correct, photos: labels.len() })
}

/// A throwaway step's worth of work on photos of zeros, for measuring what a step takes.
pub(crate) fn rehearse(network: &Network, photos: usize, side: usize, precision: Precision, device: &Device) {
    let images = Tensor::<4>::zeros([photos, 3, side, side], device);
    let gradients = network.forward(images, precision).mean().backward();
    drop(GradientsParams::from_grads(gradients, network));
}

fn count_correct(logits: Tensor<2>, labels: &[ClassId]) -> usize {
    let [_, classes] = logits.dims();
    let values: Vec<f32> = logits.into_data().iter::<f32>().collect();
    let likeliest = values
        .chunks_exact(classes)
        .map(|row| (0..classes).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a))));
    likeliest.zip(labels).filter(|(found, label)| *found == Some(label.index())).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_is_right_when_its_likeliest_class_is_and_the_first_of_equals_counts() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[1.0, 3.0], [2.0, 2.0], [5.0, 1.0]], &device);
        assert_eq!(count_correct(logits, &[1, 0, 1].map(ClassId::new)), 2);
    }
}
