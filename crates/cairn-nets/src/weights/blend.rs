//! Weights between two trainings.

use crate::StateDict;

impl StateDict {
    /// Weights on the straight line from these to what another training made of them: `1 - share` of these and `share`
    /// of the others (WiSE-FT, Wortsman et al. 2022, <https://arxiv.org/abs/2109.01903>). What only one of the two has,
    /// or has in another shape, as last layers for other classes, is left out.
    pub fn blended(&self, other: &Self, share: f32) -> Self {
        let mut blended = Self::default();
        for (name, shape) in self.shapes().filter(|(name, shape)| other.shape(name) == Some(*shape)) {
            let [own, others] = [self, other].map(|weights| weights.values(name).unwrap_or_default());
            let mixed = own.iter().zip(others).map(|(own, other)| own + share * (other - own)).collect();
            blended.insert(name, shape, mixed);
        }
        blended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_is_mixed_and_the_rest_is_left_out() {
        let mut first = StateDict::default();
        first.insert("conv.weight", &[2], vec![1.0, 2.0]);
        first.insert("fc.bias", &[2], vec![5.0, 5.0]);
        first.insert("old", &[1], vec![7.0]);
        let mut tuned = StateDict::default();
        tuned.insert("conv.weight", &[2], vec![3.0, -2.0]);
        tuned.insert("fc.bias", &[3], vec![5.0; 3]);

        let blended = first.blended(&tuned, 0.25);
        assert_eq!(blended.shapes().collect::<Vec<_>>(), [("conv.weight", [2].as_slice())]);
        assert_eq!(blended.values("conv.weight"), Some([1.5, 1.0].as_slice()));
    }
}
