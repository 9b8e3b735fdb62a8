//! Whether the processor has the tile unit, and whether this process may use it.

use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

/// What the processor says of itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Processor {
    /// CPUID, leaf 1, ECX: bit 27 says that the system has turned on XSAVE, and that there is an XCR0.
    leaf_1_ecx: u32,
    /// CPUID, leaf 7, EDX: bit 22 is AMX-BF16, bit 24 AMX-TILE.
    leaf_7_edx: u32,
    /// The register XCR0, where there is one: what of the registers the system saves. Bits 17 and 18 are the tiles'.
    xcr0: u64,
}

impl Processor {
    const OSXSAVE: u32 = 1 << 27;
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    const XTILECFG: u64 = 1 << 17;
    const XTILEDATA: u64 = 1 << 18;

    /// The processor that this runs on; `None` where none can be asked.
    pub(super) fn this() -> Option<Self> {
        if cfg!(miri) || __cpuid(0).eax < 7 {
            return None;
        }
        let (leaf_1_ecx, leaf_7_edx) = (__cpuid(1).ecx, __cpuid_count(7, 0).edx);
        let has_xcr0 = leaf_1_ecx & Self::OSXSAVE != 0;
        // SAFETY: XGETBV is there where OSXSAVE is set, and register 0 always.
        let xcr0 = if has_xcr0 { unsafe { xcr0() } } else { 0 };
        Some(Self { leaf_1_ecx, leaf_7_edx, xcr0 })
    }

    /// Whether it has AMX-TILE and AMX-BF16, and the system saves their registers.
    pub(super) fn has_tiles(self) -> bool {
        let has = |bits: u32, flags: u32| bits & flags == flags;
        has(self.leaf_1_ecx, Self::OSXSAVE)
            && has(self.leaf_7_edx, Self::AMX_BF16 | Self::AMX_TILE)
            && self.xcr0 & (Self::XTILECFG | Self::XTILEDATA) == Self::XTILECFG | Self::XTILEDATA
    }
}

#[target_feature(enable = "xsave")]
fn xcr0() -> u64 {
    // SAFETY: register 0 is there wherever XSAVE is.
    unsafe { _xgetbv(0) }
}

/// Whether the system lets this process use the tile registers. Asks once; what it grants holds for all threads.
///
/// The registers are 8 KiB that Linux saves only for processes that have asked for them
/// (`Documentation/arch/x86/xstate.rst` of the kernel). Without, the first use of a tile ends the process.
#[cfg(target_os = "linux")]
pub(super) fn granted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_ulong = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_ulong = 18;
    static GRANTED: OnceLock<bool> = OnceLock::new();
    *GRANTED.get_or_init(|| {
        // SAFETY: a system call that touches none of this process' memory.
        unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
    })
}

/// Other systems have other ways, which are untested.
#[cfg(not(target_os = "linux"))]
pub(super) fn granted() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_need_the_processor_and_the_system() {
        let sapphire_rapids = Processor { leaf_1_ecx: 0x7ffe_fbff, leaf_7_edx: 0xffdd_4432, xcr0: 0x602e7 };
        assert!(sapphire_rapids.has_tiles());
        for without in [
            Processor { leaf_1_ecx: 0x77fe_fbff, ..sapphire_rapids },
            Processor { leaf_7_edx: 0xff9d_4432, ..sapphire_rapids },
            Processor { leaf_7_edx: 0xfedd_4432, ..sapphire_rapids },
            Processor { xcr0: 0x202e7, ..sapphire_rapids },
            Processor { xcr0: 0x402e7, ..sapphire_rapids },
            Processor { xcr0: 0x2e7, ..sapphire_rapids },
            Processor::default(),
        ] {
            assert!(!without.has_tiles(), "{without:x?}");
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", not(miri)))]
    fn the_processor_and_the_system_tell_the_same() {
        let flags = std::fs::read_to_string("/proc/cpuinfo").unwrap();
        let flags: Vec<&str> =
            flags.lines().find(|line| line.starts_with("flags")).unwrap().split(' ').collect();
        let expected = ["amx_tile", "amx_bf16"].into_iter().all(|flag| flags.contains(&flag));
        assert_eq!(Processor::this().is_some_and(Processor::has_tiles), expected);
    }
}
