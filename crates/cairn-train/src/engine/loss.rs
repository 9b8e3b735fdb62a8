//! The training loss.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use cairn_dataset::{ClassId, Example};

use crate::engine::arcface::ArcFace;
use crate::engine::sampled_classes::SampledClasses;
use crate::recipe::{ClassWeights, Recipe};

/// Cross-entropy with the labels, as PyTorch's `cross_entropy` with its `label_smoothing` and `weight`; and the
/// divergence from teachers' answers, where there are teachers.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Loss {
    /// Share of each label spread evenly over all classes, the true one among them.
    label_smoothing: f64,
    /// Weight of each class, `[classes]`; equal if `None`.
    class_weights: Option<Vec<f32>>,
    /// Whether labels are times the weights of their photos.
    weighted: bool,
    /// How the teachers' answers enter.
    distillation: Option<Distillation>,
    /// Margins that are added before.
    pub(crate) margins: Option<ArcFace>,
}

/// Figures of [`DistilRecipe`](crate::DistilRecipe).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Distillation {
    weight: f64,
    temperature: f64,
}

/// The targets of a batch, row by row: `[photos * classes]`.
#[derive(Debug, Clone)]
pub(crate) struct Targets {
    /// Probabilities by the labels: 1 and 0, or the shares of mixed photos. In a weighted loss, times the photos' weights.
    pub labels: Vec<f32>,
    /// Probabilities by the teachers, if there are any.
    pub answers: Option<Vec<f32>>,
}

impl Loss {
    /// The recipe's loss for these training photos.
    pub(crate) fn new(recipe: &Recipe, photos: &[Example], classes: usize) -> Self {
        let class_weights = match recipe.training.class_weights {
            ClassWeights::Equal => None,
            ClassWeights::Balanced => Some(balanced(photos.iter().map(|photo| photo.class), classes)),
        };
        let distillation = recipe
            .distil
            .as_ref()
            .map(|distil| Distillation { weight: distil.weight, temperature: distil.temperature });
        let margins = ArcFace::new(recipe, photos, classes);
        let weighted = recipe.photos.down_weight.is_some();
        let label_smoothing = recipe.training.label_smoothing;
        Self { label_smoothing, class_weights, weighted, distillation, margins }
    }

    /// The loss over some classes, as if there were no others.
    pub(crate) fn of_classes(&self, sampled: &SampledClasses) -> Self {
        let class_weights = self.class_weights.as_ref().map(|weights| sampled.of(weights));
        let margins = self.margins.as_ref().map(|margins| margins.of_classes(sampled));
        Self { class_weights, margins, ..self.clone_without_classes() }
    }

    /// The rest of it.
    fn clone_without_classes(&self) -> Self {
        let Self { label_smoothing, weighted, distillation, .. } = *self;
        Self { label_smoothing, weighted, distillation, class_weights: None, margins: None }
    }

    /// The mean over the photos, in nats: `[1]`. `logits` are `[photos, classes]`.
    pub(crate) fn of(&self, logits: Tensor<2>, targets: &Targets) -> Tensor<1> {
        match (self.distillation, &targets.answers) {
            (Some(Distillation { weight, temperature }), Some(answers)) => {
                let labelled = self.cross_entropy(logits.clone(), &targets.labels).mul_scalar(1.0 - weight);
                labelled + divergence(logits, answers, temperature).mul_scalar(weight)
            }
            _ => self.cross_entropy(logits, &targets.labels),
        }
    }

    /// The mean over the photos, each by its weight and its class's.
    fn cross_entropy(&self, logits: Tensor<2>, labels: &[f32]) -> Tensor<1> {
        let [photos, classes] = logits.dims();
        let mut targets = self.smoothed(labels, classes);
        let mut weight = if self.weighted { sum(labels) } else { photos as f64 };
        if let Some(weights) = &self.class_weights {
            let weights = || weights.iter().cycle();
            targets.iter_mut().zip(weights()).for_each(|(target, weight)| *target *= weight);
            // PyTorch divides by the weights of the true classes, smoothed or not.
            weight = labels.iter().zip(weights()).map(|(label, weight)| f64::from(label * weight)).sum();
        }
        let targets = Tensor::from_data(TensorData::new(targets, [photos, classes]), &logits.device());
        (log_softmax(logits, 1) * targets).sum().div_scalar(-weight)
    }

    /// `1 - smoothing` of every label, and `smoothing` spread over all classes.
    fn smoothed(&self, labels: &[f32], classes: usize) -> Vec<f32> {
        let spread = (self.label_smoothing / classes as f64) as f32;
        let kept = (1.0 - self.label_smoothing) as f32;
        let row = |row: &[f32]| {
            let spread = if self.weighted { spread * sum(row) as f32 } else { spread };
            row.iter().map(|label| spread + kept * label).collect::<Vec<f32>>()
        };
        labels.chunks_exact(classes).flat_map(row).collect()
    }
}

fn sum(values: &[f32]) -> f64 {
    values.iter().copied().map(f64::from).sum()
}

/// The mean Kullback-Leibler divergence of the softened logits from answers at the same temperature, times its square, which
/// keeps gradients as large as the labels' (Hinton et al. 2015, section 2).
fn divergence(logits: Tensor<2>, answers: &[f32], temperature: f64) -> Tensor<1> {
    let [photos, classes] = logits.dims();
    let negative_entropy: f64 =
        answers.iter().filter(|&&p| p > 0.0).map(|&p| f64::from(p) * f64::from(p).ln()).sum();
    let answers = Tensor::from_data(TensorData::new(answers.to_vec(), [photos, classes]), &logits.device());
    let cross = (log_softmax(logits.div_scalar(temperature), 1) * answers).sum();
    (cross.neg() + negative_entropy).mul_scalar(temperature * temperature / photos as f64)
}

/// Weights in inverse proportion to how often each class is there, of mean 1 over the photos: scikit-learn's
/// `compute_class_weight("balanced")`. A class that is not there has weight 0.
fn balanced(photos: impl Iterator<Item = ClassId>, classes: usize) -> Vec<f32> {
    let mut counts = vec![0_usize; classes];
    photos.for_each(|class| counts[class.index()] += 1);
    let total: usize = counts.iter().sum();
    let there = counts.iter().filter(|&&count| count > 0).count();
    let weight = |count: usize| total as f64 / (there * count) as f64;
    counts.into_iter().map(|count| if count == 0 { 0.0 } else { weight(count) as f32 }).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn loss(label_smoothing: f64, class_weights: Option<Vec<f32>>, labels: [[f32; 3]; 2]) -> f32 {
        let loss = Loss { label_smoothing, class_weights, ..Loss::default() };
        loss.of(logits(), &Targets { labels: labels.as_flattened().to_vec(), answers: None }).into_scalar()
    }

    fn logits() -> Tensor<2> {
        Tensor::from_floats([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]], &Device::flex())
    }

    #[test]
    fn cross_entropy_is_pytorchs() {
        let (hard, mixed) = ([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [[0.7, 0.0, 0.3], [0.3, 0.0, 0.7]]);
        let weights = vec![0.5, 2.0, 3.0];
        // torch 2.11: F.cross_entropy(logits, tensor([0, 2]), label_smoothing=0.1), then with
        // weight=tensor([0.5, 2., 3.]); then 0.7 * F.cross_entropy(logits, tensor([0, 2]), label_smoothing=0.1) +
        // 0.3 * F.cross_entropy(logits, tensor([2, 0]), label_smoothing=0.1).
        for (loss, expected) in [
            (loss(0.1, None, hard), 0.701_627_1),
            (loss(0.1, Some(weights), hard), 0.971_933_1),
            (loss(0.1, None, mixed), 0.931_127_1),
        ] {
            assert!((loss - expected).abs() < 1e-6, "{loss}, expected {expected}");
        }
    }

    #[test]
    fn photos_count_by_their_weights() {
        // torch 2.11: w = tensor([1, 0.25]); (w * F.cross_entropy(logits, tensor([0, 2]), label_smoothing=0.1,
        // reduction="none")).sum() / w.sum()
        let loss = Loss { label_smoothing: 0.1, weighted: true, ..Loss::default() };
        let labels = vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.25];
        let found: f32 = loss.of(logits(), &Targets { labels, answers: None }).into_scalar();
        assert!((found - 0.515_437_6).abs() < 1e-6, "{found}");
    }

    #[test]
    fn teachers_answers_enter_as_hinton_has_it() {
        // torch 2.11: answers = (softmax(t1 / 2, 1) + softmax(t2 / 2, 1)) / 2 of t1 = [[1, 0, -1], [0, 2, 1]] and
        // t2 = [[0, 3, 0], [1, 1, -1]]; 0.75 * F.cross_entropy(logits, tensor([0, 2]), label_smoothing=0.1) +
        // 0.25 * 4 * F.kl_div(F.log_softmax(logits / 2, 1), answers, reduction="batchmean")
        let answers = [0.330_380_6, 0.499_317_1, 0.170_302_2, 0.304_321_3, 0.464_399_6, 0.231_279_2];
        let loss = Loss {
            label_smoothing: 0.1,
            class_weights: None,
            weighted: false,
            distillation: Some(Distillation { weight: 0.25, temperature: 2.0 }),
            margins: None,
        };
        let labels = vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        let found: f32 =
            loss.of(logits(), &Targets { labels, answers: Some(answers.to_vec()) }).into_scalar();
        assert!((found - 0.744_601_96).abs() < 1e-6, "{found}");
    }

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // scikit-learn 1.9.1: compute_class_weight("balanced", classes=[0, 2, 3], y=[0] * 6 + [2] * 3 + [3])
        let photos = [0, 0, 0, 0, 0, 0, 2, 2, 2, 3].map(ClassId::new);
        let weights = balanced(photos.into_iter(), 4);
        for (found, expected) in weights.iter().zip([5.0 / 9.0, 0.0, 10.0 / 9.0, 10.0 / 3.0]) {
            assert!((found - expected).abs() < 1e-6, "{weights:?}");
        }
    }
}
