//! Tile kernels for Arm: NEON, and NEON with bf16 dot products.

use std::arch::aarch64::{float32x4_t, vdupq_n_f32, vfmaq_f32, vld1q_f32, vst1q_f32};
use std::arch::asm;

use super::body::microkernel;
use crate::aligned::Word;

// 24 sums, four vectors of weights and a broadcast value in 32 registers.
microkernel! {
    #[target_feature(enable = "neon")]
    fn neon, static NEON, lanes: 4, max_vectors: 4,
    zero: vdupq_n_f32(0.0),
    load: |w: *const Word| vld1q_f32(w.cast()),
    broadcast: |x: *const Word| vdupq_n_f32(x.cast::<f32>().read_unaligned()),
    multiply_add: |sum: float32x4_t, x: float32x4_t, w: float32x4_t| vfmaq_f32(sum, x, w),
    load_sums: |c: *const f32| vld1q_f32(c),
    store_sums: |c: *mut f32, sum: float32x4_t| vst1q_f32(c, sum),
    finishing: None,
}

microkernel! {
    #[target_feature(enable = "neon,bf16")]
    fn neon_bf16, static NEON_BF16, lanes: 4, max_vectors: 4,
    zero: vdupq_n_f32(0.0),
    load: |w: *const Word| vld1q_f32(w.cast()),
    broadcast: |x: *const Word| vdupq_n_f32(x.cast::<f32>().read_unaligned()),
    multiply_add: |sum: float32x4_t, x: float32x4_t, w: float32x4_t| {
        // The intrinsic (`vbfdotq_f32`) is not stable yet.
        let mut sum = sum;
        asm!(
            "bfdot {sum:v}.4s, {x:v}.8h, {w:v}.8h",
            sum = inout(vreg) sum, x = in(vreg) x, w = in(vreg) w,
            options(pure, nomem, nostack, preserves_flags),
        );
        sum
    },
    load_sums: |c: *const f32| vld1q_f32(c),
    store_sums: |c: *mut f32, sum: float32x4_t| vst1q_f32(c, sum),
    finishing: None,
}
