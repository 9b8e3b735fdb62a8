//! From the outputs for a photo's views to one answer: test-time augmentation.

use cairn_dataset::Softmax;

use crate::{Embedding, ModelOutput};

impl ModelOutput {
    /// The output for a photo from those for several views of it: the mean of their probabilities and of their
    /// embeddings' directions. `None` of no view.
    pub fn mean(views: &[ModelOutput]) -> Option<ModelOutput> {
        if let [only] = views {
            return Some(only.clone());
        }
        let logits: Vec<&[f32]> = views.iter().map(|view| view.logits.as_slice()).collect();
        let embedding = Embedding::mean(views.iter().map(|view| &view.embedding))?;
        Some(ModelOutput { logits: mean_probabilities(&logits), embedding })
    }
}

/// The logits whose softmax is the mean of the views' probabilities. Each view has a logit for each class.
///
/// As in Krizhevsky et al. 2012, section 4.1, probabilities are averaged, not logits.
fn mean_probabilities(views: &[&[f32]]) -> Vec<f32> {
    let mut mean = vec![0.0_f64; views.first().map_or(0, |view| view.len())];
    for view in views {
        let logits = view.iter().copied().map(f64::from);
        let softmax = Softmax::of(logits.clone());
        for (mean, logit) in mean.iter_mut().zip(logits) {
            *mean += softmax.probability(logit) / views.len() as f64;
        }
    }
    // A logit must be finite where the probability is too small for f32.
    let least = f64::from(f32::MIN_POSITIVE);
    mean.into_iter().map(|probability| probability.clamp(least, 1.0).ln() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_probabilities_of_the_whole_are_the_mean_of_the_views() {
        let views: [&[f32]; 3] = [&[2.0, -1.0, 0.5], &[0.0, 3.0, 1.0], &[-4.0, 0.0, 0.25]];
        let by_hand = |logits: &[f32]| -> Vec<f64> {
            let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit).exp()).collect();
            let sum: f64 = weights.iter().sum();
            weights.into_iter().map(|weight| weight / sum).collect()
        };
        let found = by_hand(&mean_probabilities(&views));
        let each = views.map(by_hand);
        for (class, found) in found.iter().enumerate() {
            let expected = each.iter().map(|view| view[class]).sum::<f64>() / 3.0;
            assert!((found - expected).abs() < 1e-6, "class {class}: {found}, expected {expected}");
        }
    }

    #[test]
    fn views_that_are_certain_stay_finite_and_one_view_speaks_for_itself() {
        let certain = mean_probabilities(&[&[1000.0, 0.0], &[1000.0, 0.0]]);
        assert!(certain.iter().all(|logit| logit.is_finite()) && certain[0] > certain[1], "{certain:?}");
        let output = ModelOutput { logits: vec![2.5, -1.0], embedding: Embedding::of(&[1.0, 0.0]) };
        assert_eq!(ModelOutput::mean(std::slice::from_ref(&output)), Some(output));
    }

    #[test]
    fn logits_that_are_not_numbers_stay_so() {
        let broken = mean_probabilities(&[&[f32::NAN, 1.0], &[0.0, 1.0]]);
        assert!(broken.iter().all(|logit| logit.is_nan()), "{broken:?}");
    }
}
