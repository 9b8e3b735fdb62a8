//! Mixing the photos of a batch with each other: MixUp (Zhang et al. 2017, <https://arxiv.org/abs/1710.09412>) and
//! CutMix (Yun et al. 2019, <https://arxiv.org/abs/1905.04899>), as in torchvision's `v2.MixUp` and `v2.CutMix`.

use std::iter;

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution};
use serde::{Deserialize, Serialize};

use crate::{Batch, LoaderError, MixedLabels};

/// How the photos of a batch are mixed. Each photo is mixed with the one before it in the batch, the first with the last.
///
/// In TOML, `{ mix_up = { alpha = 0.2 } }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BatchMixing {
    /// Every pixel is the weighted mean of two photos' pixels.
    MixUp {
        /// The weight is drawn from a beta distribution of these two parameters, above 0: small for weights near 0 and 1.
        alpha: f64,
    },
    /// A rectangle is taken from the other photo.
    CutMix {
        /// The rectangle's share of the area is one less a weight that is drawn likewise.
        alpha: f64,
    },
    /// One of the two for each batch, either as often.
    MixUpOrCutMix {
        /// As of `mix_up`.
        mix_up_alpha: f64,
        /// As of `cut_mix`.
        cut_mix_alpha: f64,
    },
}

/// A rectangle of a photo: columns and rows from the first to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) columns: [usize; 2],
    pub(crate) rows: [usize; 2],
}

/// What is done to a batch, drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mix {
    /// With this weight of each photo's own pixels.
    Up(f32),
    /// With this patch from the other photo.
    Cut(Patch),
}

impl BatchMixing {
    /// Refuses parameters that are no beta distribution's.
    ///
    /// # Errors
    /// [`LoaderError::Mixing`].
    pub fn validate(&self) -> Result<(), LoaderError> {
        let alphas = match *self {
            BatchMixing::MixUp { alpha } | BatchMixing::CutMix { alpha } => [alpha, alpha],
            BatchMixing::MixUpOrCutMix { mix_up_alpha, cut_mix_alpha } => [mix_up_alpha, cut_mix_alpha],
        };
        match alphas.into_iter().find(|alpha| !(*alpha > 0.0 && alpha.is_finite())) {
            Some(alpha) => Err(LoaderError::Mixing { alpha }),
            None => Ok(()),
        }
    }

    /// Draws what is done to a batch of photos of this size.
    pub(crate) fn draw(&self, width: usize, height: usize, rng: &mut impl Rng) -> Mix {
        match *self {
            BatchMixing::MixUp { alpha } => Mix::Up(weight(alpha, rng) as f32),
            BatchMixing::CutMix { alpha } => Mix::Cut(Patch::draw(weight(alpha, rng), width, height, rng)),
            BatchMixing::MixUpOrCutMix { mix_up_alpha, cut_mix_alpha } => {
                let chosen = if rng.random() {
                    BatchMixing::MixUp { alpha: mix_up_alpha }
                } else {
                    BatchMixing::CutMix { alpha: cut_mix_alpha }
                };
                chosen.draw(width, height, rng)
            }
        }
    }
}

/// A draw from the beta distribution of `alpha` and `alpha`; a half where there is none, which validation rules out.
fn weight(alpha: f64, rng: &mut impl Rng) -> f64 {
    Beta::new(alpha, alpha).map_or(0.5, |beta| beta.sample(rng))
}

impl Patch {
    /// A patch about any pixel, of 1 - `weight` of the area where no edge cuts it off.
    fn draw(weight: f64, width: usize, height: usize, rng: &mut impl Rng) -> Patch {
        let half_side = 0.5 * (1.0 - weight).sqrt();
        let mut along = |side: usize| {
            let middle = rng.random_range(0..side);
            let half = (half_side * side as f64) as usize;
            [middle.saturating_sub(half), (middle + half).min(side)]
        };
        Patch { columns: along(width), rows: along(height) }
    }

    /// What is left of each photo, as a share of its area.
    fn weight_left(&self, width: usize, height: usize) -> f32 {
        let [columns, rows] = [self.columns, self.rows].map(|[first, end]| end - first);
        (1.0 - (columns * rows) as f64 / (width * height) as f64) as f32
    }
}

impl Mix {
    /// Mixes the photos of the batch, and says so in [`Batch::mixed_labels`].
    pub(crate) fn apply(self, batch: &mut Batch) {
        let (width, height) = (batch.width, batch.height);
        let Some(last) = batch.len().checked_sub(1) else { return };
        let partners = iter::once(last).chain(0..last).collect();
        let photo = 3 * width * height;
        let last = batch.pixels[batch.pixels.len() - photo..].to_vec();
        let mut rest = &mut *batch.pixels;
        // From the last to the first, so that each finds the one before it as it was.
        while rest.len() > photo {
            let (before, own) = rest.split_at_mut(rest.len() - photo);
            self.mix(own, &before[before.len() - photo..], width, height);
            rest = before;
        }
        self.mix(rest, &last, width, height);
        let weight = match self {
            Mix::Up(weight) => weight,
            Mix::Cut(patch) => patch.weight_left(width, height),
        };
        batch.mixed_labels = Some(MixedLabels { weight, partners });
    }

    fn mix(self, own: &mut [f32], other: &[f32], width: usize, height: usize) {
        match self {
            Mix::Up(weight) => {
                for (own, other) in own.iter_mut().zip(other) {
                    *own = *own * weight + other * (1.0 - weight);
                }
            }
            Mix::Cut(Patch { columns: [first, end], rows: [top, bottom] }) => {
                let planes = own.chunks_exact_mut(width * height).zip(other.chunks_exact(width * height));
                for (own, other) in planes {
                    for row in top..bottom {
                        let patch = row * width + first..row * width + end;
                        own[patch.clone()].copy_from_slice(&other[patch]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    use super::*;
    use crate::ClassId;

    /// Photos of 4 x 3 pixels, each value 1000 times the photo's number plus its place.
    fn batch(photos: usize) -> Batch {
        let pixels: Vec<f32> =
            (0..photos).flat_map(|photo| (0..36).map(move |at| (1000 * photo + at) as f32)).collect();
        Batch {
            number: 0,
            pixels: pixels.into(),
            labels: (0..photos).map(ClassId::new).collect(),
            examples: (0..photos).collect(),
            weights: vec![1.0; photos],
            height: 3,
            width: 4,
            views: 1,
            mixed_labels: None,
            bad: Vec::new(),
        }
    }

    /// torchvision: `inpt.roll(1, 0) * (1 - lam) + inpt * lam`.
    #[test]
    fn mixed_photos_are_weighted_means_with_the_one_before() {
        let mut mixed = batch(3);
        Mix::Up(0.75).apply(&mut mixed);
        for (photo, before) in [(0, 2), (1, 0), (2, 1)] {
            for at in 0..36 {
                let expected = 0.75 * (1000 * photo + at) as f32 + 0.25 * (1000 * before + at) as f32;
                assert_eq!(mixed.pixels[photo * 36 + at], expected);
            }
        }
        assert_eq!(mixed.mixed_labels.as_ref().unwrap().partners, [2, 0, 1]);
        assert_eq!(mixed.soft_labels(3), [0.75, 0.0, 0.25, 0.25, 0.75, 0.0, 0.0, 0.25, 0.75]);
        // The label of a photo counts as the photo does, wherever its pixels are.
        mixed.weights = vec![1.0, 0.5, 0.0];
        assert_eq!(mixed.soft_labels(3), [0.75, 0.0, 0.0, 0.25, 0.375, 0.0, 0.0, 0.125, 0.0]);
    }

    #[test]
    fn a_patch_comes_from_the_photo_before_and_counts_by_its_area() {
        let mut cut = batch(2);
        Mix::Cut(Patch { columns: [1, 3], rows: [0, 2] }).apply(&mut cut);
        for (photo, before) in [(0, 1), (1, 0)] {
            for at in 0..36 {
                let (x, y) = (at % 4, at % 12 / 4);
                let from = if (1..3).contains(&x) && y < 2 { before } else { photo };
                assert_eq!(cut.pixels[photo * 36 + at], (1000 * from + at) as f32, "photo {photo}, {x}, {y}");
            }
        }
        // 4 of 12 pixels.
        assert!((cut.mixed_labels.unwrap().weight - 8.0 / 12.0).abs() < 1e-6);
    }

    #[test]
    fn a_batch_of_one_photo_or_none_stays_as_it_is() {
        for photos in [0, 1] {
            for mix in [Mix::Up(0.3), Mix::Cut(Patch { columns: [0, 2], rows: [0, 3] })] {
                let mut mixed = batch(photos);
                mix.apply(&mut mixed);
                assert_eq!(mixed.pixels, batch(photos).pixels);
            }
        }
    }

    #[test]
    fn weights_are_drawn_from_the_beta_distribution() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let drawn: Vec<f64> = (0..4000).map(|_| weight(0.4, &mut rng)).collect();
        let mean = drawn.iter().sum::<f64>() / 4000.0;
        let variance = drawn.iter().map(|weight| (weight - mean).powi(2)).sum::<f64>() / 4000.0;
        // Mean 1 / 2 and variance 1 / (4 (2 alpha + 1)) = 0.1389; five standard errors of the mean are 0.03.
        assert!((mean - 0.5).abs() < 0.03 && (variance - 0.1389).abs() < 0.01, "{mean}, {variance}");
    }

    #[test]
    fn a_patch_has_the_area_that_was_drawn_where_no_edge_cuts_it_off() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for _ in 0..1000 {
            let weight = rng.random_range(0.0..1.0);
            let patch = Patch::draw(weight, 200, 100, &mut rng);
            assert!(patch.columns[1] <= 200 && patch.rows[1] <= 100);
            let left = f64::from(patch.weight_left(200, 100));
            // Sides are whole numbers of pixels, rounded down.
            assert!(left > weight - 1e-6, "{patch:?} leaves {left}, not {weight}");
            let [x, y] = [patch.columns, patch.rows];
            if x[0] > 0 && y[0] > 0 && x[1] < 200 && y[1] < 100 {
                assert!(left < weight + 0.03, "{patch:?} leaves {left}, not {weight}");
            }
        }
    }

    #[test]
    fn an_alpha_that_is_no_parameter_is_refused() {
        for alpha in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(BatchMixing::MixUp { alpha }.validate().is_err());
            assert!(
                BatchMixing::MixUpOrCutMix { mix_up_alpha: 1.0, cut_mix_alpha: alpha }.validate().is_err()
            );
        }
        assert!(BatchMixing::CutMix { alpha: 1.0 }.validate().is_ok());
    }
}
