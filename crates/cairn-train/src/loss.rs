//! What a training minimises.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use cairn_dataset::ClassId;

/// Cross-entropy, as PyTorch's `cross_entropy` with its `label_smoothing`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Loss {
    /// Share of each label spread evenly over all classes, the true one among them.
    pub label_smoothing: f64,
}

impl Loss {
    /// The mean over the photos, in nats, `[1]`; of logits `[photos, classes]`.
    pub(crate) fn of(&self, logits: Tensor<2>, labels: &[ClassId]) -> Tensor<1> {
        let [photos, classes] = logits.dims();
        let targets = TensorData::new(self.targets(labels, classes), [photos, classes]);
        let targets = Tensor::from_data(targets, &logits.device());
        (log_softmax(logits, 1) * targets).sum().div_scalar(-(photos as f64))
    }

    /// `1 - smoothing` on the true class, and `smoothing` spread over all: `[photos * classes]`.
    fn targets(&self, labels: &[ClassId], classes: usize) -> Vec<f32> {
        let spread = (self.label_smoothing / classes as f64) as f32;
        let mut targets = vec![spread; labels.len() * classes];
        for (row, label) in targets.chunks_exact_mut(classes).zip(labels) {
            row[label.index()] += (1.0 - self.label_smoothing) as f32;
        }
        targets
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn cross_entropy_with_label_smoothing_is_pytorchs() {
        // torch 2.11: F.cross_entropy(tensor([[2., -1., 0.5], [0.1, 0.2, 0.3]]), tensor([0, 2]), label_smoothing=0.1)
        let logits = Tensor::<2>::from_floats([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3]], &Device::flex());
        let loss = Loss { label_smoothing: 0.1 }.of(logits, &[0, 2].map(ClassId::new));
        let loss: f32 = loss.into_scalar();
        assert!((loss - 0.701_627_1).abs() < 1e-6, "{loss}");
    }
}
