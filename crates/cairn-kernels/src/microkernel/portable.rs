//! Tile kernels in plain Rust, for every machine: four lanes, which SSE2 and NEON both have.

use super::body::microkernel;
use crate::aligned::Word;

type Lanes = [f32; 4];

#[inline(always)]
fn multiply_add(sum: Lanes, x: f32, w: Lanes) -> Lanes {
    let lane = |i: usize| {
        // Where it is one instruction; elsewhere `mul_add` would be a slow library call.
        if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
            x.mul_add(w[i], sum[i])
        } else {
            sum[i] + x * w[i]
        }
    };
    [lane(0), lane(1), lane(2), lane(3)]
}

// As many sums as the registers hold: 32 of them on Arm, 16 elsewhere.
microkernel! {
    fn portable, static PORTABLE, lanes: 4, max_vectors: if cfg!(target_arch = "aarch64") { 4 } else { 2 },
    zero: [0.0; 4],
    load: |w: *const Word| w.cast::<Lanes>().read_unaligned(),
    broadcast: |x: *const Word| x.cast::<f32>().read_unaligned(),
    multiply_add: multiply_add,
    load_sums: |c: *const f32| c.cast::<Lanes>().read_unaligned(),
    store_sums: |c: *mut f32, sum: Lanes| c.cast::<Lanes>().write_unaligned(sum),
    finishing: None,
}
