//! Softmax regression (multinomial logistic regression) on a few thousand feature vectors.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::ClassId;

/// Steps of gradient descent.
const STEPS: usize = 150;

/// The mean length of a feature vector, once centred: vectors of length one would need weights that weight decay keeps small.
const LENGTH: f64 = 20.0;

/// What is added to the loss for each square of a weight, halved.
const PENALTY: f64 = 3e-4;

/// A linear classifier with its features' centring and scaling in it.
pub(super) struct SoftmaxRegression {
    /// `[1, features]`
    mean: Tensor<2>,
    scale: f64,
    /// `[features, classes]`
    weight: Tensor<2>,
    /// `[1, classes]`
    bias: Tensor<2>,
}

impl SoftmaxRegression {
    /// Minimises the mean cross-entropy plus the penalty by Nesterov's accelerated gradient descent (Nesterov 1983), with the
    /// step that the loss's curvature allows: its second derivative is half of the longest vector's square at most (Böhning
    /// 1992).
    ///
    /// `features` are `[photos, features]`, of at least one photo.
    pub(super) fn fit(features: Tensor<2>, labels: &[ClassId], classes: usize) -> Self {
        let device = Device::flex();
        let [photos, width] = features.dims();
        let mean = features.clone().mean_dim(0);
        let centred = features - mean.clone();
        let squares = centred.clone().powi_scalar(2).sum_dim(1);
        let mean_square = f64::from(squares.clone().mean().into_scalar::<f32>());
        let scale = LENGTH / mean_square.sqrt().max(1e-12);
        let longest = f64::from(squares.max().into_scalar::<f32>()) * scale * scale + 1.0;
        let x = centred.mul_scalar(scale);
        let transposed = x.clone().transpose();
        let mut targets = vec![0.0_f32; photos * classes];
        for (photo, label) in labels.iter().enumerate() {
            targets[photo * classes + label.index()] = 1.0;
        }
        let targets = Tensor::<2>::from_data(TensorData::new(targets, [photos, classes]), &device);

        let rate = 1.0 / (0.5 * longest + PENALTY);
        let mut weight = Tensor::<2>::zeros([width, classes], &device);
        let mut bias = Tensor::<2>::zeros([1, classes], &device);
        let (mut ahead, mut ahead_bias) = (weight.clone(), bias.clone());
        for step in 0..STEPS {
            let logits = x.clone().matmul(ahead.clone()) + ahead_bias.clone();
            let errors = (softmax(logits, 1) - targets.clone()).div_scalar(photos as f64);
            let gradient = transposed.clone().matmul(errors.clone()) + ahead.clone().mul_scalar(PENALTY);
            let next = ahead - gradient.mul_scalar(rate);
            let next_bias = ahead_bias - errors.sum_dim(0).mul_scalar(rate);
            let momentum = step as f64 / (step as f64 + 3.0);
            ahead = next.clone() + (next.clone() - weight).mul_scalar(momentum);
            ahead_bias = next_bias.clone() + (next_bias.clone() - bias).mul_scalar(momentum);
            (weight, bias) = (next, next_bias);
        }
        Self { mean, scale, weight, bias }
    }

    /// `[photos][classes]`
    pub(super) fn probabilities(&self, features: Tensor<2>) -> Vec<Vec<f64>> {
        let x = (features - self.mean.clone()).mul_scalar(self.scale);
        let logits = x.matmul(self.weight.clone()) + self.bias.clone();
        let [_, classes] = logits.dims();
        let values: Vec<f64> = softmax(logits, 1).into_data().iter::<f64>().collect();
        values.chunks_exact(classes).map(<[f64]>::to_vec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the minimum the gradient is zero: for each class, as much probability is given as there are photos of it, and the
    /// features weighted by probability sum to those of its photos, but for the penalty.
    #[test]
    fn it_ends_near_the_minimum() {
        let labels: Vec<ClassId> = [0, 0, 1, 1, 1, 0].map(ClassId::new).to_vec();
        let points = [[0.1_f32, 0.9], [0.3, 0.7], [0.8, 0.2], [0.9, 0.3], [0.2, 0.8], [0.7, 0.4]];
        let features =
            Tensor::<2>::from_data(TensorData::new(points.as_flattened().to_vec(), [6, 2]), &Device::flex());
        let fitted = SoftmaxRegression::fit(features.clone(), &labels, 2);
        let rows = fitted.probabilities(features);
        for class in 0..2 {
            let given: f64 = rows.iter().map(|row| row[class]).sum();
            assert!((given - 3.0).abs() < 0.05, "{given}");
        }
        assert!(rows.iter().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-6));
        // The two photos among the others' are not learned by heart: the penalty keeps the line between the classes.
        assert!(rows[0][0] > 0.5 && rows[3][1] > 0.5 && rows[4][1] < 0.9, "{rows:?}");
    }
}
