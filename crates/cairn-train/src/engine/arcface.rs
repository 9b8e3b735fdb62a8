//! ArcFace: cosines with a margin in the place of logits ([`MetricRecipe`](crate::MetricRecipe)).

use std::f64::consts::PI;

use burn::tensor::{Int, Tensor, TensorData};
use cairn_dataset::Example;
use cairn_nets::{Network, StateDict};

use crate::TrainError;
use crate::engine::sampled_classes::SampledClasses;
use crate::recipe::Recipe;

/// Against division by the length of nothing.
const SHORTEST: f64 = 1e-12;

/// Against a gradient without bounds, where an angle is zero.
const LEAST_SQUARED_SINE: f64 = 1e-7;

/// The margins of a training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ArcFace {
    scale: f64,
    /// Radians, `[classes]`.
    margins: Vec<f64>,
    /// Rows of the head for each class, one after the other.
    centres: usize,
}

/// What [`ArcFace::logits`] gives.
#[derive(Debug)]
pub(crate) struct Margined {
    /// `[photos, classes]`
    pub logits: Tensor<2>,
    /// The centre of each class that is nearest to each photo, `[photos, classes]`; `None` where classes have one.
    pub nearest: Option<Tensor<2, Int>>,
}

impl ArcFace {
    /// Those of the recipe for these training photos, if it asks for any.
    pub(crate) fn new(recipe: &Recipe, photos: &[Example], classes: usize) -> Option<Self> {
        let metric = recipe.metric?;
        let mut counts = vec![0_usize; classes];
        photos.iter().for_each(|photo| counts[photo.class.index()] += 1);
        let margins = counts.into_iter().map(|count| metric.margin.of(count)).collect();
        Some(Self { scale: metric.scale, margins, centres: metric.centres })
    }

    /// The logits of features, `[photos, features]`, by the directions of the network's head. `labels` are `[photos * classes]`:
    /// of a mixed photo each class has its share of the margin.
    pub(crate) fn logits(&self, network: &Network, features: Tensor<2>, labels: &[f32]) -> Margined {
        let weight = head_weight(network, &features);
        self.logits_by(weight, features, labels)
    }

    /// The margins of some classes.
    pub(crate) fn of_classes(&self, sampled: &SampledClasses) -> Self {
        Self { margins: sampled.of(&self.margins), ..*self }
    }

    /// How many rows of the head each class has.
    pub(crate) fn centres(&self) -> usize {
        self.centres
    }

    /// [`ArcFace::logits`] by the directions of these weights, `[features, rows]`.
    pub(crate) fn logits_by(&self, weight: Tensor<2>, features: Tensor<2>, labels: &[f32]) -> Margined {
        let (cosines, nearest) = self.nearest(cosines(features, weight));
        Margined { logits: self.with_margins(cosines, labels), nearest }
    }

    /// The cosines to the nearest centre of each class, `[photos, classes]`, of those to all, `[photos, classes * centres]`;
    /// and which that is.
    fn nearest(&self, cosines: Tensor<2>) -> (Tensor<2>, Option<Tensor<2, Int>>) {
        if self.centres == 1 {
            return (cosines, None);
        }
        let [photos, rows] = cosines.dims();
        let classes = rows / self.centres;
        let (greatest, nearest) = cosines.reshape([photos, classes, self.centres]).max_dim_with_indices(2);
        (greatest.reshape([photos, classes]), Some(nearest.reshape([photos, classes])))
    }

    fn with_margins(&self, cosines: Tensor<2>, labels: &[f32]) -> Tensor<2> {
        let ([photos, classes], device) = (cosines.dims(), cosines.device());
        let row = |of: fn(f64) -> f64| -> Tensor<2> {
            let values: Vec<f32> = self.margins.iter().map(|margin| of(*margin) as f32).collect();
            Tensor::from_data(TensorData::new(values, [1, classes]), &device)
        };
        let sines = (cosines.clone().powi_scalar(2).neg() + 1.0).clamp_min(LEAST_SQUARED_SINE).sqrt();
        let turned = cosines.clone() * row(f64::cos) - sines * row(f64::sin);
        // Beyond a half turn the cosine would rise again: from there on a straight line goes on falling.
        let straight = cosines.clone() - row(|margin| (PI - margin).sin() * margin);
        let beyond = cosines.clone().lower_equal(row(|margin| (PI - margin).cos()).expand([photos, classes]));
        let turned = turned.mask_where(beyond, straight);
        let labels = Tensor::<2>::from_data(TensorData::new(labels.to_vec(), [photos, classes]), &device);
        (cosines.clone() + labels * (turned - cosines)).mul_scalar(self.scale)
    }
}

/// The cosines of the angles between features, `[photos, features]`, and directions, `[features, rows]`.
fn cosines(features: Tensor<2>, weight: Tensor<2>) -> Tensor<2> {
    unit(features, 1).matmul(unit(weight, 0))
}

/// Vectors along an axis, of length one.
fn unit(vectors: Tensor<2>, axis: usize) -> Tensor<2> {
    let length = vectors.clone().powi_scalar(2).sum_dim(axis).sqrt().clamp_min(SHORTEST);
    vectors / length
}

/// The head's weights, `[features, rows]`, with their gradients: what a linear layer makes of the unit vectors, less its
/// bias. The head must be linear, and without dropout.
fn head_weight(network: &Network, like: &Tensor<2>) -> Tensor<2> {
    let ([_, features], device) = (like.dims(), like.device());
    let bias = network.classify(Tensor::zeros([1, features], &device));
    network.classify(Tensor::eye(features, &device)) - bias
}

/// The network with a head that gives `scale` times the cosines to features of the length that these `features` have on
/// average: an ordinary linear layer, whose greatest logit is that of the smallest angle.
///
/// # Errors
/// None that is known: the head keeps its shape.
pub(crate) fn with_cosine_head(
    network: &Network,
    scale: f64,
    features: Tensor<2>,
) -> Result<Network, TrainError> {
    let lengths = features.powi_scalar(2).sum_dim(1).sqrt();
    let length = f64::from(lengths.mean().into_scalar::<f32>()).max(SHORTEST);
    let head = network.head_prefix();
    let mut weights: StateDict = network.state_dict();
    if let Some((shape, mut values)) = weights.take(&format!("{head}.weight")) {
        let row_length = shape.get(1).copied().unwrap_or(1).max(1);
        for row in values.chunks_exact_mut(row_length) {
            let own = row.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>().sqrt().max(SHORTEST);
            row.iter_mut().for_each(|w| *w = (f64::from(*w) * scale / (own * length)) as f32);
        }
        weights.insert(&format!("{head}.weight"), &shape, values);
    }
    if let Some((shape, values)) = weights.take(&format!("{head}.bias")) {
        weights.insert(&format!("{head}.bias"), &shape, vec![0.0; values.len()]);
    }
    network.clone().with_state_dict(weights).map_err(TrainError::FirstWeights)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, activation::log_softmax};
    use cairn_nets::{Architecture, Init, NetworkSpec, Pooling, Precision};

    use super::*;

    const FEATURES: [[f32; 5]; 4] = [
        [0.824, -0.742, -0.594, -0.399, -1.403],
        [0.704, 0.051, 0.837, -0.362, -0.713],
        [0.607, 0.498, -0.401, -0.72, -0.269],
        // Nearly opposite to its class, so that angle and margin pass a half turn.
        [1.145, 0.004, 2.296, 1.52, 0.349],
    ];
    /// A row for each class, as PyTorch has them.
    const WEIGHT: [[f32; 5]; 3] = [
        [-0.996, 1.156, -0.399, 1.215, -0.812],
        [-0.885, -0.007, -1.77, -1.17, -0.259],
        [0.269, 0.084, -0.549, -0.084, -0.139],
    ];
    const CLASSES: [usize; 4] = [0, 2, 1, 1];

    fn check<const ROWS: usize>(
        arcface: &ArcFace,
        weight: [[f32; 5]; ROWS],
        smoothing: f64,
        loss: f64,
        gradients: [&[f64]; 2],
    ) {
        let device = Device::flex().autodiff();
        let features = Tensor::<2>::from_floats(FEATURES, &device).require_grad();
        let weight = Tensor::<2>::from_floats(weight, &device).require_grad();
        let labels: Vec<f32> =
            CLASSES.iter().flat_map(|&class| (0..3).map(move |c| f32::from(u8::from(c == class)))).collect();
        let (cosines, _) = arcface.nearest(cosines(features.clone(), weight.clone().transpose()));
        let logits = arcface.with_margins(cosines, &labels);
        let smoothed: Vec<f32> = labels
            .iter()
            .map(|label| (smoothing / 3.0 + (1.0 - smoothing) * f64::from(*label)) as f32)
            .collect();
        let targets = Tensor::<2>::from_data(TensorData::new(smoothed, [4, 3]), &device);
        let found = (log_softmax(logits, 1) * targets).sum().div_scalar(-4.0);
        let graph = found.backward();
        let found = f64::from(found.into_scalar::<f32>());
        assert!((found - loss).abs() < 1e-5 * loss, "{found}, expected {loss}");
        for (tensor, expected) in [features, weight].iter().zip(gradients) {
            let found: Vec<f64> = tensor.grad(&graph).unwrap().into_data().iter::<f64>().collect();
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-5, "{found}, expected {expected}");
            }
        }
    }

    /// torch 2.11 in f64: normalize, linear, sin = sqrt(clamp_min(1 - cos ** 2, 1e-7)), phi = cos * m.cos() - sin * m.sin(),
    /// where(cos > cos(pi - m), phi, cos - sin(pi - m) * m), cross_entropy(s * ..., label_smoothing=...).
    #[test]
    fn loss_and_gradients_are_pytorchs() {
        check(
            &ArcFace { scale: 8.0, margins: vec![0.3; 3], centres: 1 },
            WEIGHT,
            0.0,
            5.749_441_5,
            [
                &[
                    0.4865, -0.083156, -0.479797, -0.534459, 0.684837, -0.881381, 0.390873, 0.717591,
                    0.53058, -0.269291, 1.181404, 0.036384, 0.103661, 0.985668, -0.059545, -0.276799,
                    0.354845, -0.087828, 0.396751, -0.24611,
                ],
                &[
                    0.271596, 0.393669, 1.321556, 0.520632, 0.356943, -0.548428, -0.414307, 0.059725,
                    0.315289, 0.052736, -0.089456, -0.43872, 0.269246, -1.321081, -0.70332,
                ],
            ],
        );
        check(
            &ArcFace { scale: 16.0, margins: vec![0.5, 0.2, 0.35], centres: 1 },
            WEIGHT,
            0.1,
            11.007_976_8,
            [
                &[
                    0.954445, -0.002828, -0.948714, -0.796424, 1.190214, -2.001059, 1.110919, 1.747277,
                    1.661566, -0.688786, 2.239041, -0.033353, 0.117942, 1.825155, -0.070329, -0.58621,
                    0.688593, -0.145874, 0.768868, -0.473633,
                ],
                &[
                    0.769337, 0.743984, 2.770191, 0.981367, 0.22271, -1.172921, -0.713001, 0.074349,
                    0.704953, 0.334488, -0.583752, -1.066819, 0.282398, -2.616648, -1.30849,
                ],
            ],
        );
    }

    /// Two centres for each class: every other row is one of `WEIGHT`.
    const CENTRES: [[f32; 5]; 6] = [
        WEIGHT[0],
        [0.512, -0.313, 0.277, -0.604, -1.021],
        WEIGHT[1],
        [0.733, 0.645, -0.208, -0.391, 0.147],
        WEIGHT[2],
        [0.158, -0.926, 0.481, 0.339, -0.752],
    ];

    /// torch 2.11 in f64: as above, of linear(...).view(4, 3, 2).max(2).values.
    #[test]
    fn loss_and_gradients_of_the_nearest_centres_are_pytorchs() {
        let arcface = ArcFace { scale: 16.0, margins: vec![0.5, 0.2, 0.35], centres: 2 };
        check(
            &arcface,
            CENTRES,
            0.1,
            5.687_167_7,
            [
                &[
                    0.269418, 0.380376, -2.380133, 0.738585, 0.754715, 0.213986, 1.403174, -1.025058,
                    -1.799809, 0.022112, -0.23356, -0.412252, -0.784509, 0.108789, -0.411942, -0.892909,
                    -1.597849, 0.258488, 0.497261, -0.918492,
                ],
                // The first centre of the first class is the nearest for no photo.
                &[
                    0.0, 0.0, 0.0, 0.0, 0.0, 0.089513, 1.350081, 3.04872, -0.339821, 0.65916, -0.025697,
                    0.01874, 0.005345, 0.003694, 0.034088, -1.353755, 0.01844, -2.369471, -1.203944,
                    0.114396, 1.380385, -1.819765, 1.492991, -1.660391, -3.3217, -0.485366, -0.409083,
                    0.413098, 2.406801, 1.750969,
                ],
            ],
        );
        let device = Device::flex();
        let features = Tensor::<2>::from_floats(FEATURES, &device);
        let (_, nearest) =
            arcface.nearest(cosines(features, Tensor::<2>::from_floats(CENTRES, &device).transpose()));
        let nearest: Vec<i64> = nearest.unwrap().into_data().iter::<i64>().collect();
        assert_eq!(nearest, [1, 0, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1]);
    }

    fn network(device: &Device) -> Network {
        let spec = NetworkSpec {
            architecture: Architecture::ThreeConv,
            classes: 3,
            side: 16,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        spec.build(Init::Default, 3, device).unwrap()
    }

    #[test]
    fn the_head_s_weights_are_found_through_the_network() {
        let network = network(&Device::flex());
        let weights = network.state_dict();
        let rows = weights.values("fc2.weight").unwrap();
        let like = Tensor::<2>::zeros([1, network.feature_count()], &Device::flex());
        let found: Vec<f32> = head_weight(&network, &like).transpose().into_data().iter::<f32>().collect();
        assert!(found.iter().zip(rows).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn the_saved_head_gives_the_scaled_cosines_of_features_of_the_usual_length() {
        let network = network(&Device::flex());
        let pixels: Vec<f32> = (0..2 * 3 * 16 * 16).map(|i| (i as f32 * 0.7).sin()).collect();
        let images = Tensor::<4>::from_data(TensorData::new(pixels, [2, 3, 16, 16]), &Device::flex());
        let features = network.features(images, Precision::F32);
        let saved = with_cosine_head(&network, 30.0, features.clone()).unwrap();
        let weight = head_weight(&network, &features);
        let expected: Vec<f32> = cosines(features.clone(), weight).into_data().iter::<f32>().collect();
        let lengths: Vec<f32> =
            features.clone().powi_scalar(2).sum_dim(1).sqrt().into_data().iter::<f32>().collect();
        let mean = (lengths[0] + lengths[1]) / 2.0;
        let found: Vec<f32> = saved.classify(features).into_data().iter::<f32>().collect();
        for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
            let expected = 30.0 * expected * lengths[at / 3] / mean;
            assert!((found - expected).abs() < 1e-3, "{found}, expected {expected}");
        }
    }
}
