//! One batch: forward, loss, backward.

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use cairn_dataset::Batch;
use cairn_kernels::layers::images;
use cairn_nets::{Network, Precision};

use crate::loss::{Loss, Targets};
use crate::teachers::Teachers;

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

/// The photos of a batch, and what they show.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub input: Input,
    pub targets: Targets,
}

/// Photos, or what frozen layers made of them.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// `[photos, 3, height, width]`
    Images(Tensor<4>),
    /// `[photos, features]`
    Features(Tensor<2>),
}

impl Labelled {
    /// On an autodiff device, with what the teachers say of the photos where there are teachers.
    pub(crate) fn new(batch: Batch, classes: usize, teachers: Option<&Teachers>, device: &Device) -> Self {
        let labels = batch.soft_labels(classes);
        let images = images(&batch.pixels, [batch.len(), 3, batch.height, batch.width], device);
        let answers = teachers.map(|teachers| teachers.answers(&images.clone().inner()));
        Self { input: Input::Images(images), targets: Targets { labels, answers } }
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
    let Labelled { input, targets } = batch;
    let logits = match input {
        Input::Images(images) => network.forward(images, precision),
        Input::Features(features) => network.classify(features),
    }; // [photos, classes]
    let [photos, _] = logits.dims();
    let loss = loss.of(logits.clone(), &targets);
    let gradients = GradientsParams::from_grads(loss.backward(), network);
    let correct = count_correct(logits.inner(), &targets.labels);
    let loss = f64::from(loss.into_data().iter::<f32>().next().unwrap_or(f32::NAN));
    (gradients, StepOutcome { loss, correct, photos })
}

/// A throwaway step's worth of work on photos of zeros, for measuring what a step takes.
pub(crate) fn rehearse(network: &Network, photos: usize, side: usize, precision: Precision, device: &Device) {
    let images = Tensor::<4>::zeros([photos, 3, side, side], device);
    let gradients = network.forward(images, precision).mean().backward();
    drop(GradientsParams::from_grads(gradients, network));
}

/// How many photos have the greatest logit where they have the greatest share, the first of equals counting.
fn count_correct(logits: Tensor<2>, labels: &[f32]) -> usize {
    let [_, classes] = logits.dims();
    let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
    let greatest = |row: &[f32]| (0..classes).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)));
    let rows = logits.chunks_exact(classes).zip(labels.chunks_exact(classes));
    rows.filter(|(logits, labels)| greatest(logits) == greatest(labels)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_is_right_when_its_likeliest_class_is_and_the_first_of_equals_counts() {
        let logits = Tensor::<2>::from_floats([[1.0, 3.0], [2.0, 2.0], [5.0, 1.0]], &Device::flex());
        assert_eq!(count_correct(logits, &[0.0, 1.0, 0.7, 0.3, 0.4, 0.6]), 2);
    }
}
