//! The register-blocked product of bytes: some pixels times a panel of output channels, to the levels of the output.

mod body;
mod portable;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

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
        Dot::Avx512Vnni => &x86::AVX512_VNNI,
        #[cfg(target_arch = "x86_64")]
        Dot::AvxVnni => &x86::AVX_VNNI,
        #[cfg(target_arch = "x86_64")]
        Dot::Avx2 => &x86::AVX2,
        #[cfg(not(target_arch = "x86_64"))]
        Dot::Avx512Vnni | Dot::AvxVnni | Dot::Avx2 => unreachable!("{dot:?} is not available"),
        Dot::Portable => &portable::PORTABLE,
    }
}
