//! Products of bytes for AVX-512 with VNNI.
//!
//! The vectors of a panel are packed to bytes together, so that a pixel's levels are one vector and one store. Packing
//! (`VPACKSSDW`, `VPACKUSWB`) works within each 128 bits: of four vectors it puts the first four lanes of each one after the
//! other, then the next four of each. So the columns of a panel are channels in that order, see [`channel`].

use std::arch::x86_64::{
    __m512i, __mmask64, _mm_storeu_si128, _mm256_storeu_si256, _mm512_add_ps, _mm512_castsi512_si128,
    _mm512_castsi512_si256, _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_dpbusd_epi32, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_max_epu8, _mm512_min_ps,
    _mm512_mul_ps, _mm512_packs_epi32, _mm512_packus_epi16, _mm512_permutexvar_epi32, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_set1_ps, _mm512_setr_epi32, _mm512_setzero_ps, _mm512_setzero_si512,
    _mm512_storeu_si512, _mm512_unpackhi_epi8, _mm512_unpackhi_epi16, _mm512_unpacklo_epi8,
    _mm512_unpacklo_epi16,
};

use super::body::sums;
use super::tile::{Products, Tile};
use crate::int8::quantisation::level;

/// Columns of a vector.
const LANES: usize = 16;

/// The channel, counted from the panel's first, of a lane of a vector, in a panel of so many vectors.
fn channel(vectors: usize, vector: usize, lane: usize) -> usize {
    lane / 4 * 4 * vectors + 4 * vector + lane % 4
}

/// The place among packed words of each word of a pixel of so many vectors. Packing takes four; of fewer there are gaps.
const PACKED: [[i32; LANES]; 4] = [
    [0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
];

/// The place among a pixel's words of each packed word; any for a gap.
const UNPACKED: [[i32; LANES]; 4] = [
    [0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0],
    [0, 1, 0, 0, 2, 3, 0, 0, 4, 5, 0, 0, 6, 7, 0, 0],
    [0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
];

/// The sums of a tile, brought to levels before they leave the registers.
///
/// Loops over sums are short and without branches: a loop that the compiler leaves one would put them into memory.
///
/// # Safety
/// As [`Product`](super::tile::Product).
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
#[expect(
    clippy::needless_range_loop,
    reason = "the loops are over registers, several arrays of them at a time"
)]
unsafe fn avx512_vnni<const ROWS: usize, const VECTORS: usize, const RESIDUAL: bool, const EDGE: bool>(
    tile: &Tile,
) {
    // SAFETY: the caller vouches for every address.
    let sums = unsafe {
        sums!(
            tile,
            ROWS,
            VECTORS,
            4 * LANES,
            _mm512_setzero_si512(),
            |w: *const u8| _mm512_loadu_si512(w.cast()),
            |x: *const u8| _mm512_set1_epi32(x.cast::<i32>().read_unaligned()),
            |sum: __m512i, x: __m512i, w: __m512i| _mm512_dpbusd_epi32(sum, x, w)
        )
    };
    let mut scales = [_mm512_setzero_ps(); VECTORS];
    let mut offsets = [_mm512_setzero_ps(); VECTORS];
    for vector in 0..VECTORS {
        // SAFETY: there are as many scales and offsets as columns.
        unsafe {
            scales[vector] = _mm512_loadu_ps(tile.scales.add(vector * LANES));
            offsets[vector] = _mm512_loadu_ps(tile.offsets.add(vector * LANES));
        }
    }
    let mut values = [[_mm512_setzero_ps(); VECTORS]; ROWS];
    for row in 0..ROWS {
        for vector in 0..VECTORS {
            let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[row][vector]), scales[vector]);
            values[row][vector] = _mm512_add_ps(scaled, offsets[vector]);
        }
    }
    // The bytes of a pixel's output channels.
    let channels = if EDGE { tile.columns } else { VECTORS * LANES };
    let mask = __mmask64::MAX >> (64 - channels);
    if RESIDUAL {
        let factor = _mm512_set1_ps(tile.residual_scale);
        for row in 0..ROWS {
            // SAFETY: the residual has these channels of this pixel, and no others are loaded.
            let levels = unsafe { _mm512_maskz_loadu_epi8(mask, tile.residual.add(row * tile.step).cast()) };
            let levels = if VECTORS < 4 {
                _mm512_permutexvar_epi32(words(UNPACKED[VECTORS - 1]), levels)
            } else {
                levels
            };
            let zero = _mm512_setzero_si512();
            let (low, high) = (_mm512_unpacklo_epi8(levels, zero), _mm512_unpackhi_epi8(levels, zero));
            let levels = [
                _mm512_unpacklo_epi16(low, zero),
                _mm512_unpackhi_epi16(low, zero),
                _mm512_unpacklo_epi16(high, zero),
                _mm512_unpackhi_epi16(high, zero),
            ];
            for vector in 0..VECTORS {
                let residual = _mm512_mul_ps(_mm512_cvtepi32_ps(levels[vector]), factor);
                values[row][vector] = _mm512_add_ps(values[row][vector], residual);
            }
        }
    }
    // Rounding keeps order: it may come before the bounds if these are rounded too. The highest comes first nevertheless,
    // since numbers beyond 32 bits become the lowest.
    let [low, high] = tile.bounds;
    let (lowest, high) = (_mm512_set1_epi8(level(low, 0.0, 255.0).cast_signed()), _mm512_set1_ps(high));
    for row in 0..ROWS {
        let mut levels = [_mm512_setzero_si512(); 4];
        for vector in 0..VECTORS {
            // The processor rounds to nearest, ties to even: Rust relies on that mode too.
            levels[vector] = _mm512_cvtps_epi32(_mm512_min_ps(values[row][vector], high));
        }
        let pairs = [_mm512_packs_epi32(levels[0], levels[1]), _mm512_packs_epi32(levels[2], levels[3])];
        let bytes = _mm512_max_epu8(_mm512_packus_epi16(pairs[0], pairs[1]), lowest);
        let bytes =
            if VECTORS < 4 { _mm512_permutexvar_epi32(words(PACKED[VECTORS - 1]), bytes) } else { bytes };
        // SAFETY: the output has these channels of this pixel, and no others are stored.
        unsafe {
            let to = tile.output.add(row * tile.step);
            match VECTORS {
                1 if !EDGE => _mm_storeu_si128(to.cast(), _mm512_castsi512_si128(bytes)),
                2 if !EDGE => _mm256_storeu_si256(to.cast(), _mm512_castsi512_si256(bytes)),
                4 if !EDGE => _mm512_storeu_si512(to.cast(), bytes),
                _ => _mm512_mask_storeu_epi8(to.cast(), mask, bytes),
            }
        }
    }
}

/// A vector of 32-bit words.
#[inline]
#[target_feature(enable = "avx512f")]
fn words(words: [i32; LANES]) -> __m512i {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = words;
    _mm512_setr_epi32(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
}

macro_rules! of_rows {
    ($vectors:literal: $($rows:literal)*) => {
        &[$([
            [avx512_vnni::<$rows, $vectors, false, false>, avx512_vnni::<$rows, $vectors, false, true>],
            [avx512_vnni::<$rows, $vectors, true, false>, avx512_vnni::<$rows, $vectors, true, true>],
        ]),*]
    };
}

// 24 sums at most, up to four vectors of weights and a broadcast word in 32 registers; more rows where vectors are few, so
// that the multipliers always have a dozen sums to add to.
pub(super) static AVX512_VNNI: Products = Products {
    lanes: LANES,
    weight_bytes: 4,
    channel,
    table: &[
        of_rows!(1: 1 2 3 4 5 6 7 8 9 10 11 12),
        of_rows!(2: 1 2 3 4 5 6 7 8 9 10 11 12),
        of_rows!(3: 1 2 3 4 5 6 7 8),
        of_rows!(4: 1 2 3 4 5 6),
    ],
};
