//! The number types that feature maps are made of.

use half::bf16;

use crate::aligned::Number;
use crate::isa::Isa;
use crate::tile::TileKernels;
use crate::tile::amx::UnitKind;

/// A number type of feature maps: `f32` everywhere, [`bf16`] where [`Isa::has_bf16`] says so.
///
/// Whatever the maps are made of, sums are kept in f32, and weights, biases and statistics are f32 outside.
pub trait Element: Sealed + Copy + Send + Sync + std::fmt::Debug + 'static {
    /// Zero.
    const ZERO: Self;

    /// The value as f32, exactly.
    fn to_f32(self) -> f32;

    /// The nearest value of this type, ties to even; NaN stays NaN.
    fn from_f32(value: f32) -> Self;
}

/// What only this crate needs to know of an element type; it keeps [`Element`] to the two that the kernels know.
///
/// Public in a private module: no other crate can name it, nor its types.
pub trait Sealed: Number {
    /// How many elements make one 32-bit word.
    const PER_WORD: usize;

    /// The tile kernels for maps of this type.
    fn tile_kernels(isa: Isa) -> &'static TileKernels;

    /// The tile unit for dense convolutions of maps of this type, where the set has one.
    fn tile_unit(isa: Isa) -> Option<UnitKind>;
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

impl Sealed for f32 {
    const PER_WORD: usize = 1;

    fn tile_kernels(isa: Isa) -> &'static TileKernels {
        TileKernels::for_f32(isa)
    }

    fn tile_unit(_: Isa) -> Option<UnitKind> {
        None
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

impl Sealed for bf16 {
    const PER_WORD: usize = 2;

    fn tile_kernels(isa: Isa) -> &'static TileKernels {
        TileKernels::for_bf16(isa)
    }

    fn tile_unit(isa: Isa) -> Option<UnitKind> {
        isa.tile_unit()
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
