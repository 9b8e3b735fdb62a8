//! Whether this process may use the tile unit.

use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

/// Whether the processor has AMX-TILE and AMX-BF16 and the operating system lets this process use them. Asks the
/// system once; what it grants holds for all threads of the process.
pub(super) fn granted() -> bool {
    static GRANTED: OnceLock<bool> = OnceLock::new();
    *GRANTED.get_or_init(|| processor_has_it() && system_grants_it())
}

/// CPUID, leaf 7: bit 22 of EDX is AMX-BF16, bit 24 AMX-TILE.
fn processor_has_it() -> bool {
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    let highest_leaf = __cpuid_count(0, 0).eax;
    let both = AMX_BF16 | AMX_TILE;
    highest_leaf >= 7 && __cpuid_count(7, 0).edx & both == both
}

/// The tile registers are 8 KiB that Linux saves only for processes that have asked for them
/// (`Documentation/arch/x86/xstate.rst` of the kernel); without, the first use of a tile ends the process.
#[cfg(target_os = "linux")]
fn system_grants_it() -> bool {
    const ARCH_PRCTL: usize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const XFEATURE_XTILEDATA: usize = 18;
    let result: isize;
    // SAFETY: a system call that touches none of this process' memory; the kernel keeps all registers but these.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Other systems have other ways, which nobody has tried.
#[cfg(not(target_os = "linux"))]
fn system_grants_it() -> bool {
    false
}
