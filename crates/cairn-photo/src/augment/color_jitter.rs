//! Random changes of light and colour.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// How far each property may move; zero leaves it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorJitterStrength {
    /// Factors are drawn from 1 - `brightness` (at least 0) to 1 + `brightness`.
    pub brightness: f32,
    /// Likewise for contrast.
    pub contrast: f32,
    /// Likewise for saturation.
    pub saturation: f32,
    /// Shifts are drawn from -`hue` to `hue`, in turns of the colour circle; at most 0.5.
    pub hue: f32,
}

/// One change of light or colour, as in torchvision's functions of these names on Pillow images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColorAdjustment {
    /// Blend with black: 0 is black, 1 the photo itself.
    Brightness(f32),
    /// Blend with the photo's mean grey: 0 is that grey, 1 the photo itself.
    Contrast(f32),
    /// Blend with the photo's greyscale version: 0 is greyscale, 1 the photo itself.
    Saturation(f32),
    /// Turn of the colour circle, -0.5 to 0.5.
    Hue(f32),
}

/// Changes of light and colour, in the order in which they are made: torchvision's `ColorJitter`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColorJitter {
    /// The changes; at most one of each kind.
    pub adjustments: Vec<ColorAdjustment>,
}

impl ColorJitter {
    /// Draws a factor for each property that may move, and an order.
    pub fn sample(strength: &ColorJitterStrength, rng: &mut impl Rng) -> ColorJitter {
        let ColorJitterStrength { brightness, contrast, saturation, hue } = *strength;
        let mut adjustments = Vec::with_capacity(4);
        for (strength, adjustment) in [
            (brightness, ColorAdjustment::Brightness as fn(f32) -> ColorAdjustment),
            (contrast, ColorAdjustment::Contrast),
            (saturation, ColorAdjustment::Saturation),
        ] {
            if strength > 0.0 {
                adjustments.push(adjustment(rng.random_range((1.0 - strength).max(0.0)..=1.0 + strength)));
            }
        }
        if hue > 0.0 {
            adjustments.push(ColorAdjustment::Hue(rng.random_range(-hue..=hue)));
        }
        adjustments.shuffle(rng);
        ColorJitter { adjustments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::ChaCha8Rng;
    use rand::SeedableRng;

    #[test]
    fn factors_keep_to_their_ranges_and_come_in_every_order() {
        let strength = ColorJitterStrength { brightness: 0.2, contrast: 2.0, saturation: 0.3, hue: 0.1 };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut orders = std::collections::HashSet::new();
        for _ in 0..1000 {
            let jitter = ColorJitter::sample(&strength, &mut rng);
            for adjustment in &jitter.adjustments {
                let (value, range) = match *adjustment {
                    ColorAdjustment::Brightness(factor) => (factor, 0.8..=1.2),
                    ColorAdjustment::Contrast(factor) => (factor, 0.0..=3.0),
                    ColorAdjustment::Saturation(factor) => (factor, 0.7..=1.3),
                    ColorAdjustment::Hue(turns) => (turns, -0.1..=0.1),
                };
                assert!(range.contains(&value), "{adjustment:?}");
            }
            orders.insert(jitter.adjustments.iter().map(std::mem::discriminant).collect::<Vec<_>>());
        }
        assert_eq!(orders.len(), 24);
    }

    #[test]
    fn what_may_not_move_is_left_out() {
        let strength = ColorJitterStrength { saturation: 0.5, ..Default::default() };
        let jitter = ColorJitter::sample(&strength, &mut ChaCha8Rng::seed_from_u64(0));
        assert!(matches!(jitter.adjustments[..], [ColorAdjustment::Saturation(_)]), "{jitter:?}");
    }
}
