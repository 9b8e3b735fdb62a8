//! The end of a tile of bf16 maps where the processor rounds vectors to bf16 by itself (`VCVTNEPS2BF16`).

use std::arch::x86_64::{
    __m256bh, __m256i, __m512, _mm256_loadu_si256, _mm256_mask_storeu_epi16, _mm256_maskz_loadu_epi16,
    _mm256_storeu_si256, _mm512_add_ps, _mm512_castsi512_ps, _mm512_cvtepu16_epi32, _mm512_cvtneps_pbh,
    _mm512_loadu_ps, _mm512_maskz_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_set1_ps, _mm512_slli_epi32,
};
use std::mem::transmute;

use half::bf16;

use crate::clamp::Bounds;
use crate::isa::Isa;
use crate::microkernel::Panel;

/// Channels in a vector of sums.
const LANES: usize = 16;

/// The sums of some pixels, and where they go.
pub(super) struct Tile<'a> {
    /// `panel.width` for each pixel.
    pub(super) sums: &'a [f32],
    pub(super) panel: Panel,
    /// The pixels' indices in the map.
    pub(super) pixels: &'a [usize],
    /// Channels of the map.
    pub(super) channels: usize,
    pub(super) bias: Option<&'a [f32]>,
    pub(super) residual: Option<&'a [bf16]>,
    pub(super) bounds: Bounds,
    /// The map.
    pub(super) output: *mut bf16,
}

impl Tile<'_> {
    /// Finishes the sums and stores them.
    ///
    /// # Safety
    /// `output` must be a map that has the pixels, `residual` one of its size, and while this runs nothing else may use the
    /// pixels' part of `output`, the panel's channels.
    ///
    /// # Panics
    /// When the machine has no AVX-512 with bf16.
    pub(super) unsafe fn finish(&self) {
        Isa::Avx512Bf16.require();
        // SAFETY: the instructions are there, as just checked, and the caller vouches for the maps.
        unsafe {
            match (self.bias.is_some(), self.residual.is_some()) {
                (false, false) => self.vectors::<false, false>(),
                (true, false) => self.vectors::<true, false>(),
                (false, true) => self.vectors::<false, true>(),
                (true, true) => self.vectors::<true, true>(),
            }
        }
    }

    /// # Safety
    /// As [`Self::finish`], and the machine must have AVX-512 with bf16.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512bf16")]
    unsafe fn vectors<const BIAS: bool, const RESIDUAL: bool>(&self) {
        let Panel { first, width, outputs } = self.panel;
        let (low, high) = (_mm512_set1_ps(self.bounds.low), _mm512_set1_ps(self.bounds.high));
        let bias = &self.bias.unwrap_or_default()[if BIAS { first..first + outputs } else { 0..0 }];
        assert!(self.sums.len() >= self.pixels.len() * width, "a sum for each pixel and channel");
        for channel in (0..outputs).step_by(LANES) {
            let lanes = (outputs - channel).min(LANES);
            let mask = u16::MAX >> (LANES - lanes);
            let bias = if BIAS {
                // SAFETY: the mask ends with the bias.
                unsafe { _mm512_maskz_loadu_ps(mask, bias.as_ptr().add(channel)) }
            } else {
                _mm512_set1_ps(0.0)
            };
            for (row, pixel) in self.pixels.iter().enumerate() {
                let at = pixel * self.channels + first + channel;
                // SAFETY: a panel is whole vectors wide, and there are sums for all pixels, as checked above.
                let mut sum = unsafe { _mm512_loadu_ps(self.sums.as_ptr().add(row * width + channel)) };
                if BIAS {
                    sum = _mm512_add_ps(sum, bias);
                }
                if let (true, Some(residual)) = (RESIDUAL, self.residual) {
                    // SAFETY: the pixel is in the map, and the mask ends with the panel's channels.
                    sum = _mm512_add_ps(sum, unsafe { widened(residual.as_ptr().add(at), mask) });
                }
                // In this order a NaN stays one.
                sum = _mm512_min_ps(high, _mm512_max_ps(low, sum));
                // SAFETY: both types are 256 bits, any of which are a value.
                let rounded = unsafe { transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(sum)) };
                // SAFETY: as for the residual, and nothing else uses this part of the output.
                unsafe {
                    let to = self.output.add(at);
                    if lanes == LANES {
                        _mm256_storeu_si256(to.cast(), rounded);
                    } else {
                        _mm256_mask_storeu_epi16(to.cast(), mask, rounded);
                    }
                }
            }
        }
    }
}

/// The values at an address as f32, as many as the mask has; zeros beyond.
///
/// # Safety
/// The machine must have AVX-512 with BW and VL, and the address hold as many values as the mask has.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
unsafe fn widened(from: *const bf16, mask: u16) -> __m512 {
    // SAFETY: the caller vouches for the values.
    let values = unsafe {
        if mask == u16::MAX {
            _mm256_loadu_si256(from.cast())
        } else {
            _mm256_maskz_loadu_epi16(mask, from.cast())
        }
    };
    _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(values)))
}
