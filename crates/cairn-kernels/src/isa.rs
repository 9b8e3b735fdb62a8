//! The instruction set that the kernels run on, chosen at run time.

use std::sync::OnceLock;

use thiserror::Error;

#[cfg(target_arch = "x86_64")]
use crate::microkernel::amx;
use crate::microkernel::amx::UnitKind;

/// An instruction set that the kernels have code for, from the most to the least capable.
///
/// Functions of this crate take the `Isa` as an argument, so that one process can run and test every set of the machine.
/// [`Isa::best`] is the fastest. The functions panic when the machine lacks the set.
///
/// [`Isa::Amx`] changes dense convolutions of bf16 maps alone. Everything else runs the code of [`Isa::Avx512Bf16`],
/// which every machine with AMX has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// AMX-BF16: the tile unit, on Linux, and all of [`Isa::Avx512Bf16`].
    Amx,
    /// AVX-512 (F, BW, DQ, VL) with the bf16 dot product `VDPBF16PS`.
    Avx512Bf16,
    /// AVX-512 (F, BW, DQ, VL).
    Avx512,
    /// AVX2 with FMA.
    Avx2,
    /// NEON of 64-bit Arm with the bf16 dot product `BFDOT` (part of Armv8.6).
    NeonBf16,
    /// NEON, which every 64-bit Arm has.
    Neon,
    /// Plain Rust, for every other machine.
    Portable,
    /// The code of [`Isa::Amx`] on a model of the tile unit in plain Rust, and [`Isa::Portable`] for the rest. For tests
    /// on machines without the unit; too slow for anything else. No list has it, and `CAIRN_ISA` cannot choose it.
    AmxModel,
}

/// `CAIRN_ISA` names an instruction set that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IsaError {
    /// The name is unknown.
    #[error(
        "CAIRN_ISA={0}: unknown instruction set; use amx, avx512, avx2, neon or portable, or leave it unset"
    )]
    Unknown(String),
    /// The machine lacks the instructions.
    #[error(
        "CAIRN_ISA={0}: this machine does not have these instructions; leave it unset to use the best it has"
    )]
    Missing(String),
}

impl Isa {
    /// All sets that programs may choose, best first.
    pub const ALL: [Self; 7] =
        [Self::Amx, Self::Avx512Bf16, Self::Avx512, Self::Avx2, Self::NeonBf16, Self::Neon, Self::Portable];

    /// The best set of this machine, or the one that the environment variable `CAIRN_ISA` names.
    ///
    /// A wrong value of `CAIRN_ISA` counts as unset here. Programs check it at their start with [`Isa::from_environment`]
    /// and tell the user.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| Self::from_environment().unwrap_or_else(|_| Self::best_of_machine()))
    }

    /// The set that `CAIRN_ISA` names, or the best of this machine when it is unset.
    ///
    /// # Errors
    /// When the name is unknown, or the machine lacks the set.
    pub fn from_environment() -> Result<Self, IsaError> {
        match std::env::var("CAIRN_ISA") {
            Ok(name) if !name.is_empty() => Self::by_name(&name),
            _ => Ok(Self::best_of_machine()),
        }
    }

    fn by_name(name: &str) -> Result<Self, IsaError> {
        let candidates: &[Self] = match name.to_ascii_lowercase().as_str() {
            "amx" => &[Self::Amx],
            "avx512" => &[Self::Avx512Bf16, Self::Avx512],
            "avx2" => &[Self::Avx2],
            "neon" => &[Self::NeonBf16, Self::Neon],
            "portable" => &[Self::Portable],
            _ => return Err(IsaError::Unknown(name.to_owned())),
        };
        let found = candidates.iter().copied().find(|isa| isa.is_available());
        found.ok_or_else(|| IsaError::Missing(name.to_owned()))
    }

    fn best_of_machine() -> Self {
        Self::available().next().unwrap_or(Self::Portable)
    }

    /// The sets that this machine has, best first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// Whether this machine has the set.
    pub fn is_available(self) -> bool {
        static AVAILABLE: OnceLock<[bool; Isa::ALL.len()]> = OnceLock::new();
        self == Self::AmxModel || AVAILABLE.get_or_init(|| Self::ALL.map(Self::detect))[self as usize]
    }

    /// Panics unless this machine has the set. All code for the set relies on this check.
    #[track_caller]
    pub(crate) fn require(self) {
        assert!(self.is_available(), "this machine has no {}; use Isa::best or Isa::available", self.name());
    }

    #[cfg(target_arch = "x86_64")]
    fn detect(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        let avx512_bf16 = avx512 && is_x86_feature_detected!("avx512bf16");
        match self {
            Self::Amx => avx512_bf16 && amx::is_detected(),
            Self::Avx512Bf16 => avx512_bf16,
            Self::Avx512 => avx512,
            Self::Avx2 => avx2,
            Self::NeonBf16 | Self::Neon => false,
            Self::Portable | Self::AmxModel => true,
        }
    }

    #[cfg(target_arch = "aarch64")]
    fn detect(self) -> bool {
        match self {
            Self::NeonBf16 => std::arch::is_aarch64_feature_detected!("bf16"),
            Self::Neon | Self::Portable | Self::AmxModel => true,
            Self::Amx | Self::Avx512Bf16 | Self::Avx512 | Self::Avx2 => false,
        }
    }

    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    fn detect(self) -> bool {
        matches!(self, Self::Portable | Self::AmxModel)
    }

    /// Whether maps may be bf16: only where the hardware multiplies them faster than f32.
    pub fn has_bf16(self) -> bool {
        matches!(self, Self::Amx | Self::Avx512Bf16 | Self::NeonBf16 | Self::AmxModel)
    }

    /// The set whose vector instructions are used: never [`Isa::Amx`] or its model.
    pub(crate) fn vectors(self) -> Self {
        match self {
            Self::Amx => Self::Avx512Bf16,
            Self::AmxModel => Self::Portable,
            other => other,
        }
    }

    /// The tile unit that the set has for dense convolutions of bf16 maps.
    ///
    /// The first call for [`Isa::Amx`] asks the system to let this process use the unit's registers. If the system
    /// refuses, there is no unit, and the set's vector instructions do all the work.
    ///
    /// # Panics
    /// When the machine lacks the set. So a unit that this returns may be used.
    pub(crate) fn tile_unit(self) -> Option<UnitKind> {
        self.require();
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Amx => amx::is_granted().then_some(UnitKind::Hardware),
            Self::AmxModel => Some(UnitKind::Model),
            _ => None,
        }
    }

    /// The set's name for logs and run records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amx => "amx",
            Self::Avx512Bf16 => "avx512-bf16",
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::NeonBf16 => "neon-bf16",
            Self::Neon => "neon",
            Self::Portable => "portable",
            Self::AmxModel => "model of amx",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_set_is_always_there_and_always_last() {
        assert_eq!(Isa::available().last(), Some(Isa::Portable));
    }

    #[cfg(target_arch = "aarch64")]
    #[test]
    fn every_64_bit_arm_has_neon_and_some_have_its_bf16_products() {
        assert!(Isa::Neon.is_available());
        if !Isa::NeonBf16.is_available() {
            cairn_reference::skip(cairn_reference::Need::Bf16, "this processor has no BFDOT");
        }
    }

    #[test]
    fn sets_stand_in_the_order_of_their_list() {
        assert!(Isa::ALL.into_iter().enumerate().all(|(index, isa)| isa as usize == index));
    }

    #[test]
    fn the_best_set_is_the_first_that_is_available() {
        assert_eq!(Some(Isa::best_of_machine()), Isa::available().next());
    }

    #[test]
    fn a_name_gives_a_set_that_the_machine_has_or_says_what_to_do() {
        assert_eq!(Isa::by_name("Portable"), Ok(Isa::Portable));
        let unknown = Isa::by_name("mmx").unwrap_err();
        assert!(unknown.to_string().contains("use amx, avx512, avx2, neon or portable"), "{unknown}");
        for name in ["amx", "avx512", "avx2", "neon"] {
            match Isa::by_name(name) {
                Ok(isa) => assert!(isa.is_available()),
                Err(error) => assert_eq!(error, IsaError::Missing(name.to_owned())),
            }
        }
    }
}
