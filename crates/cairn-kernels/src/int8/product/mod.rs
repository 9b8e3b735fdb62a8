//! The register-blocked product of bytes: some pixels times a panel of output channels, to the levels of the output.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod body;
mod portable;
mod tile;

pub(super) use tile::{MAX_ROWS, Products, Tile};

use super::dot::Dot;

/// The products of an instruction set.
///
/// # Panics
/// When the machine lacks it. So those that this returns may be run.
pub(super) fn products(dot: Dot) -> &'static Products {
    dot.require();
    match dot {
        #[cfg(target_arch = "x86_64")]
        Dot::Avx512Vnni => &avx512::AVX512_VNNI,
        #[cfg(target_arch = "x86_64")]
        Dot::AvxVnni => &avx2::AVX_VNNI,
        #[cfg(target_arch = "x86_64")]
        Dot::Avx2 => &avx2::AVX2,
        #[cfg(not(target_arch = "x86_64"))]
        Dot::Avx512Vnni | Dot::AvxVnni | Dot::Avx2 => unreachable!("{dot:?} is not available"),
        Dot::Portable => &portable::PORTABLE,
    }
}
