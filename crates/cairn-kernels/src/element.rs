//! Number types of feature maps.

use half::bf16;

use crate::microkernel::TileElement;

/// A number type of feature maps: `f32` everywhere, [`bf16`] where [`Isa::has_bf16`](crate::Isa::has_bf16) says so.
///
/// Sums are kept in f32 whatever the type. Weights, biases and statistics are f32 outside of the kernels. There are no
/// other types: a private trait keeps [`Element`] to these two.
pub trait Element: TileElement + Copy + Send + Sync + std::fmt::Debug + 'static {
    /// Zero.
    const ZERO: Self;

    /// The value as f32, exactly.
    fn to_f32(self) -> f32;

    /// The nearest value of this type, ties to even; NaN stays NaN.
    fn from_f32(value: f32) -> Self;
}

impl Element for f32 {
    const ZERO: Self = 0.0;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }

    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        value
    }
}

impl Element for bf16 {
    const ZERO: Self = Self::ZERO;

    #[inline(always)]
    fn to_f32(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }

    /// Without a branch, so that loops over it vectorise.
    #[inline(always)]
    fn from_f32(value: f32) -> Self {
        let bits = value.to_bits();
        // Adding just under half of the last kept place rounds to nearest; the place's own bit breaks ties to even.
        let rounded = (bits.wrapping_add(0x7fff + ((bits >> 16) & 1))) >> 16;
        // A NaN whose payload sits in the low bits must not round to infinity: set the quiet bit instead.
        let quiet = (bits >> 16) | 0x40;
        Self::from_bits(if value.is_nan() { quiet } else { rounded } as u16)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rounding_agrees_with_the_half_crate_for_every_bit_pattern(bits: u32) {
            let value = f32::from_bits(bits);
            let ours = <bf16 as Element>::from_f32(value);
            prop_assert_eq!(ours.to_bits(), bf16::from_f32(value).to_bits());
        }

        #[test]
        fn every_bf16_survives_the_way_through_f32(bits: u16) {
            let value = bf16::from_bits(bits);
            let back = <bf16 as Element>::from_f32(Element::to_f32(value));
            prop_assert!(back.to_bits() == bits || (value.is_nan() && back.is_nan()));
        }
    }

    #[test]
    fn ties_round_to_even_and_overflow_to_infinity() {
        for (bits, expected) in [
            (0x3f80_8000, 0x3f80),
            (0x3f81_8000, 0x3f82),
            (0x3f80_8001, 0x3f81),
            (0x7f7f_ffff, 0x7f80),
            (0xff80_0000, 0xff80),
        ] {
            assert_eq!(<bf16 as Element>::from_f32(f32::from_bits(bits)).to_bits(), expected, "{bits:#x}");
        }
    }
}
