//! Depthwise convolutions with VNNI: the taps of a kernel column, four at a time.
//!
//! For 64 channels of an output row, the source's columns are first woven: the bytes of four rows and one channel become
//! a word, as `VPDPBUSD` takes them. Then an output pixel is the sum of products of its kernel columns' words, each of which
//! several pixels read. A word has four rows, or eight in two words; so several output rows may read the same words, each with the
//! weights moved down: two rows of a 3x3 kernel, four of a 5x5 kernel. They are computed together.
//!
//! Weaving by `VPUNPCK` leaves the channels of 64 in another order: the word vector `j` has, of each 16 channels, those from
//! `4 * j` on. Weights, scales and offsets are kept in that order, and packing words to bytes brings them back.

use std::arch::x86_64::{
    __m512, __m512i, __mmask64, _mm512_add_ps, _mm512_cvtepi32_ps, _mm512_cvtps_epi32, _mm512_dpbusd_epi32,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_max_ps,
    _mm512_min_ps, _mm512_mul_ps, _mm512_packs_epi32, _mm512_packus_epi16, _mm512_set1_ps,
    _mm512_setzero_si512, _mm512_storeu_si512, _mm512_unpackhi_epi8, _mm512_unpackhi_epi16,
    _mm512_unpacklo_epi8, _mm512_unpacklo_epi16,
};

use super::Walk;
use crate::aligned::AlignedWords;
use crate::int8::dot::Dot;
use crate::int8::requantise::Requantise;
use crate::memory::with_scratch;
use crate::shape::Extent;

/// Channels of a block.
const BLOCK: usize = 64;
/// Vectors of words of a block.
const VECTORS: usize = 4;
/// Words of a vector.
const LANES: usize = 16;
/// Taps of a word.
const TAPS: usize = 4;
/// Output pixels that are summed together, so that a weight is loaded once for all of them.
const PIXELS: usize = 4;

/// Weights woven as the source is: for each output row of those that are computed together, each block of channels, each kernel
/// column and each four rows, four vectors.
#[derive(Debug)]
pub(in crate::int8) struct Vnni {
    kernel: Extent,
    stride: usize,
    weights: AlignedWords,
    /// In the order of the woven channels; zeros beyond the last channel.
    scales: Vec<f32>,
    offsets: Vec<f32>,
    bounds: [f32; 2],
}

/// What a thread keeps from row to row: woven columns.
#[derive(Default)]
struct Woven(AlignedWords);

/// The channel, in its block, of a lane of a vector.
fn channel_of(vector: usize, lane: usize) -> usize {
    lane / 4 * 16 + vector * 4 + lane % 4
}

impl Vnni {
    /// # Panics
    /// When the machine lacks [`Dot::Avx512Vnni`]: so one that is there can be used.
    pub(super) fn new(
        dot: Dot,
        kernel: Extent,
        stride: usize,
        weights: &[i8],
        requantise: &Requantise,
    ) -> Self {
        assert_eq!(dot, Dot::Avx512Vnni);
        dot.require();
        let channels = weights.len() / kernel.area();
        let blocks = channels.div_ceil(BLOCK);
        let groups = kernel.height.div_ceil(TAPS);
        let together = rows_together(kernel, stride);
        let words = together * blocks * kernel.width * groups * BLOCK;
        let mut packed = AlignedWords::default();
        packed.reserve(words);
        let mut by_lane = [vec![0.0; blocks * BLOCK], vec![0.0; blocks * BLOCK]];
        let lanes = || (0..VECTORS).flat_map(|vector| (0..LANES).map(move |lane| channel_of(vector, lane)));
        for block in 0..blocks {
            for (at, channel) in lanes().map(|channel| block * BLOCK + channel).enumerate() {
                for (to, from) in by_lane.iter_mut().zip([&requantise.scales, &requantise.offsets]) {
                    to[block * BLOCK + at] = from.get(channel).copied().unwrap_or_default();
                }
            }
        }
        let mut to = packed.as_mut_slice::<i8>(TAPS * words).iter_mut();
        // The weight of a channel for a row of the source, where the kernel begins at row `moved`; zero outside of the kernel.
        let weight = |channel: usize, moved: usize, row: usize, column: usize| {
            let row = row.checked_sub(moved).filter(|&row| row < kernel.height && channel < channels);
            row.map_or(0, |row| weights[(channel * kernel.height + row) * kernel.width + column])
        };
        for moved in (0..together).map(|row| row * stride) {
            for block in 0..blocks {
                for column in 0..kernel.width {
                    for group in 0..groups {
                        for channel in lanes().map(|channel| block * BLOCK + channel) {
                            for (row, to) in (group * TAPS..(group + 1) * TAPS).zip(&mut to) {
                                *to = weight(channel, moved, row, column);
                            }
                        }
                    }
                }
            }
        }
        let [scales, offsets] = by_lane;
        Self { kernel, stride, weights: packed, scales, offsets, bounds: [requantise.low, requantise.high] }
    }

    /// Output rows that read the same words.
    pub(super) fn rows_together(&self) -> usize {
        rows_together(self.kernel, self.stride)
    }

    /// Computes output rows: as many as are computed together, or fewer at the map's end. `lines` are the source's rows that they
    /// read, were they as many.
    pub(super) fn rows(&self, walk: &Walk<'_>, lines: &[Option<&[u8]>], output: &mut [u8]) {
        let columns = (walk.count - 1) * walk.stride + self.kernel.width;
        let groups = self.kernel.height.div_ceil(TAPS);
        let (own, stride) = (self.stride, walk.stride);
        assert!(stride == own, "weights packed for a stride of {own} are used for {stride}");
        let together = self.rows_together();
        assert!(lines.len() == (together - 1) * self.stride + self.kernel.height);
        assert!(lines.len() <= groups * TAPS && walk.zeros.len() == walk.channels);
        assert!(lines.iter().flatten().all(|line| line.len() == walk.width * walk.channels));
        let row_len = walk.count * walk.channels;
        assert!(output.len().is_multiple_of(row_len) && output.len() <= together * row_len);
        assert!(self.scales.len() == walk.channels.next_multiple_of(BLOCK));
        with_scratch(|Woven(woven)| {
            woven.reserve(columns * groups * BLOCK);
            let woven = woven.as_mut_ptr().cast::<__m512i>();
            for block in 0..walk.channels.div_ceil(BLOCK) {
                // SAFETY: `new` made sure that the machine has the instructions. Lines, zeros, output and scales are as long
                // as was checked, so that the block's channels, those of `mask`, are in each of their pixels; there is room
                // for all woven columns; weights were packed for this kernel and so many blocks.
                unsafe {
                    self.weave(walk, lines, block, woven);
                    for (row, output) in output.chunks_exact_mut(row_len).enumerate() {
                        self.sum(walk, row, block, woven, output);
                    }
                }
            }
        });
    }

    /// Weaves the columns that the row reads, of one block of channels.
    ///
    /// # Safety
    /// As `row` says.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn weave(&self, walk: &Walk<'_>, lines: &[Option<&[u8]>], block: usize, woven: *mut __m512i) {
        let (first, mask) = (block * BLOCK, mask(walk.channels, block));
        let columns = (walk.count - 1) * walk.stride + self.kernel.width;
        // SAFETY: the block's channels of a pixel are in `zeros` and in each line, and no others are loaded; `woven` has room
        // for four vectors for each column and each four rows.
        unsafe {
            let zeros = _mm512_maskz_loadu_epi8(mask, walk.zeros.as_ptr().add(first).cast());
            let mut to = woven;
            for column in 0..columns {
                let pixel = walk.inside(column);
                for rows in lines.chunks(TAPS) {
                    let row = |row: usize| match (rows.get(row), pixel) {
                        (Some(Some(line)), Some(pixel)) => _mm512_maskz_loadu_epi8(
                            mask,
                            line.as_ptr().add(pixel * walk.channels + first).cast(),
                        ),
                        // Outside of the map; or beyond the kernel, where weights are zero.
                        _ => zeros,
                    };
                    let [a, b, c, d] = [row(0), row(1), row(2), row(3)];
                    let (ab, cd) = (_mm512_unpacklo_epi8(a, b), _mm512_unpacklo_epi8(c, d));
                    _mm512_storeu_si512(to, _mm512_unpacklo_epi16(ab, cd));
                    _mm512_storeu_si512(to.add(1), _mm512_unpackhi_epi16(ab, cd));
                    let (ab, cd) = (_mm512_unpackhi_epi8(a, b), _mm512_unpackhi_epi8(c, d));
                    _mm512_storeu_si512(to.add(2), _mm512_unpacklo_epi16(ab, cd));
                    _mm512_storeu_si512(to.add(3), _mm512_unpackhi_epi16(ab, cd));
                    to = to.add(VECTORS);
                }
            }
        }
    }

    /// Sums the products of woven columns, of one block of channels, and stores the levels of a row of those computed together.
    ///
    /// # Safety
    /// As `row` says.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn sum(
        &self,
        walk: &Walk<'_>,
        row: usize,
        block: usize,
        woven: *const __m512i,
        output: &mut [u8],
    ) {
        let to = output.as_mut_ptr().wrapping_add(block * BLOCK);
        let whole = walk.count / PIXELS * PIXELS;
        // SAFETY: as of this function, for pixels of the row.
        unsafe {
            for x in (0..whole).step_by(PIXELS) {
                self.sum_pixels::<PIXELS>(walk, (row, block), woven, x, to);
            }
            for x in whole..walk.count {
                self.sum_pixels::<1>(walk, (row, block), woven, x, to);
            }
        }
    }

    /// The same for some pixels, from `x` on; `output` is where the block's channels of the row's first pixel go.
    ///
    /// # Safety
    /// As `row` says; there must be as many pixels.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    unsafe fn sum_pixels<const COUNT: usize>(
        &self,
        walk: &Walk<'_>,
        (row, block): (usize, usize),
        woven: *const __m512i,
        x: usize,
        output: *mut u8,
    ) {
        let groups = self.kernel.height.div_ceil(TAPS);
        let steps = self.kernel.width * groups;
        let mask = mask(walk.channels, block);
        let [low, high] = self.bounds.map(|bound| _mm512_set1_ps(bound));
        // SAFETY: a pixel's kernel columns are woven one after the other, from `x * stride` on; weights are in the same order.
        // Scales and offsets are whole blocks. Only the block's channels of these pixels are stored.
        unsafe {
            let blocks = self.scales.len() / BLOCK;
            let of_block = (row * blocks + block) * steps * VECTORS;
            let mut weights = self.weights.as_ptr().cast::<__m512i>().add(of_block);
            let mut from = woven.add(x * walk.stride * groups * VECTORS);
            let step = walk.stride * groups * VECTORS;
            let mut sums = [[_mm512_setzero_si512(); VECTORS]; COUNT];
            for _ in 0..steps {
                for vector in 0..VECTORS {
                    let weight = _mm512_loadu_si512(weights.add(vector));
                    for (pixel, sums) in sums.iter_mut().enumerate() {
                        let source = _mm512_loadu_si512(from.add(pixel * step + vector));
                        sums[vector] = _mm512_dpbusd_epi32(sums[vector], source, weight);
                    }
                }
                weights = weights.add(VECTORS);
                from = from.add(VECTORS);
            }
            let scales = self.scales.as_ptr().add(block * BLOCK);
            let offsets = self.offsets.as_ptr().add(block * BLOCK);
            for (pixel, sums) in sums.into_iter().enumerate() {
                let mut levels = [_mm512_setzero_si512(); VECTORS];
                for (vector, levels) in levels.iter_mut().enumerate() {
                    let scale: __m512 = _mm512_loadu_ps(scales.add(vector * LANES));
                    let offset = _mm512_loadu_ps(offsets.add(vector * LANES));
                    let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[vector]), scale);
                    let value = _mm512_add_ps(scaled, offset);
                    // As in the dense product.
                    *levels = _mm512_cvtps_epi32(_mm512_min_ps(_mm512_max_ps(value, low), high));
                }
                let words =
                    [_mm512_packs_epi32(levels[0], levels[1]), _mm512_packs_epi32(levels[2], levels[3])];
                let bytes = _mm512_packus_epi16(words[0], words[1]);
                _mm512_mask_storeu_epi8(output.add((x + pixel) * walk.channels).cast(), mask, bytes);
            }
        }
    }
}

/// Output rows that read the same words of four rows each: as far as the kernel can be moved within them.
fn rows_together(kernel: Extent, stride: usize) -> usize {
    (kernel.height.next_multiple_of(TAPS) - kernel.height) / stride + 1
}

/// The channels of a block that are there.
fn mask(channels: usize, block: usize) -> __mmask64 {
    match channels - block * BLOCK {
        left if left < BLOCK => (1 << left) - 1,
        _ => __mmask64::MAX,
    }
}
