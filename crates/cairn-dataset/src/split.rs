//! Which training photos are held back for validation, where the data set does not say so itself.

use serde::{Deserialize, Serialize};

use crate::DatasetError;
use crate::path_text::nfc;

/// A rule that holds back a share of the training photos for validation.
///
/// Each photo is decided alone, by a hash of the seed and of its path within `train`. So the same photo lands in
/// the same part on every machine, and adding or removing photos moves no other. The price is that the share
/// holds only on average, and so does each class's part in it. Two exceptions keep a part of every class on both sides:
/// a class of two photos or more has at least one held back, the first in the order of the hash, and every class keeps at
/// least one to learn from, the last. They depend on the photos of the class, on no other.
///
/// Paths are hashed in Unicode's normal form C, so that a copy of the data set made on macOS is split alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValidSplit {
    /// The share to hold back, at least 0 and less than 1.
    pub fraction: f64,
    /// Another seed holds back other photos.
    pub seed: u64,
}

impl Default for ValidSplit {
    /// One tenth, seed 0.
    fn default() -> ValidSplit {
        ValidSplit { fraction: 0.1, seed: 0 }
    }
}

impl ValidSplit {
    /// Refuses a fraction that is no share, or that leaves nothing to train on.
    ///
    /// # Errors
    /// [`DatasetError::Fraction`].
    pub fn validate(&self) -> Result<(), DatasetError> {
        let fraction = self.fraction;
        if (0.0..1.0).contains(&fraction) { Ok(()) } else { Err(DatasetError::Fraction { fraction }) }
    }

    /// Whether the photo at this path (from `train`, `/` between folders) is held back for validation, exceptions for small
    /// classes aside.
    pub fn holds_back(&self, relative_path: &str) -> bool {
        self.position(relative_path) < self.fraction
    }

    /// The photo's place in 0..1, evenly spread over all photos. The photos below `fraction` are held back, so a
    /// greater fraction holds back the same photos and more.
    pub(crate) fn position(&self, relative_path: &str) -> f64 {
        let mut hasher = blake3::Hasher::new_derive_key("cairn-dataset 2026 validation split");
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(nfc(relative_path).as_bytes());
        let mut word = [0; 8];
        hasher.finalize_xof().fill(&mut word);
        // The upper 53 bits, as many as an f64 holds exactly.
        (u64::from_le_bytes(word) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("{:02}.Class/photo_{i}.jpg", i % 30)).collect()
    }

    #[test]
    fn a_photo_stays_on_the_side_of_the_split_that_it_has_always_been_on() {
        // Values made by tests/split_reference.py.
        let expected = [
            ("12.Eiffel_Tower/0.jpg", 0.037954),
            ("12.Eiffel_Tower/1.jpg", 0.647675),
            ("12.Eiffel_Tower/2.jpg", 0.221769),
            ("12.Eiffel_Tower/3.jpg", 0.153841),
            ("12.Eiffel_Tower/4.jpg", 0.097425),
            ("12.Eiffel_Tower/5.jpg", 0.405975),
            ("été/nuit/1.png", 0.286517),
            // The same name as macOS writes it.
            ("e\u{301}te\u{301}/nuit/1.png", 0.286517),
        ];
        for (path, position) in expected {
            let found = ValidSplit::default().position(path);
            assert!((found - position).abs() < 1e-6, "{path}: {found}, expected {position}");
            assert_eq!(ValidSplit::default().holds_back(path), position < 0.1, "{path}");
        }
    }

    #[test]
    fn the_share_held_back_is_near_the_fraction() {
        for fraction in [0.05, 0.1, 0.3] {
            let split = ValidSplit { fraction, seed: 3 };
            let held = paths(20_000).iter().filter(|path| split.holds_back(path)).count() as f64;
            // Five standard deviations of a binomial count.
            let tolerance = 5.0 * (20_000.0 * fraction * (1.0 - fraction)).sqrt();
            assert!((held - 20_000.0 * fraction).abs() < tolerance, "held {held} at fraction {fraction}");
        }
    }

    #[test]
    fn another_seed_holds_back_other_photos() {
        let held = |seed| -> Vec<String> {
            let split = ValidSplit { fraction: 0.1, seed };
            paths(1000).into_iter().filter(|path| split.holds_back(path)).collect()
        };
        assert_eq!(held(1), held(1));
        assert_ne!(held(1), held(2));
    }

    #[test]
    fn a_fraction_outside_zero_to_one_is_refused() {
        for fraction in [-0.1, 1.0, 1.5, f64::NAN] {
            assert!(ValidSplit { fraction, seed: 0 }.validate().is_err(), "fraction {fraction}");
        }
        assert!(ValidSplit { fraction: 0.0, seed: 0 }.validate().is_ok());
    }

    proptest! {
        #[test]
        fn a_greater_fraction_keeps_every_photo_that_a_smaller_one_held_back(
            path in ".*", seed: u64, a in 0.0..1.0, b in 0.0..1.0,
        ) {
            let at = |fraction: f64| ValidSplit { fraction, seed }.holds_back(&path);
            prop_assert!(!at(f64::min(a, b)) || at(f64::max(a, b)));
        }
    }
}
