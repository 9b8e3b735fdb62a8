//! One batch: forward, loss, backward.

use std::ops::Range;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor};
use cairn_dataset::Batch;
use cairn_kernels::layers::images;
use cairn_nets::{Network, Precision};

use crate::engine::arcface::Margined;
use crate::engine::centres::NearestCentre;
use crate::engine::loss::{Loss, Targets};
use crate::engine::teachers::Teachers;

/// The figures of one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepOutcome {
    /// Mean loss over the batch, in nats.
    pub loss: f64,
    /// Photos that were classified correctly.
    pub correct: usize,
    /// Photos in the batch.
    pub photos: usize,
    /// The centre of its own class that is nearest to each photo; empty where classes have one centre.
    pub nearest: Vec<NearestCentre>,
}

/// The input of one step: photos or features, with their targets.
#[derive(Debug, Clone)]
pub(crate) struct StepInput {
    pub input: Input,
    pub targets: Targets,
}

/// Photos, or features of photos.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// `[photos, 3, height, width]`
    Images(Tensor<4>),
    /// `[photos, features]`
    Features(Tensor<2>),
}

impl StepInput {
    /// Some photos of a batch on an autodiff device, with the answers of the teachers if there are any.
    pub(crate) fn of(
        batch: &Batch,
        photos: Range<usize>,
        classes: usize,
        teachers: Option<&Teachers>,
        device: &Device,
    ) -> Self {
        let rows = |width: usize| photos.start * width..photos.end * width;
        let labels = batch.soft_labels(classes)[rows(classes)].to_vec();
        let pixels = &batch.pixels[rows(3 * batch.height * batch.width)];
        let images = images(pixels, [photos.len(), 3, batch.height, batch.width], device);
        let answers = teachers.map(|teachers| teachers.answers(pixels, &images.clone().inner()));
        Self { input: Input::Images(images), targets: Targets { labels, answers } }
    }
}

/// A step that a GPU may still be computing.
#[derive(Debug)]
pub(crate) struct Launched {
    /// Of the mean loss.
    gradients: GradientsParams,
    /// `[1]`
    loss: Tensor<1>,
    /// `[photos, classes]`
    logits: Tensor<2>,
    /// Nearest centres, `[photos, classes]`.
    nearest: Option<Tensor<2, Int>>,
    /// `[photos * classes]`
    labels: Vec<f32>,
}

impl Launched {
    /// Waits for the result of the step.
    pub(crate) fn outcome(self) -> (GradientsParams, StepOutcome) {
        let [photos, classes] = self.logits.dims();
        let nearest = self.nearest.map_or_else(Vec::new, |nearest| {
            let centres: Vec<i64> = nearest.into_data().iter::<i64>().collect();
            nearest_centres(&centres, &self.labels, classes)
        });
        let correct = count_correct(self.logits, &self.labels);
        let loss = f64::from(self.loss.into_data().iter::<f32>().next().unwrap_or(f32::NAN));
        (self.gradients, StepOutcome { loss, correct, photos, nearest })
    }
}

/// Launches the step of a batch, which must not be empty. Its input and the network are on an autodiff device.
pub(crate) fn launch(network: &Network, batch: StepInput, loss: &Loss, precision: Precision) -> Launched {
    let StepInput { input, targets } = batch;
    let plain = |logits| Margined { logits, nearest: None };
    let Margined { logits, nearest } = match (&loss.margins, input) {
        (None, Input::Images(images)) => plain(network.forward(images, precision)),
        (None, Input::Features(features)) => plain(network.classify(features)),
        (Some(margins), Input::Images(images)) => {
            margins.logits(network, network.features(images, precision), &targets.labels)
        }
        (Some(margins), Input::Features(features)) => margins.logits(network, features, &targets.labels),
    };
    let loss = loss.of(logits.clone(), &targets);
    let gradients = GradientsParams::from_grads(loss.backward(), network);
    Launched {
        gradients,
        loss: loss.inner(),
        logits: logits.inner(),
        nearest: nearest.map(Tensor::inner),
        labels: targets.labels,
    }
}

/// The gradients of the mean loss over a batch, as [`launch`] computes them.
pub(crate) fn backward(
    network: &Network,
    batch: StepInput,
    loss: &Loss,
    precision: Precision,
) -> (GradientsParams, StepOutcome) {
    launch(network, batch, loss, precision).outcome()
}

/// Computes a step on photos of zeros and drops the result, to measure its memory.
pub(crate) fn rehearse(network: &Network, photos: usize, side: usize, precision: Precision, device: &Device) {
    let images = Tensor::<4>::zeros([photos, 3, side, side], device);
    let gradients = network.forward(images, precision).mean().backward();
    drop(GradientsParams::from_grads(gradients, network));
}

/// The number of photos whose largest logit is at the class with the largest label; the first of equals counts.
fn count_correct(logits: Tensor<2>, labels: &[f32]) -> usize {
    let [_, classes] = logits.dims();
    let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
    let rows = logits.chunks_exact(classes).zip(labels.chunks_exact(classes));
    rows.filter(|(logits, labels)| greatest(logits) == greatest(labels)).count()
}

/// Of each photo's centres, `[photos * classes]`, the one of the class with the largest label.
fn nearest_centres(centres: &[i64], labels: &[f32], classes: usize) -> Vec<NearestCentre> {
    let rows = centres.chunks_exact(classes).zip(labels.chunks_exact(classes));
    let own = rows.filter_map(|(centres, labels)| {
        let class = greatest(labels)?;
        Some(NearestCentre { class, centre: usize::try_from(centres[class]).ok()? })
    });
    own.collect()
}

/// The place of the largest value; the first of equals.
fn greatest(row: &[f32]) -> Option<usize> {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixed_photo_counts_for_the_centre_of_the_class_that_it_shows_most_of() {
        let found = nearest_centres(&[2, 0, 1, 1], &[0.4, 0.6, 0.7, 0.3], 2);
        assert_eq!(found, [NearestCentre { class: 1, centre: 0 }, NearestCentre { class: 0, centre: 1 }]);
    }

    #[test]
    fn a_photo_is_right_when_its_likeliest_class_is_and_the_first_of_equals_counts() {
        let logits = Tensor::<2>::from_floats([[1.0, 3.0], [2.0, 2.0], [5.0, 1.0]], &Device::flex());
        assert_eq!(count_correct(logits, &[0.0, 1.0, 0.7, 0.3, 0.4, 0.6]), 2);
    }
}
