//! Sums over all pixels of a map, channel by channel.

use rayon::prelude::*;

/// Elements that one task sums at a time: a stretch that stays in the second-level cache.
const STRETCH: usize = 16 * 1024;

/// Pixels of a stretch of a map, for a number of channels.
///
/// It depends on the channels alone, so that sums over stretches have the same bits on any number of threads.
pub(crate) fn stretch_pixels(channels: usize) -> usize {
    (STRETCH / channels).max(1)
}

/// Sums what `sum_stretch` finds for each stretch of pixels, given as its index: in f32 within a stretch, in f64 from one
/// to the next, in order.
pub(crate) fn channel_sums<const N: usize>(
    pixels: usize,
    channels: usize,
    sum_stretch: impl Fn(usize, [&mut [f32]; N]) + Sync,
) -> [Vec<f64>; N] {
    let stretches = pixels.div_ceil(stretch_pixels(channels));
    let parts: Vec<[Vec<f32>; N]> = (0..stretches)
        .into_par_iter()
        .map(|stretch| {
            let mut sums = std::array::from_fn(|_| vec![0.0; channels]);
            sum_stretch(stretch, sums.each_mut().map(Vec::as_mut_slice));
            sums
        })
        .collect();
    let mut totals = std::array::from_fn(|_| vec![0.0; channels]);
    for part in &parts {
        for (totals, sums) in totals.iter_mut().zip(part) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total += f64::from(*sum);
            }
        }
    }
    totals
}
