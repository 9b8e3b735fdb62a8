//! What the levels of a map mean.

/// What the levels of a map mean: `(level - zero_point) * scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantisation {
    /// From one level to the next.
    pub scale: f32,
    /// The level that means zero. Zero itself is exact, so that padding adds no error.
    pub zero_point: u8,
}

impl Quantisation {
    /// The 256 levels that reach from `low` to `high`, widened to hold zero.
    pub fn of_range(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (high - low) / 255.0;
        // Of zeros alone, or of numbers so small that their scale is none.
        if !(scale.is_normal() && scale.recip().is_normal()) {
            return Self { scale: 1.0, zero_point: 0 };
        }
        Self { scale, zero_point: (-low / scale).round().clamp(0.0, 255.0) as u8 }
    }

    /// The value of a level.
    #[inline(always)]
    pub fn value(self, level: u8) -> f32 {
        (f32::from(level) - f32::from(self.zero_point)) * self.scale
    }

    /// The level nearest to a value.
    #[inline(always)]
    pub fn level(self, value: f32) -> u8 {
        level(value * (1.0 / self.scale) + f32::from(self.zero_point), 0.0, 255.0)
    }
}

/// A number clamped to bounds within 0 to 255 and rounded, ties to even, in operations that every instruction set has.
#[inline(always)]
pub(super) fn level(value: f32, low: f32, high: f32) -> u8 {
    /// A number so large that the last place of its mantissa is worth one: adding it rounds.
    const ROUND: f32 = 12_582_912.0;
    let raised = if value > low { value } else { low };
    let clamped = if raised < high { raised } else { high };
    (clamped + ROUND).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_round_to_even_and_end_at_their_bounds() {
        for (value, expected) in
            [(-3.0, 0), (0.5, 0), (0.500_1, 1), (1.5, 2), (2.5, 2), (254.5, 254), (255.4, 255), (1e30, 255)]
        {
            assert_eq!(level(value, 0.0, 255.0), expected, "{value}");
        }
        assert_eq!((level(3.0, 7.0, 9.0), level(300.0, 7.0, 9.0)), (7, 9));
    }

    #[test]
    fn zero_is_a_level_of_every_range_and_values_are_half_a_step_off_at_most() {
        for (low, high) in [(-1.0, 3.0), (0.0, 6.0), (-5.0, -2.0), (1.0, 2.0), (0.0, 0.0), (-1e-42, 1e-42)] {
            let quantisation = Quantisation::of_range(low, high);
            assert_eq!(quantisation.value(quantisation.zero_point), 0.0);
            for step in 0..=100 {
                let value = low + (high - low) * step as f32 / 100.0;
                let found = quantisation.value(quantisation.level(value));
                let allowed = if high - low < 1e-30 { 1.0 } else { quantisation.scale * 1.001 };
                assert!((found - value).abs() <= allowed, "{value} became {found} in {low}..{high}");
            }
        }
    }
}
