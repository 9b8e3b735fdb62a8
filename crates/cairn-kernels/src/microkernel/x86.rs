//! Tile kernels for AVX-512, AVX-512 with bf16 dot products, and AVX2 with FMA.

use std::arch::x86_64::{
    __m256, __m512, __m512bh, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_setzero_ps,
    _mm256_storeu_ps, _mm512_dpbf16_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_storeu_ps,
};
use std::mem::transmute;

use super::body::microkernel;
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
}

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
}
