//! The number types that there are microkernels for.

use half::bf16;

use super::Microkernels;
use super::amx::UnitKind;
use crate::aligned::Number;
use crate::isa::Isa;

/// A number type that there are microkernels for.
///
/// Public in a private module: no other crate can name it, nor its types.
pub trait TileElement: Number {
    /// How many elements make one 32-bit word.
    const PER_WORD: usize;

    /// The microkernels for maps of this type.
    fn microkernels(isa: Isa) -> &'static Microkernels;

    /// The tile unit for dense convolutions of maps of this type, where the set has one.
    fn tile_unit(isa: Isa) -> Option<UnitKind>;

    /// The values, where the type is bf16.
    fn as_bf16(values: &[Self]) -> Option<&[bf16]>;

    /// An address of values, where the type is bf16.
    fn bf16_address(values: *mut Self) -> Option<*mut bf16>;

    /// The values to be written, where the type is bf16.
    fn as_bf16_mut(values: &mut [Self]) -> Option<&mut [bf16]>;
}

impl TileElement for f32 {
    const PER_WORD: usize = 1;

    fn microkernels(isa: Isa) -> &'static Microkernels {
        Microkernels::for_f32(isa)
    }

    fn tile_unit(_: Isa) -> Option<UnitKind> {
        None
    }

    fn as_bf16(_: &[Self]) -> Option<&[bf16]> {
        None
    }

    fn bf16_address(_: *mut Self) -> Option<*mut bf16> {
        None
    }

    fn as_bf16_mut(_: &mut [Self]) -> Option<&mut [bf16]> {
        None
    }
}

impl TileElement for bf16 {
    const PER_WORD: usize = 2;

    fn microkernels(isa: Isa) -> &'static Microkernels {
        Microkernels::for_bf16(isa)
    }

    fn tile_unit(isa: Isa) -> Option<UnitKind> {
        isa.tile_unit()
    }

    fn as_bf16(values: &[Self]) -> Option<&[bf16]> {
        Some(values)
    }

    fn bf16_address(values: *mut Self) -> Option<*mut bf16> {
        Some(values)
    }

    fn as_bf16_mut(values: &mut [Self]) -> Option<&mut [bf16]> {
        Some(values)
    }
}
