//! Matrix transposition: pixels of channels to channels of pixels.

use crate::element::Element;
use crate::isa::Isa;

/// Some pixels of a map, evenly apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixels<'a, T> {
    /// The elements, beginning with the first pixel's.
    pub(crate) elements: &'a [T],
    /// Elements from one pixel to the next.
    pub(crate) step: usize,
    /// How many pixels.
    pub(crate) count: usize,
    /// Channels of each.
    pub(crate) channels: usize,
}

/// Writes channel `c` of pixel `i` to `planes[c * plane + i]`.
pub(crate) fn transpose<T: Element>(isa: Isa, pixels: Pixels<'_, T>, planes: &mut [T], plane: usize) {
    if pixels.count == 0 {
        return;
    }
    assert!(pixels.elements.len() >= (pixels.count - 1) * pixels.step + pixels.channels, "pixels too short");
    assert!(planes.len() >= (pixels.channels - 1) * plane + pixels.count, "planes too short");
    isa.require();
    match isa.vectors() {
        // SAFETY: the set is there, and the asserts above are what the function asks for.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512Bf16 | Isa::Avx512 => unsafe { x86::avx512(pixels, planes.as_mut_ptr(), plane) },
        _ => portable(pixels, planes, plane),
    }
}

/// Blocks small enough that what they read and write stays in the first-level cache.
fn portable<T: Element>(pixels: Pixels<'_, T>, planes: &mut [T], plane: usize) {
    const BLOCK: usize = 16;
    let Pixels { elements, step, count, channels } = pixels;
    for first_channel in (0..channels).step_by(BLOCK) {
        for first in (0..count).step_by(BLOCK) {
            for channel in first_channel..(first_channel + BLOCK).min(channels) {
                let row = &mut planes[channel * plane..][first..(first + BLOCK).min(count)];
                for (i, to) in row.iter_mut().enumerate() {
                    *to = elements[(first + i) * step + channel];
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512i, __mmask32, _mm512_castsi512_si256, _mm512_cvtepu16_epi32, _mm512_mask_storeu_epi16,
        _mm512_mask_storeu_epi32, _mm512_maskz_loadu_epi16, _mm512_maskz_loadu_epi32, _mm512_or_si512,
        _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_slli_epi32, _mm512_unpackhi_epi32,
        _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    };

    use super::Pixels;
    use crate::element::Element;

    const BLOCK: usize = 16;

    /// Sixteen words of pixels by sixteen channels at a time, in registers.
    ///
    /// # Safety
    /// Every pixel's channels must be there for reading, and `pixels.count` elements of every channel's plane for writing.
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) unsafe fn avx512<T: Element>(pixels: Pixels<'_, T>, planes: *mut T, plane: usize) {
        let block_pixels = BLOCK * T::PER_WORD;
        for first_pixel in (0..pixels.count).step_by(block_pixels) {
            let count = (pixels.count - first_pixel).min(block_pixels);
            for first_channel in (0..pixels.channels).step_by(BLOCK) {
                let channels = (pixels.channels - first_channel).min(BLOCK);
                let mut block = [_mm512_setzero_si512(); BLOCK];
                for (word, row) in block.iter_mut().enumerate().take(count.div_ceil(T::PER_WORD)) {
                    let pixel = word * T::PER_WORD;
                    let at = (first_pixel + pixel) * pixels.step + first_channel;
                    let alone = pixel + 1 == count;
                    // SAFETY: the pixels and channels read are among those that are there.
                    *row =
                        unsafe { load_word(pixels.elements.as_ptr().add(at), pixels.step, alone, channels) };
                }
                let block = transpose_block(block);
                for (channel, row) in block.iter().enumerate().take(channels) {
                    let at = (first_channel + channel) * plane + first_pixel;
                    // SAFETY: `count` elements from there on belong to the channel's plane.
                    unsafe { store_row(planes.add(at), count, *row) };
                }
            }
        }
    }

    /// A mask of the first `count` lanes.
    fn first(count: usize) -> __mmask32 {
        u32::MAX >> (32 - count)
    }

    /// One word of each channel: a pixel's value, or those of two neighbouring pixels, the second zero for one alone.
    ///
    /// # Safety
    /// `channels` elements must be there at `pixel`, and `step` further on if there is a second pixel.
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn load_word<T: Element>(pixel: *const T, step: usize, alone: bool, channels: usize) -> __m512i {
        // SAFETY: the masks leave out what the caller does not vouch for.
        unsafe {
            if T::PER_WORD == 1 {
                return _mm512_maskz_loadu_epi32(first(channels) as u16, pixel.cast());
            }
            let half = |pixel: *const T| {
                let values = _mm512_maskz_loadu_epi16(first(channels), pixel.cast());
                _mm512_cvtepu16_epi32(_mm512_castsi512_si256(values))
            };
            let low = half(pixel);
            if alone { low } else { _mm512_or_si512(low, _mm512_slli_epi32::<16>(half(pixel.add(step)))) }
        }
    }

    /// Stores the first `count` elements of a row.
    ///
    /// # Safety
    /// They must be there for writing.
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn store_row<T: Element>(to: *mut T, count: usize, row: __m512i) {
        // SAFETY: the masks leave out what the caller does not vouch for.
        unsafe {
            if T::PER_WORD == 1 {
                _mm512_mask_storeu_epi32(to.cast(), first(count) as u16, row);
            } else {
                _mm512_mask_storeu_epi16(to.cast(), first(count), row);
            }
        }
    }

    /// Transposes 16 x 16 words: pairs, then quadruples of rows within each 128-bit lane, then the lanes.
    #[target_feature(enable = "avx512f")]
    fn transpose_block(rows: [__m512i; BLOCK]) -> [__m512i; BLOCK] {
        let zero = _mm512_setzero_si512();
        let mut fours = [zero; BLOCK];
        for group in (0..BLOCK).step_by(4) {
            let low = _mm512_unpacklo_epi32(rows[group], rows[group + 1]);
            let high = _mm512_unpackhi_epi32(rows[group], rows[group + 1]);
            let next_low = _mm512_unpacklo_epi32(rows[group + 2], rows[group + 3]);
            let next_high = _mm512_unpackhi_epi32(rows[group + 2], rows[group + 3]);
            fours[group] = _mm512_unpacklo_epi64(low, next_low);
            fours[group + 1] = _mm512_unpackhi_epi64(low, next_low);
            fours[group + 2] = _mm512_unpacklo_epi64(high, next_high);
            fours[group + 3] = _mm512_unpackhi_epi64(high, next_high);
        }
        // Lane b of fours[group + j] now holds column 4 b + j of rows group to group + 3.
        const EVEN: i32 = 0x88;
        const ODD: i32 = 0xdd;
        let mut columns = [zero; BLOCK];
        for j in 0..4 {
            let even = _mm512_shuffle_i32x4::<EVEN>(fours[j], fours[4 + j]);
            let next_even = _mm512_shuffle_i32x4::<EVEN>(fours[8 + j], fours[12 + j]);
            let odd = _mm512_shuffle_i32x4::<ODD>(fours[j], fours[4 + j]);
            let next_odd = _mm512_shuffle_i32x4::<ODD>(fours[8 + j], fours[12 + j]);
            columns[j] = _mm512_shuffle_i32x4::<EVEN>(even, next_even);
            columns[8 + j] = _mm512_shuffle_i32x4::<ODD>(even, next_even);
            columns[4 + j] = _mm512_shuffle_i32x4::<EVEN>(odd, next_odd);
            columns[12 + j] = _mm512_shuffle_i32x4::<ODD>(odd, next_odd);
        }
        columns
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;

    fn check<T: Element>(channels: usize, count: usize, gap: usize) {
        let (step, plane) = (channels + gap, count + gap);
        let value = |pixel: usize, channel: usize| T::from_f32((pixel * 3 + channel * 7) as f32 % 251.0);
        let elements: Vec<T> = (0..count * step).map(|i| value(i / step, i % step)).collect();
        for isa in Isa::available() {
            let mut planes = vec![T::from_f32(-1.0); channels * plane];
            transpose(isa, Pixels { elements: &elements, step, count, channels }, &mut planes, plane);
            for (at, actual) in planes.iter().enumerate() {
                let (channel, pixel) = (at / plane, at % plane);
                let expected = if pixel < count { value(pixel, channel) } else { T::from_f32(-1.0) };
                assert_eq!(actual.to_f32(), expected.to_f32(), "{}: {channel}, {pixel}", isa.name());
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_goes_to_its_place_and_nothing_else_is_touched(
            channels in 1usize..50, count in 1usize..80, gap in 0usize..5,
        ) {
            check::<f32>(channels, count, gap);
            check::<bf16>(channels, count, gap);
        }
    }
}
