//! Depthwise convolutions of bf16 maps by dot products of pairs (`VDPBF16PS`).
//!
//! 32 channels of a pixel are a vector of 16 pairs. Its dot product with weights whose odd halves are zero is the products of the
//! even channels, in f32, and the other way round. So no value is widened before it is multiplied, and a vector of weights
//! serves several pixels of a row. What is not finite in one channel of a pair spoils the other too.
//!
//! For some rows of the destination the sources of 32 channels are copied into a patch, padded, so that they are together in
//! the first-level cache and no pixel is at an edge.

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _mm512_add_ps, _mm512_and_si512, _mm512_castsi512_ps, _mm512_cvtne2ps_pbh,
    _mm512_dpbf16_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_storeu_epi16,
    _mm512_maskz_loadu_epi16, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_permutex2var_ps,
    _mm512_permutexvar_epi16, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512,
    _mm512_slli_epi32, _mm512_storeu_si512,
};
use std::mem::transmute;
use std::ops::Range;

use half::bf16;

use super::readings::Readings;
use crate::aligned::{AlignedWords, Word};
use crate::clamp::Bounds;
use crate::conv::axis::Axis;
use crate::conv::epilogue::Epilogue;
use crate::conv::paired_weights::CHANNELS;
use crate::disjoint_slice::DisjointSlice;
use crate::isa::Isa;
use crate::memory::with_scratch;
use crate::microkernel::{MAX_ROWS, row_tiles};
use crate::shape::Extent;
use crate::team::spread;

/// Words of 32 channels of a pixel.
const PIXEL_WORDS: usize = CHANNELS / 2;
/// Words of a patch, at most, unless one row of the destination needs more: 64 KiB.
const PATCH_WORDS: usize = 16 * 1024;
/// Pixels x blocks of channels of a task, at least: some microseconds.
const TASK_VECTORS: usize = 512;
/// Tasks, where there is enough to do for so many.
const TASKS: usize = 32;

/// A depthwise product of maps.
pub(super) struct Product<'a> {
    /// What each row of the destination reads.
    pub(super) rows: &'a Readings,
    /// How its columns read theirs, and the order of the taps: see [`Axis`].
    pub(super) axes: &'a [Axis],
    pub(super) tap_order: &'a [usize],
    /// The source's photos.
    pub(super) pixels: &'a [bf16],
    pub(super) source: Extent,
    pub(super) destination: Extent,
    pub(super) channels: usize,
    /// See [`pack`](crate::conv::paired_weights::pack).
    pub(super) weights: &'a [Word],
    pub(super) kernel_width: usize,
    pub(super) epilogue: Epilogue<'a, bf16>,
}

/// Some rows of a photo's destination, and some blocks of 32 channels.
struct Task {
    photo: usize,
    rows: Range<usize>,
    blocks: Range<usize>,
}

/// The sources of 32 channels for some rows of the destination.
#[derive(Clone, Copy)]
struct Patch {
    start: *const Word,
    /// The source's row and column that it begins with; columns outside of the map are zero.
    first_row: usize,
    first_column: isize,
    columns: usize,
}

/// Neighbouring pixels of a row of the destination, 32 channels.
#[derive(Clone, Copy)]
struct Tile<'a> {
    axis: &'a Axis,
    first: usize,
    /// Where the row begins in the output, in pixels.
    row_start: usize,
    channel: usize,
    /// The channels that are there.
    mask: u32,
    bias: [__m512; 2],
}

/// Where each channel's value is among those of the even channels, followed by those of the odd.
const IN_ORDER: [u16; CHANNELS] = {
    let mut order = [0; CHANNELS];
    let mut channel = 0;
    while channel < CHANNELS {
        order[channel] = (channel / 2 + channel % 2 * (CHANNELS / 2)) as u16;
        channel += 1;
    }
    order
};

/// Where the even channels' values are among those of 32 channels, and the odd channels'.
const EVEN: [u32; 16] = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30];
const ODD: [u32; 16] = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31];

impl Product<'_> {
    /// Computes it into `output`, photo after photo.
    ///
    /// # Panics
    /// When the machine has no AVX-512 with bf16.
    pub(super) fn run(&self, output: &mut [bf16]) {
        Isa::Avx512Bf16.require();
        let output = DisjointSlice::new(output);
        let tasks = self.tasks(output.len() / (self.destination.area() * self.channels));
        spread(tasks.len(), |task| {
            let task = &tasks[task];
            with_scratch(|patch: &mut AlignedWords| {
                for block in task.blocks.clone() {
                    // SAFETY: the instructions are there, as checked above, and no two tasks have a pixel and a block in common.
                    unsafe { self.block(task, block * CHANNELS, patch, output) };
                }
            });
        });
    }

    fn tasks(&self, photos: usize) -> Vec<Task> {
        let Extent { height, width } = self.destination;
        let blocks = self.channels.div_ceil(CHANNELS);
        let row_words = self.columns().len() * PIXEL_WORDS * self.source.height.div_ceil(height);
        let rows = (PATCH_WORDS / row_words.max(1)).clamp(1, height);
        let bands = height.div_ceil(rows);
        let rows = height.div_ceil(bands);
        let each =
            (photos * bands * blocks / TASKS).max(TASK_VECTORS.div_ceil(rows * width)).clamp(1, blocks);
        let parts = |end: usize, each: usize| (0..end).step_by(each).map(move |at| at..end.min(at + each));
        (0..photos)
            .flat_map(|photo| parts(height, rows).map(move |rows| (photo, rows)))
            .flat_map(|(photo, rows)| {
                parts(blocks, each).map(move |blocks| Task { photo, rows: rows.clone(), blocks })
            })
            .collect()
    }

    /// The source's columns that are read, also outside of the map.
    fn columns(&self) -> Range<isize> {
        let spans = self.axes.iter().map(|axis| axis.span(&(0..axis.count)));
        let (mut first, mut end) = (isize::MAX, isize::MIN);
        for span in spans.filter(|span| span.count > 0) {
            (first, end) = (first.min(span.first), end.max(span.first + span.count as isize));
        }
        if first < end { first..end } else { 0..0 }
    }

    /// Computes the channels from `channel` on of a task's rows.
    ///
    /// # Safety
    /// The machine must have AVX-512 with bf16, and while this runs nothing else may use this part of the output.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    unsafe fn block(
        &self,
        task: &Task,
        channel: usize,
        words: &mut AlignedWords,
        output: DisjointSlice<'_, bf16>,
    ) {
        let there = (self.channels - channel).min(CHANNELS);
        let mask = u32::MAX >> (CHANNELS - there);
        let bias = self.bias(channel, mask);
        // SAFETY: the instructions are there.
        let patch = unsafe { self.copy(task, channel, mask, words) };
        for row in task.rows.clone() {
            let row_start = (task.photo * self.destination.height + row) * self.destination.width;
            for axis in self.axes {
                for (first, pixels) in row_tiles(axis.count) {
                    let tile = Tile { axis, first, row_start, channel, mask, bias };
                    // SAFETY: as the caller promises, and the patch is that of the task's rows.
                    unsafe {
                        match pixels {
                            1 => self.sums::<1>(patch, row, tile, output),
                            2 => self.sums::<2>(patch, row, tile, output),
                            3 => self.sums::<3>(patch, row, tile, output),
                            4 => self.sums::<4>(patch, row, tile, output),
                            5 => self.sums::<5>(patch, row, tile, output),
                            _ => self.sums::<MAX_ROWS>(patch, row, tile, output),
                        }
                    }
                }
            }
        }
    }

    /// Copies the sources of some channels that the task's rows read.
    ///
    /// # Safety
    /// The machine must have AVX-512 with bf16.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    unsafe fn copy(&self, task: &Task, channel: usize, mask: u32, words: &mut AlignedWords) -> Patch {
        let columns = self.columns();
        let (mut first_row, mut end_row) = (usize::MAX, 0);
        for reading in task.rows.clone().flat_map(|row| self.rows.of(row)) {
            (first_row, end_row) = (first_row.min(reading.source), end_row.max(reading.source + 1));
        }
        let rows = end_row.saturating_sub(first_row);
        words.reserve(rows * columns.len() * PIXEL_WORDS);
        let patch = words.as_mut_slice::<Word>(rows * columns.len() * PIXEL_WORDS);
        let width = self.source.width as isize;
        for (row, line) in patch.chunks_exact_mut((columns.len() * PIXEL_WORDS).max(1)).enumerate() {
            let row = (task.photo * self.source.height + first_row + row) * self.source.width;
            for (column, to) in columns.clone().zip(line.as_chunks_mut::<PIXEL_WORDS>().0) {
                let values = if (0..width).contains(&column) {
                    let from = self.pixels[(row + column as usize) * self.channels + channel..].as_ptr();
                    // SAFETY: the mask ends with the pixel's channels.
                    unsafe { load(from, mask) }
                } else {
                    _mm512_setzero_si512()
                };
                // SAFETY: there is room for 32 channels.
                unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), values) };
            }
        }
        Patch { start: words.as_ptr(), first_row, first_column: columns.start, columns: columns.len() }
    }

    /// # Safety
    /// As [`Self::block`], the tile's part of the output, and the patch must hold what the row reads.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    unsafe fn sums<const PIXELS: usize>(
        &self,
        patch: Patch,
        row: usize,
        Tile { axis, first, row_start, channel, mask, bias: [even, odd] }: Tile<'_>,
        output: DisjointSlice<'_, bf16>,
    ) {
        let (mut evens, mut odds) = ([even; PIXELS], [odd; PIXELS]);
        let tap_words = self.channels.next_multiple_of(CHANNELS);
        let step = axis.source_step * PIXEL_WORDS;
        let column = axis.source_first + (first * axis.source_step) as isize - patch.first_column;
        for reading in self.rows.of(row) {
            let line = (reading.source - patch.first_row) * patch.columns;
            // Without taps nothing is read, and its place may be outside.
            let mut from = patch.start.wrapping_offset((line as isize + column) * PIXEL_WORDS as isize);
            for order in &self.tap_order[axis.first_tap..][..axis.taps] {
                let at = (reading.tap * self.kernel_width + order) * tap_words + channel;
                // SAFETY: the tap is in the weights, which have whole vectors of channels.
                let (even, odd) = unsafe {
                    let weights = self.weights.as_ptr().add(at);
                    (load_words(weights), load_words(weights.add(PIXEL_WORDS)))
                };
                for pixel in 0..PIXELS {
                    // SAFETY: every pixel that is read is in the patch.
                    let values = unsafe { load_words(from.add(pixel * step)) };
                    evens[pixel] = _mm512_dpbf16_ps(evens[pixel], values, even);
                    odds[pixel] = _mm512_dpbf16_ps(odds[pixel], values, odd);
                }
                from = from.wrapping_add(PIXEL_WORDS);
            }
        }
        // SAFETY: every bit pattern is a value.
        let in_order = unsafe { transmute::<[u16; CHANNELS], __m512i>(IN_ORDER) };
        let Bounds { low, high } = self.epilogue.activation.bounds();
        let (low, high) = (_mm512_set1_ps(low), _mm512_set1_ps(high));
        for pixel in 0..PIXELS {
            let at = (row_start + axis.first + (first + pixel) * axis.step) * self.channels + channel;
            let (mut even, mut odd) = (evens[pixel], odds[pixel]);
            if let Some(residual) = self.epilogue.residual {
                // SAFETY: the residual has the output's pixels, and the mask ends with their channels.
                let values = unsafe { load(residual.as_ptr().add(at), mask) };
                let odds = _mm512_and_si512(values, _mm512_set1_epi32(!0xffff));
                even = _mm512_add_ps(even, _mm512_castsi512_ps(_mm512_slli_epi32::<16>(values)));
                odd = _mm512_add_ps(odd, _mm512_castsi512_ps(odds));
            }
            // In this order a NaN stays one.
            even = _mm512_min_ps(high, _mm512_max_ps(low, even));
            odd = _mm512_min_ps(high, _mm512_max_ps(low, odd));
            // SAFETY: both types are 512 bits, any of which are a value.
            let rounded = unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(odd, even)) };
            let rounded = _mm512_permutexvar_epi16(in_order, rounded);
            // SAFETY: the pixel is in the output, and the mask ends with its channels.
            unsafe {
                let to = output.start().add(at);
                if mask == u32::MAX {
                    _mm512_storeu_si512(to.cast(), rounded);
                } else {
                    _mm512_mask_storeu_epi16(to.cast(), mask, rounded);
                }
            }
        }
    }

    /// The bias of the even and of the odd channels among those of a mask, from `first` on.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    fn bias(&self, first: usize, mask: u32) -> [__m512; 2] {
        let Some(bias) = self.epilogue.bias else { return [_mm512_setzero_ps(); 2] };
        let bias = &bias[first..first + mask.count_ones() as usize];
        // SAFETY: the mask ends with the bias; where its second half is empty, nothing is read.
        let [left, right] = unsafe {
            let from = bias.as_ptr();
            let right = from.wrapping_add(CHANNELS / 2);
            [_mm512_maskz_loadu_ps(mask as u16, from), _mm512_maskz_loadu_ps((mask >> 16) as u16, right)]
        };
        // SAFETY: every bit pattern is a value.
        let (even, odd) =
            unsafe { (transmute::<[u32; 16], __m512i>(EVEN), transmute::<[u32; 16], __m512i>(ODD)) };
        [_mm512_permutex2var_ps(left, even, right), _mm512_permutex2var_ps(left, odd, right)]
    }
}

/// A vector of 32 channels, those of the mask, with zeros beyond.
///
/// # Safety
/// The address must hold the channels of the mask.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
unsafe fn load(from: *const bf16, mask: u32) -> __m512i {
    // SAFETY: the caller vouches for the channels.
    unsafe {
        if mask == u32::MAX {
            _mm512_loadu_si512(from.cast())
        } else {
            _mm512_maskz_loadu_epi16(mask, from.cast())
        }
    }
}

/// Sixteen pairs.
///
/// # Safety
/// The address must hold sixteen words.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
unsafe fn load_words(from: *const Word) -> __m512bh {
    // SAFETY: the caller vouches for the words, and both types are 512 bits, any of which are a value.
    unsafe { transmute::<__m512, __m512bh>(_mm512_loadu_ps(from.cast())) }
}
