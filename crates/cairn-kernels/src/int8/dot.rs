//! Instructions that add products of bytes, chosen at run time.

use crate::isa::Isa;

/// How products of bytes are added: the instructions that convolutions of bytes run on, from the fastest to the slowest.
///
/// It is apart from [`Isa`] because processors have it apart: AVX-512 came without VNNI first, and VNNI came to processors
/// without AVX-512.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dot {
    /// `VPDPBUSD` on 512 bits: four products added to each of 16 sums.
    Avx512Vnni,
    /// `VPDPBUSD` on 256 bits, of processors without AVX-512.
    AvxVnni,
    /// `VPMADDWD` on bytes that were widened to 16 bits. (`VPMADDUBSW`, which takes bytes, clips sums of two.)
    Avx2,
    /// Plain Rust, for every other machine.
    Portable,
}

impl Dot {
    /// All of them, best first.
    pub const ALL: [Self; 4] = [Self::Avx512Vnni, Self::AvxVnni, Self::Avx2, Self::Portable];

    /// The best of this machine that goes with an instruction set.
    pub fn of(isa: Isa) -> Self {
        isa.require();
        let best_from = |first: usize| {
            Self::ALL[first..].iter().copied().find(|dot| dot.is_available()).unwrap_or(Self::Portable)
        };
        match isa.vectors() {
            Isa::Avx512Bf16 | Isa::Avx512 => best_from(0),
            Isa::Avx2 => best_from(1),
            _ => Self::Portable,
        }
    }

    /// Those that this machine has, best first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|dot| dot.is_available())
    }

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Avx512Vnni => Isa::Avx512.is_available() && is_x86_feature_detected!("avx512vnni"),
            Self::AvxVnni => Isa::Avx2.is_available() && is_x86_feature_detected!("avxvnni"),
            Self::Avx2 => Isa::Avx2.is_available(),
            Self::Portable => true,
        }
        #[cfg(not(target_arch = "x86_64"))]
        matches!(self, Self::Portable)
    }

    /// The instruction set of the plain loops that go with it.
    pub(crate) fn isa(self) -> Isa {
        match self {
            Self::Avx512Vnni => Isa::Avx512,
            Self::AvxVnni | Self::Avx2 => Isa::Avx2,
            Self::Portable => Isa::Portable,
        }
    }

    /// Panics unless this machine has it. All code for it relies on this check.
    #[track_caller]
    pub(super) fn require(self) {
        assert!(self.is_available(), "this machine has no {}; use Dot::of or Dot::available", self.name());
    }

    /// Its name for logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512Vnni => "avx512-vnni",
            Self::AvxVnni => "avx-vnni",
            Self::Avx2 => "avx2",
            Self::Portable => "portable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_the_machine_has_products_that_it_has_too() {
        assert_eq!(Dot::available().last(), Some(Dot::Portable));
        for isa in Isa::available() {
            let dot = Dot::of(isa);
            assert!(dot.is_available() && dot.isa().is_available(), "{isa:?}");
        }
        assert_eq!(Dot::of(Isa::Portable), Dot::Portable);
        assert_eq!(Dot::of(Isa::AmxModel), Dot::Portable);
    }
}
