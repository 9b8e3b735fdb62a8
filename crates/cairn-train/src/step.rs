//! One step: forward, loss, backward, update.

use burn::optim::GradientsParams;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::{Batch, ClassId};
use cairn_nets::{Network, Precision};

use crate::updates::Optimiser;

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepOutcome {
    /// Mean loss over the batch, in nats.
    pub loss: f64,
    /// Photos whose likeliest class was right.
    pub correct: usize,
    /// Photos in the batch.
    pub photos: usize,
}

/// What a step is taken with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepSettings {
    pub precision: Precision,
    pub label_smoothing: f64,
    pub learning_rate: f64,
}

/// One step of training on a batch that is not empty. `device` is an autodiff device; `network` lives on it.
pub(crate) fn step(
    network: Network,
    optimiser: &mut Optimiser,
    batch: Batch,
    settings: StepSettings,
    device: &Device,
) -> (Network, StepOutcome) {
    let pixels = TensorData::new(batch.pixels, [batch.labels.len(), 3, batch.height, batch.width]);
    step_on(network, optimiser, Tensor::from_data(pixels, device), &batch.labels, settings)
}

/// The same on `images`, `[labels, 3, height, width]`, which live on an autodiff device.
pub(crate) fn step_on(
    network: Network,
    optimiser: &mut Optimiser,
    images: Tensor<4>,
    labels: &[ClassId],
    settings: StepSettings,
) -> (Network, StepOutcome) {
    let (photos, device) = (labels.len(), images.device());
    let logits = network.forward(images, settings.precision); // [batch, classes]
    let [_, classes] = logits.dims();
    let targets = smoothed(labels, classes, settings.label_smoothing);
    let targets = Tensor::<2>::from_data(TensorData::new(targets, [photos, classes]), &device);

    let loss = cross_entropy(logits.clone(), targets);
    let gradients = GradientsParams::from_grads(loss.backward(), &network);
    let network = optimiser.step(settings.learning_rate, network, gradients);

    let correct = count_correct(logits.inner(), labels);
    let loss = f64::from(loss.into_data().iter::<f32>().next().unwrap_or(f32::NAN));
    (network, StepOutcome { loss, correct, photos })
}

/// A throwaway step's worth of work on photos of zeros, for measuring what a step takes.
pub(crate) fn rehearse(network: &Network, photos: usize, side: usize, precision: Precision, device: &Device) {
    let images = Tensor::<4>::zeros([photos, 3, side, side], device);
    let gradients = network.forward(images, precision).mean().backward();
    drop(GradientsParams::from_grads(gradients, network));
}

/// Label smoothing as PyTorch's `cross_entropy` defines it: `1 - smoothing` on the true class, and `smoothing` spread
/// evenly over all classes, the true one among them. `[labels * classes]`.
fn smoothed(labels: &[ClassId], classes: usize, smoothing: f64) -> Vec<f32> {
    let mut targets = vec![(smoothing / classes as f64) as f32; labels.len() * classes];
    for (row, label) in targets.chunks_exact_mut(classes).zip(labels) {
        row[label.index()] += (1.0 - smoothing) as f32;
    }
    targets
}

/// Mean over the batch of `-sum(target * log softmax(logits))`; both `[batch, classes]`, the result `[1]`.
fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let [batch, _] = logits.dims();
    (log_softmax(logits, 1) * targets).sum().div_scalar(-(batch as f64))
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
    fn cross_entropy_with_label_smoothing_is_pytorchs() {
        // torch 2.11: F.cross_entropy(tensor([[2., -1., 0.5], [0.1, 0.2, 0.3]]), tensor([0, 2]), label_smoothing=0.1)
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]], &device);
        let labels = [ClassId::new(0), ClassId::new(2)];
        let targets = TensorData::new(smoothed(&labels, 3, 0.1), [2, 3]);
        let loss = cross_entropy(logits, Tensor::from_data(targets, &device));
        let loss: f32 = loss.into_scalar();
        assert!((loss - 0.701_627_1).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn a_photo_is_right_when_its_likeliest_class_is_and_the_first_of_equals_counts() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_floats([[1.0, 3.0], [2.0, 2.0], [5.0, 1.0]], &device);
        assert_eq!(count_correct(logits, &[1, 0, 1].map(ClassId::new)), 2);
    }
}
