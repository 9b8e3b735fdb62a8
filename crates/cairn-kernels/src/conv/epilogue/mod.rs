//! The epilogue of a convolution: what is done to its sums before they are stored.

#[cfg(target_arch = "x86_64")]
mod bf16;

use crate::clamp::Clamp;
use crate::disjoint_slice::DisjointSlice;
use crate::element::Element;
use crate::isa::Isa;
use crate::microkernel::Panel;
use crate::vectorised::vectorised;

/// The end of a forward convolution: `activation(sums + bias + residual)`.
///
/// With batch norm folded into the weights and the bias (see [`FoldedBatchNorm`](crate::batch_norm::FoldedBatchNorm)),
/// this is convolution, batch norm, residual add and activation in one pass over the output.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a, T> {
    /// One value per output channel.
    pub bias: Option<&'a [f32]>,
    /// A map of the output's shape.
    pub residual: Option<&'a [T]>,
    /// The activation.
    pub activation: Clamp,
}

impl<T> Default for Epilogue<'_, T> {
    /// The sums as they are.
    fn default() -> Self {
        Self { bias: None, residual: None, activation: Clamp::Identity }
    }
}

/// Finishes the sums of some pixels (`panel.width` apart) and stores them at the pixels' indices.
///
/// # Safety
/// While this runs, nothing else may use these pixels' part of `output`, the panel's channels.
pub(crate) unsafe fn finish_tile<T: Element>(
    isa: Isa,
    sums: &[f32],
    panel: Panel,
    pixels: &[usize],
    channels: usize,
    epilogue: Epilogue<'_, T>,
    output: DisjointSlice<'_, T>,
) {
    #[cfg(target_arch = "x86_64")]
    if isa.vectors() == Isa::Avx512Bf16
        && let Some(map) = T::bf16_address(output.start())
    {
        let (bias, bounds) = (epilogue.bias, epilogue.activation.bounds());
        let residual = epilogue.residual.and_then(T::as_bf16);
        let last = pixels.iter().max().map_or(0, |last| last * channels + panel.first + panel.outputs);
        assert!(last <= output.len(), "pixels outside of the map");
        let tile = bf16::Tile { sums, panel, pixels, channels, bias, residual, bounds, output: map };
        // SAFETY: the pixels are in the map, as just checked, and so in the residual, a map of its size. For the rest the
        // caller vouches.
        return unsafe { tile.finish() };
    }
    // SAFETY: as the caller promises.
    unsafe { finish_in_loops(isa, sums, panel, pixels, channels, epilogue, output) }
}

vectorised! {
    /// [`finish_tile`] in plain loops.
    ///
    /// # Safety
    /// As there.
    #[allow(clippy::too_many_arguments)]
    unsafe fn finish_in_loops<T: Element>(
        sums: &[f32],
        panel: Panel,
        pixels: &[usize],
        channels: usize,
        epilogue: Epilogue<'_, T>,
        output: DisjointSlice<'_, T>,
    ) {
        let bounds = epilogue.activation.bounds();
        for (sums, pixel) in sums.chunks_exact(panel.width).zip(pixels) {
            let at = pixel * channels + panel.first..pixel * channels + panel.first + panel.outputs;
            // SAFETY: nothing else uses this part, as the caller promises.
            let output = unsafe { output.part(at.clone()) };
            let sums = &sums[..panel.outputs];
            match (epilogue.bias, epilogue.residual) {
                (None, None) => {
                    for (to, sum) in output.iter_mut().zip(sums) {
                        *to = T::from_f32(bounds.clamp(*sum));
                    }
                }
                (Some(bias), None) => {
                    let bias = &bias[panel.first..][..panel.outputs];
                    for ((to, sum), bias) in output.iter_mut().zip(sums).zip(bias) {
                        *to = T::from_f32(bounds.clamp(sum + bias));
                    }
                }
                (None, Some(residual)) => {
                    for ((to, sum), residual) in output.iter_mut().zip(sums).zip(&residual[at]) {
                        *to = T::from_f32(bounds.clamp(sum + residual.to_f32()));
                    }
                }
                (Some(bias), Some(residual)) => {
                    let bias = &bias[panel.first..][..panel.outputs];
                    for (((to, sum), bias), residual) in output.iter_mut().zip(sums).zip(bias).zip(&residual[at]) {
                        *to = T::from_f32(bounds.clamp(sum + bias + residual.to_f32()));
                    }
                }
            }
        }
    }
}
