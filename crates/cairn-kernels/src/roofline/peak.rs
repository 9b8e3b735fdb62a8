//! Multiply-adds on registers alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use crate::{Element, Isa};

const REPEATS: usize = 20;

/// Multiply-adds of one run on one thread.
type Run = fn() -> usize;

/// Multiply-adds a second of all threads of the current rayon pool together, for maps of type `T`: the best of some runs.
///
/// # Panics
/// When the machine lacks the set.
pub fn multiply_adds_per_second<T: Element>(isa: Isa) -> f64 {
    isa.require();
    let run = run_of::<T>(isa);
    let threads = rayon::current_num_threads();
    let time = || {
        let start = Instant::now();
        let counts = (0..threads).into_par_iter().with_max_len(1).map(|_| run());
        let multiply_adds: usize = counts.sum();
        (multiply_adds, start.elapsed())
    };
    let runs = (0..REPEATS).map(|_| time());
    let (multiply_adds, best) = runs.min_by_key(|(_, elapsed)| *elapsed).unwrap_or((0, Duration::MAX));
    multiply_adds as f64 / best.as_secs_f64()
}

/// The run for an instruction set, which the machine has.
fn run_of<T: Element>(isa: Isa) -> Run {
    let bf16 = size_of::<T>() == 2;
    match (isa, bf16) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the process may use the unit, since `tile_unit` named it.
        (Isa::Amx, true) if isa.tile_unit().is_some() => || unsafe { x86::amx() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the machine has the set.
        (Isa::Amx | Isa::Avx512Bf16, true) => || unsafe { x86::avx512_bf16() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the machine has the set.
        (Isa::Amx | Isa::Avx512Bf16 | Isa::Avx512, false) => || unsafe { x86::avx512() },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the machine has the set.
        (Isa::Avx2, false) => || unsafe { x86::avx2() },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the machine has the set.
        (Isa::NeonBf16, true) => || unsafe { arm::neon_bf16() },
        #[cfg(target_arch = "aarch64")]
        (Isa::NeonBf16 | Isa::Neon, false) => arm::neon,
        _ => portable,
    }
}

/// Independent sums: more than a multiply-add takes cycles times how many begin in a cycle, and no more than registers.
const SUMS: usize = 12;
/// So many that a run takes much longer than waking a thread.
const STEPS: usize = 400_000;

fn portable() -> usize {
    const LANES: usize = 4;
    let (x, w) = (black_box([0.5_f32; LANES]), black_box([0.25_f32; LANES]));
    let mut sums = [[0.0_f32; LANES]; SUMS];
    for _ in 0..STEPS {
        for sum in &mut sums {
            for lane in 0..LANES {
                sum[lane] += x[lane] * w[lane];
            }
        }
        black_box(&mut sums);
    }
    STEPS * SUMS * LANES
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;

    use super::{STEPS, SUMS};

    /// Repeats an instruction that adds to register `$sum` of 0 to 11 the product of registers 12 and 13.
    macro_rules! run {
        ($instruction:literal, $register:literal) => {
            asm!(
                "vzeroall",
                "2:",
                concat!($instruction, " ", $register, "0, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "1, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "2, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "3, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "4, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "5, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "6, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "7, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "8, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "9, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "10, ", $register, "12, ", $register, "13"),
                concat!($instruction, " ", $register, "11, ", $register, "12, ", $register, "13"),
                "dec {steps}",
                "jnz 2b",
                steps = inout(reg) STEPS => _,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
                out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(nomem, nostack),
            )
        };
    }

    /// # Safety
    /// The machine must have AVX-512.
    pub(super) unsafe fn avx512() -> usize {
        // SAFETY: as the caller promises.
        unsafe { run!("vfmadd231ps", "zmm") };
        STEPS * SUMS * 16
    }

    /// # Safety
    /// The machine must have AVX-512 with `VDPBF16PS`.
    pub(super) unsafe fn avx512_bf16() -> usize {
        // SAFETY: as the caller promises.
        unsafe { run!("vdpbf16ps", "zmm") };
        STEPS * SUMS * 32
    }

    /// # Safety
    /// The machine must have AVX2 with FMA.
    pub(super) unsafe fn avx2() -> usize {
        // SAFETY: as the caller promises.
        unsafe { run!("vfmadd231ps", "ymm") };
        STEPS * SUMS * 8
    }

    /// `LDTILECFG`'s 64 bytes.
    #[repr(C, align(64))]
    struct Configuration([u8; 64]);

    /// # Safety
    /// The process must be allowed to use the tile unit.
    pub(super) unsafe fn amx() -> usize {
        let mut configuration = Configuration([0; 64]);
        configuration.0[0] = 1;
        for tile in 0..8 {
            configuration.0[16 + 2 * tile] = 64;
            configuration.0[48 + tile] = 16;
        }
        // SAFETY: as the caller promises; the unit is given back at the end.
        unsafe {
            asm!(
                "ldtilecfg [{configuration}]",
                "2:",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "dec {steps}",
                "jnz 2b",
                "tilerelease",
                configuration = in(reg) &raw const configuration,
                steps = inout(reg) STEPS => _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
        STEPS * 4 * 16 * 16 * 32
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::asm;

    use super::{STEPS, SUMS};

    /// Repeats an instruction that adds to register `$sum` of 0 to 11 the product of registers 12 and 13, all zero.
    macro_rules! run {
        ($instruction:literal, $factors:literal) => {
            asm!(
                "movi v12.4s, #0",
                "movi v13.4s, #0",
                run!(@zero "0"), run!(@zero "1"), run!(@zero "2"), run!(@zero "3"), run!(@zero "4"), run!(@zero "5"),
                run!(@zero "6"), run!(@zero "7"), run!(@zero "8"), run!(@zero "9"), run!(@zero "10"), run!(@zero "11"),
                "2:",
                run!(@add $instruction, "0", $factors), run!(@add $instruction, "1", $factors),
                run!(@add $instruction, "2", $factors), run!(@add $instruction, "3", $factors),
                run!(@add $instruction, "4", $factors), run!(@add $instruction, "5", $factors),
                run!(@add $instruction, "6", $factors), run!(@add $instruction, "7", $factors),
                run!(@add $instruction, "8", $factors), run!(@add $instruction, "9", $factors),
                run!(@add $instruction, "10", $factors), run!(@add $instruction, "11", $factors),
                "subs {steps}, {steps}, #1",
                "b.ne 2b",
                steps = inout(reg) STEPS => _,
                out("v0") _, out("v1") _, out("v2") _, out("v3") _, out("v4") _, out("v5") _, out("v6") _,
                out("v7") _, out("v8") _, out("v9") _, out("v10") _, out("v11") _, out("v12") _, out("v13") _,
                options(nomem, nostack),
            )
        };
        (@zero $sum:literal) => {
            concat!("movi v", $sum, ".4s, #0")
        };
        (@add $instruction:literal, $sum:literal, $factors:literal) => {
            concat!($instruction, " v", $sum, ".4s, v12.", $factors, ", v13.", $factors)
        };
    }

    pub(super) fn neon() -> usize {
        // SAFETY: every 64-bit Arm has NEON, and only registers change.
        unsafe { run!("fmla", "4s") };
        STEPS * SUMS * 4
    }

    /// # Safety
    /// The machine must have `BFDOT`.
    #[target_feature(enable = "bf16")]
    pub(super) unsafe fn neon_bf16() -> usize {
        // SAFETY: as the caller promises.
        unsafe { run!("bfdot", "8h") };
        STEPS * SUMS * 8
    }
}
