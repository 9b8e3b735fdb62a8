//! Policies that pick changes at random: RandAugment (Cubuk et al. 2019, <https://arxiv.org/abs/1909.13719>) and
//! TrivialAugment (Müller and Hutter 2021, <https://arxiv.org/abs/2103.10158>), in torchvision's operations and magnitudes.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

use super::{Affine, Change, ColorAdjustment};

/// A kind of change whose strength is a magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Nothing.
    Identity,
    /// Rows shifted against each other; the magnitude is the shift of each row, in pixels.
    ShearX,
    /// Columns likewise.
    ShearY,
    /// Shifted to the right, in pixels.
    TranslateX,
    /// Shifted downwards, in pixels.
    TranslateY,
    /// Turned counterclockwise, in degrees.
    Rotate,
    /// [`ColorAdjustment::Brightness`] of 1 + magnitude.
    Brightness,
    /// [`ColorAdjustment::Saturation`] of 1 + magnitude.
    Color,
    /// [`ColorAdjustment::Contrast`] of 1 + magnitude.
    Contrast,
    /// [`Change::Sharpness`] of 1 + magnitude.
    Sharpness,
    /// [`Change::Posterize`] to this number of bits.
    Posterize,
    /// [`Change::Solarize`] from so high a level on.
    Solarize,
    /// [`Change::AutoContrast`].
    AutoContrast,
    /// [`Change::Equalize`].
    Equalize,
}

impl Operation {
    /// All, in torchvision's order.
    pub const ALL: [Operation; 14] = [
        Operation::Identity,
        Operation::ShearX,
        Operation::ShearY,
        Operation::TranslateX,
        Operation::TranslateY,
        Operation::Rotate,
        Operation::Brightness,
        Operation::Color,
        Operation::Contrast,
        Operation::Sharpness,
        Operation::Posterize,
        Operation::Solarize,
        Operation::AutoContrast,
        Operation::Equalize,
    ];

    /// The change of this kind and magnitude; `None` where nothing changes.
    pub fn change(self, magnitude: f32) -> Option<Change> {
        let affine = |affine| Some(Change::Affine(affine));
        let color = |adjustment: fn(f32) -> ColorAdjustment| Some(Change::Color(adjustment(1.0 + magnitude)));
        let angle = f64::from(magnitude).atan().to_degrees();
        let corner = Some([0.0, 0.0]);
        match self {
            Operation::Identity => None,
            Operation::ShearX => affine(Affine { shear: [angle, 0.0], center: corner, ..Affine::IDENTITY }),
            Operation::ShearY => affine(Affine { shear: [0.0, angle], center: corner, ..Affine::IDENTITY }),
            Operation::TranslateX => affine(Affine { translate: [magnitude as i32, 0], ..Affine::IDENTITY }),
            Operation::TranslateY => affine(Affine { translate: [0, magnitude as i32], ..Affine::IDENTITY }),
            Operation::Rotate => affine(Affine::rotation(magnitude.into())),
            Operation::Brightness => color(ColorAdjustment::Brightness),
            Operation::Color => color(ColorAdjustment::Saturation),
            Operation::Contrast => color(ColorAdjustment::Contrast),
            Operation::Sharpness => Some(Change::Sharpness(1.0 + magnitude)),
            Operation::Posterize => Some(Change::Posterize { bits: magnitude as u32 }),
            Operation::Solarize => Some(Change::Solarize { threshold: magnitude }),
            Operation::AutoContrast => Some(Change::AutoContrast),
            Operation::Equalize => Some(Change::Equalize),
        }
    }

    /// Whether a magnitude may as well be negative.
    fn is_signed(self) -> bool {
        use Operation::{
            Brightness, Color, Contrast, Rotate, Sharpness, ShearX, ShearY, TranslateX, TranslateY,
        };
        matches!(
            self,
            ShearX | ShearY | TranslateX | TranslateY | Rotate | Brightness | Color | Contrast | Sharpness
        )
    }
}

/// The greatest magnitudes of a policy.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Greatest {
    shear: f32,
    translate: [f32; 2],
    degrees: f32,
    /// Of brightness, color, contrast and sharpness.
    factor: f32,
    /// How many of the eight bits `Posterize` drops.
    bits: u32,
}

impl Greatest {
    /// Magnitude number `bin` of `bins`, evenly spaced from nothing to the greatest.
    fn magnitude(&self, operation: Operation, bin: u32, bins: u32) -> f32 {
        let share = bin as f32 / (bins - 1) as f32;
        match operation {
            Operation::Identity | Operation::AutoContrast | Operation::Equalize => 0.0,
            Operation::ShearX | Operation::ShearY => self.shear * share,
            Operation::TranslateX => self.translate[0] * share,
            Operation::TranslateY => self.translate[1] * share,
            Operation::Rotate => self.degrees * share,
            Operation::Brightness | Operation::Color | Operation::Contrast | Operation::Sharpness => {
                self.factor * share
            }
            Operation::Posterize => 8.0 - (self.bits as f32 * share).round_ties_even(),
            Operation::Solarize => 255.0 - 255.0 * share,
        }
    }

    fn draw(&self, bins: u32, bin: impl FnOnce(&mut dyn Rng) -> u32, rng: &mut impl Rng) -> Option<Change> {
        let operation = Operation::ALL.choose(rng).copied().unwrap_or(Operation::Identity);
        let magnitude = self.magnitude(operation, bin(rng), bins);
        let negative = operation.is_signed() && rng.random();
        operation.change(if negative { -magnitude } else { magnitude })
    }
}

/// Draws what torchvision's `RandAugment` does to a photo of `width` x `height`.
pub(super) fn rand_augment(
    num_ops: u32,
    magnitude: u32,
    bins: u32,
    [width, height]: [u32; 2],
    rng: &mut impl Rng,
) -> Vec<Change> {
    let translate = [width, height].map(|side| 150.0 / 331.0 * side as f32);
    let greatest = Greatest { shear: 0.3, translate, degrees: 30.0, factor: 0.9, bits: 4 };
    (0..num_ops).filter_map(|_| greatest.draw(bins, |_| magnitude, rng)).collect()
}

/// Draws what torchvision's `TrivialAugmentWide` does to a photo.
pub(super) fn trivial_augment_wide(bins: u32, rng: &mut impl Rng) -> Vec<Change> {
    let greatest = Greatest { shear: 0.99, translate: [32.0; 2], degrees: 135.0, factor: 0.99, bits: 6 };
    greatest.draw(bins, |rng| rng.random_range(0..bins), rng).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    /// Values of torchvision 0.26: `RandAugment()._augmentation_space(31, (224, 300))` at 9, `TrivialAugmentWide`
    /// likewise at 20.
    #[test]
    fn magnitudes_are_torchvisions() {
        let translate = [300.0, 224.0].map(|side: f32| 150.0 / 331.0 * side);
        let moderate = Greatest { shear: 0.3, translate, degrees: 30.0, factor: 0.9, bits: 4 };
        let wide = Greatest { shear: 0.99, translate: [32.0; 2], degrees: 135.0, factor: 0.99, bits: 6 };
        let expected = [
            (Operation::ShearX, 0.09, 0.66),
            (Operation::TranslateX, 40.785_5, 21.333_33),
            (Operation::TranslateY, 30.453_17, 21.333_33),
            (Operation::Rotate, 9.0, 90.0),
            (Operation::Sharpness, 0.27, 0.66),
            (Operation::Posterize, 7.0, 4.0),
            (Operation::Solarize, 178.5, 85.0),
        ];
        for (operation, at_nine, at_twenty) in expected {
            let close = |found: f32, expected: f32| (found - expected).abs() < 1e-4 * expected;
            let found = (moderate.magnitude(operation, 9, 31), wide.magnitude(operation, 20, 31));
            assert!(close(found.0, at_nine) && close(found.1, at_twenty), "{operation:?}: {found:?}");
        }
    }

    #[test]
    fn every_operation_comes_up_with_either_sign() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let drawn: Vec<Change> =
            (0..2000).flat_map(|_| rand_augment(2, 9, 31, [224, 224], &mut rng)).collect();
        // All but the identity, which is one in fourteen: 4000 * 13 / 14, within five standard deviations.
        assert!(drawn.len().abs_diff(3714) < 82, "{}", drawn.len());
        for operation in Operation::ALL {
            let magnitude = Greatest {
                shear: 0.3,
                translate: [150.0 / 331.0 * 224.0; 2],
                degrees: 30.0,
                factor: 0.9,
                bits: 4,
            }
            .magnitude(operation, 9, 31);
            for sign in [1.0, if operation.is_signed() { -1.0 } else { 1.0 }] {
                let Some(change) = operation.change(sign * magnitude) else { continue };
                assert!(drawn.contains(&change), "{operation:?} by {}", sign * magnitude);
            }
        }
    }
}
