//! What a network says of several views of one photo together: test-time augmentation.

/// The logits whose softmax is the mean of the views' probabilities; of one view, its own.
///
/// Each view has a logit for each class. As in Krizhevsky et al. 2012, section 4.1, probabilities are averaged, not logits.
pub fn combined_views(views: &[Vec<f32>]) -> Vec<f32> {
    let [first, _, ..] = views else { return views.first().cloned().unwrap_or_default() };
    let mut mean = vec![0.0_f64; first.len()];
    for view in views {
        let greatest = view.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f64> = view.iter().map(|logit| f64::from(logit - greatest).exp()).collect();
        let sum: f64 = weights.iter().sum();
        for (mean, weight) in mean.iter_mut().zip(weights) {
            *mean += weight / sum / views.len() as f64;
        }
    }
    // A logit must be finite where the probability is too small for f32.
    let least = f64::from(f32::MIN_POSITIVE);
    mean.into_iter().map(|probability| probability.clamp(least, 1.0).ln() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn softmax(logits: &[f32]) -> Vec<f64> {
        let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }

    #[test]
    fn the_probabilities_of_the_whole_are_the_mean_of_the_views() {
        let views = [vec![2.0, -1.0, 0.5], vec![0.0, 3.0, 1.0], vec![-4.0, 0.0, 0.25]];
        let found = softmax(&combined_views(&views));
        let each: Vec<Vec<f64>> = views.iter().map(|view| softmax(view)).collect();
        for (class, found) in found.iter().enumerate() {
            let expected = each.iter().map(|view| view[class]).sum::<f64>() / 3.0;
            assert!((found - expected).abs() < 1e-6, "class {class}: {found}, expected {expected}");
        }
    }

    #[test]
    fn one_view_speaks_for_itself_and_views_that_are_certain_stay_finite() {
        assert_eq!(combined_views(&[vec![2.5, -1.0]]), [2.5, -1.0]);
        let certain = combined_views(&[vec![1000.0, 0.0], vec![1000.0, 0.0]]);
        assert!(certain.iter().all(|logit| logit.is_finite()) && certain[0] > certain[1], "{certain:?}");
    }

    #[test]
    fn logits_that_are_not_numbers_stay_so() {
        let broken = combined_views(&[vec![f32::NAN, 1.0], vec![0.0, 1.0]]);
        assert!(broken.iter().any(|logit| logit.is_nan()), "{broken:?}");
    }
}
