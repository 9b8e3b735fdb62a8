//! Tile kernels for AVX-512, AVX-512 with bf16 dot products, and AVX2 with FMA.

use std::arch::x86_64::{
    __m256, __m256bh, __m256i, __m512, __m512bh, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps, _mm256_storeu_si256, _mm512_add_ps,
    _mm512_castsi512_ps, _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh, _mm512_dpbf16_ps, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_slli_epi32,
    _mm512_storeu_ps,
};
use std::mem::transmute;

use super::body::{microkernel, products};
use super::finish::Finish;
use super::tile::{FinishingMicrokernels, Tile};
use crate::aligned::Word;

// 24 sums, four vectors of weights and a broadcast value in 32 registers.
microkernel! {
    #[target_feature(enable = "avx512f")]
    fn avx512, static AVX512, lanes: 16, max_vectors: 4,
    zero: _mm512_setzero_ps(),
    load: |w: *const Word| _mm512_loadu_ps(w.cast()),
    broadcast: |x: *const Word| _mm512_set1_ps(x.cast::<f32>().read_unaligned()),
    multiply_add: |sum: __m512, x: __m512, w: __m512| _mm512_fmadd_ps(x, w, sum),
    load_sums: |c: *const f32| _mm512_loadu_ps(c),
    store_sums: |c: *mut f32, sum: __m512| _mm512_storeu_ps(c, sum),
    finishing: None,
}

microkernel! {
    #[target_feature(enable = "avx512f,avx512bf16")]
    fn avx512_bf16, static AVX512_BF16, lanes: 16, max_vectors: 4,
    zero: _mm512_setzero_ps(),
    load: |w: *const Word| _mm512_loadu_ps(w.cast()),
    broadcast: |x: *const Word| _mm512_set1_ps(x.cast::<f32>().read_unaligned()),
    multiply_add: |sum: __m512, x: __m512, w: __m512| {
        _mm512_dpbf16_ps(sum, transmute::<__m512, __m512bh>(x), transmute::<__m512, __m512bh>(w))
    },
    load_sums: |c: *const f32| _mm512_loadu_ps(c),
    store_sums: |c: *mut f32, sum: __m512| _mm512_storeu_ps(c, sum),
    finishing: Some(&AVX512_BF16_FINISHING),
}

/// Multiplies as `avx512_bf16`, and finishes the sums before they leave the registers.
///
/// # Safety
/// As [`FinishingMicrokernel`].
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
#[expect(clippy::needless_range_loop, reason = "the loops are those of the products, over registers")]
unsafe fn avx512_bf16_finishing<const ROWS: usize, const VECTORS: usize, const RESIDUAL: bool>(
    tile: &Tile<'_>,
    finish: &Finish,
) {
    const LANES: usize = 16;
    // SAFETY: the caller vouches for every address of the tile.
    let sums = unsafe {
        products!(
            tile,
            ROWS,
            VECTORS,
            LANES,
            _mm512_setzero_ps(),
            |w: *const Word| _mm512_loadu_ps(w.cast()),
            |x: *const Word| _mm512_set1_ps(x.cast::<f32>().read_unaligned()),
            |sum: __m512, x: __m512, w: __m512| {
                _mm512_dpbf16_ps(sum, transmute::<__m512, __m512bh>(x), transmute::<__m512, __m512bh>(w))
            },
            |c: *const f32| _mm512_loadu_ps(c)
        )
    };
    let (low, high) = (_mm512_set1_ps(finish.bounds.low), _mm512_set1_ps(finish.bounds.high));
    let mut bias = [_mm512_setzero_ps(); VECTORS];
    for vector in 0..VECTORS {
        // SAFETY: there is a bias for each of the panel's channels.
        bias[vector] = unsafe { _mm512_loadu_ps(finish.bias.add(vector * LANES)) };
    }
    // Without a branch in these loops: else the sums would be in memory, where a loop can choose among them.
    for row in 0..ROWS {
        // SAFETY: there is a pixel for each row.
        let at = unsafe { *finish.pixels.add(row) } * finish.channels + finish.first;
        for vector in 0..VECTORS {
            let at = at + vector * LANES;
            let mut sum = _mm512_add_ps(sums[row][vector], bias[vector]);
            if RESIDUAL {
                // SAFETY: the pixel's channels are in the map.
                let values = unsafe { _mm256_loadu_si256(finish.residual.add(at).cast()) };
                let wide = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(values));
                sum = _mm512_add_ps(sum, _mm512_castsi512_ps(wide));
            }
            // In this order a NaN stays one.
            sum = _mm512_min_ps(high, _mm512_max_ps(low, sum));
            // SAFETY: both types are 256 bits, any of which are a value; the pixel's channels are in the map.
            unsafe {
                let rounded = transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(sum));
                _mm256_storeu_si256(finish.output.add(at).cast(), rounded);
            }
        }
    }
}

/// [`avx512_bf16_finishing`] of every size, without a residual and with one.
pub(super) static AVX512_BF16_FINISHING: [FinishingMicrokernels; 2] = {
    macro_rules! of_rows {
        ($residual:literal: $($rows:literal),*) => {
            [$([
                avx512_bf16_finishing::<$rows, 1, $residual>,
                avx512_bf16_finishing::<$rows, 2, $residual>,
                avx512_bf16_finishing::<$rows, 3, $residual>,
                avx512_bf16_finishing::<$rows, 4, $residual>,
            ]),*]
        };
    }
    [of_rows!(false: 1, 2, 3, 4, 5, 6), of_rows!(true: 1, 2, 3, 4, 5, 6)]
};

// 12 sums, two vectors of weights and a broadcast value in 16 registers.
microkernel! {
    #[target_feature(enable = "avx2,fma")]
    fn avx2, static AVX2, lanes: 8, max_vectors: 2,
    zero: _mm256_setzero_ps(),
    load: |w: *const Word| _mm256_loadu_ps(w.cast()),
    broadcast: |x: *const Word| _mm256_set1_ps(x.cast::<f32>().read_unaligned()),
    multiply_add: |sum: __m256, x: __m256, w: __m256| _mm256_fmadd_ps(x, w, sum),
    load_sums: |c: *const f32| _mm256_loadu_ps(c),
    store_sums: |c: *mut f32, sum: __m256| _mm256_storeu_ps(c, sum),
    finishing: None,
}
