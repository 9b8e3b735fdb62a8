//! Products of bytes for AVX with VNNI, and AVX2.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_cvtsi128_si64, _mm_loadl_epi64, _mm_packs_epi32, _mm_packus_epi16,
    _mm_storel_epi64, _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256, _mm256_castsi256_si128,
    _mm256_cvtepi32_ps, _mm256_cvtepu8_epi32, _mm256_cvtps_epi32, _mm256_dpbusd_avx_epi32,
    _mm256_extracti128_si256, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_max_ps,
    _mm256_min_ps, _mm256_mul_ps, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_si256,
    _mm256_srli_epi16,
};

use super::body::byte_product;
use super::tile::Tile;

/// What the pixels of eight columns share.
#[derive(Clone, Copy)]
struct Columns256 {
    scales: __m256,
    offsets: __m256,
    residual_scale: __m256,
    low: __m256,
    high: __m256,
    /// How many of them are output channels.
    count: usize,
}

/// The end of eight columns.
///
/// # Safety
/// As of a [`Product`](super::tile::Product) of AVX2 with this column.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn columns256(tile: &Tile, column: usize) -> Columns256 {
    // SAFETY: the panel has these columns, as the caller promises.
    let (scales, offsets) =
        unsafe { (_mm256_loadu_ps(tile.scales.add(column)), _mm256_loadu_ps(tile.offsets.add(column))) };
    Columns256 {
        scales,
        offsets,
        residual_scale: _mm256_set1_ps(tile.residual_scale),
        low: _mm256_set1_ps(tile.bounds[0]),
        high: _mm256_set1_ps(tile.bounds[1]),
        count: (tile.columns - column).min(8),
    }
}

/// The sums of one pixel and eight columns as floats.
#[inline]
#[target_feature(enable = "avx2")]
fn scaled256(sum: __m256i, columns: &Columns256) -> __m256 {
    _mm256_add_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), columns.scales), columns.offsets)
}

/// Adds the residual of one pixel and eight columns, `at` bytes from where the tile's begins.
///
/// # Safety
/// As of a [`Product`](super::tile::Product) of AVX2 with this pixel and these columns.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn plus256<const EDGE: bool>(value: __m256, columns: &Columns256, tile: &Tile, at: usize) -> __m256 {
    let count = if EDGE { columns.count } else { 8 };
    let mut bytes = [0_u8; 8];
    // SAFETY: the residual has these columns, as the caller promises; `bytes` is of eight.
    let levels: __m128i = unsafe {
        let from = tile.residual.add(at);
        match count {
            8 => _mm_loadl_epi64(from.cast()),
            count => {
                bytes[..count].copy_from_slice(std::slice::from_raw_parts(from, count));
                _mm_loadl_epi64(bytes.as_ptr().cast())
            }
        }
    };
    let levels = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(levels));
    _mm256_add_ps(value, _mm256_mul_ps(levels, columns.residual_scale))
}

/// Stores the levels of one pixel and eight columns, `at` bytes from where the tile's output begins.
///
/// # Safety
/// As of a [`Product`](super::tile::Product) of AVX2 with this pixel and these columns.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store256<const EDGE: bool>(value: __m256, columns: &Columns256, tile: &Tile, at: usize) {
    let count = if EDGE { columns.count } else { 8 };
    // The processor rounds to nearest, ties to even: Rust relies on that mode too.
    let levels = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_max_ps(value, columns.low), columns.high));
    let words = _mm_packs_epi32(_mm256_castsi256_si128(levels), _mm256_extracti128_si256::<1>(levels));
    let bytes = _mm_packus_epi16(words, words);
    // SAFETY: the output has these columns, as the caller promises.
    unsafe {
        let to = tile.output.add(at);
        match count {
            8 => _mm_storel_epi64(to.cast(), bytes),
            count => {
                let bytes = _mm_cvtsi128_si64(bytes).to_le_bytes();
                std::slice::from_raw_parts_mut(to, count).copy_from_slice(&bytes[..count]);
            }
        }
    }
}

// 12 sums, two vectors of weights and a broadcast word in 16 registers.
byte_product! {
    #[target_feature(enable = "avx2,fma,avxvnni")]
    fn avx_vnni, static AVX_VNNI, lanes: 8, weight_bytes: 4,
    sizes: { 1: [1 2 3 4 5 6 7 8 9 10], 2: [1 2 3 4 5 6], },
    zero: _mm256_setzero_si256(),
    load: |w: *const u8| _mm256_loadu_si256(w.cast()),
    broadcast: |x: *const u8| _mm256_set1_epi32(x.cast::<i32>().read_unaligned()),
    dot: |sum: __m256i, x: __m256i, w: __m256i| _mm256_dpbusd_avx_epi32(sum, x, w),
    columns: columns256,
    scaled: scaled256,
    plus: plus256::<EDGE>,
    store: store256::<EDGE>,
}

/// Four bytes of a pixel, or of weights in every column, as 16-bit numbers: the first and third, the second and fourth.
#[derive(Clone, Copy)]
struct Widened {
    even: __m256i,
    odd: __m256i,
}

// Eight sums, two vectors of weights in two halves each, and a word in two halves in 16 registers.
byte_product! {
    #[target_feature(enable = "avx2,fma")]
    fn avx2, static AVX2, lanes: 8, weight_bytes: 8,
    sizes: { 1: [1 2 3 4 5 6 7 8], 2: [1 2 3 4], },
    zero: _mm256_setzero_si256(),
    load: |w: *const u8| Widened {
        even: _mm256_loadu_si256(w.cast()),
        odd: _mm256_loadu_si256(w.add(32).cast()),
    },
    broadcast: |x: *const u8| {
        let word = _mm256_set1_epi32(x.cast::<i32>().read_unaligned());
        Widened { even: _mm256_and_si256(word, _mm256_set1_epi16(0xff)), odd: _mm256_srli_epi16::<8>(word) }
    },
    // Two products of 255 * 127 are far from the end of 32 bits.
    dot: |sum: __m256i, x: Widened, w: Widened| {
        let sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x.even, w.even));
        _mm256_add_epi32(sum, _mm256_madd_epi16(x.odd, w.odd))
    },
    columns: columns256,
    scaled: scaled256,
    plus: plus256::<EDGE>,
    store: store256::<EDGE>,
}
