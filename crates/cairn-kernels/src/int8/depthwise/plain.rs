//! Depthwise convolutions tap after tap, in plain Rust for every instruction set.

use super::Walk;
use crate::int8::quantisation::level;
use crate::int8::requantise::Requantise;
use crate::isa::Isa;
use crate::lanes::blocks;
use crate::shape::Extent;
use crate::vectorised::vectorised;

/// Weights of every tap, all channels of one after those of the other.
#[derive(Debug)]
pub(in crate::int8) struct Plain {
    isa: Isa,
    kernel: Extent,
    /// Wide enough that a product needs no second step.
    weights: Vec<i16>,
    requantise: Requantise,
}

impl Plain {
    pub(super) fn new(isa: Isa, kernel: Extent, weights: &[i8], requantise: Requantise) -> Self {
        let (taps, channels) = (kernel.area(), weights.len() / kernel.area());
        let by_tap = (0..taps).flat_map(|tap| (0..channels).map(move |channel| channel * taps + tap));
        Self { isa, kernel, weights: by_tap.map(|at| i16::from(weights[at])).collect(), requantise }
    }

    /// Computes one output row.
    pub(super) fn row(&self, walk: &Walk<'_>, lines: &[Option<&[u8]>], output: &mut [u8]) {
        row(self.isa, self, walk, lines, output);
    }
}

vectorised! {
    fn row(plain: &Plain, walk: &Walk<'_>, lines: &[Option<&[u8]>], output: &mut [u8]) {
        for (x, output) in output.chunks_exact_mut(walk.channels).enumerate() {
            for (first, width) in blocks(walk.channels) {
                match width {
                    64 => block::<64>(plain, walk, lines, x, first, output),
                    32 => block::<32>(plain, walk, lines, x, first, output),
                    16 => block::<16>(plain, walk, lines, x, first, output),
                    8 => block::<8>(plain, walk, lines, x, first, output),
                    _ => block::<1>(plain, walk, lines, x, first, output),
                }
            }
        }
    }
}

/// Computes some channels, from `first` on, of one pixel.
#[inline(always)]
fn block<const LANES: usize>(
    plain: &Plain,
    walk: &Walk<'_>,
    lines: &[Option<&[u8]>],
    x: usize,
    first: usize,
    output: &mut [u8],
) {
    let mut sums = [0_i32; LANES];
    for (row, line) in lines.iter().enumerate() {
        for column in 0..plain.kernel.width {
            let source = match (line, walk.inside(x * walk.stride + column)) {
                (Some(line), Some(pixel)) => &line[pixel * walk.channels + first..][..LANES],
                _ => &walk.zeros[first..][..LANES],
            };
            let tap = (row * plain.kernel.width + column) * walk.channels + first;
            let weights = &plain.weights[tap..][..LANES];
            for lane in 0..LANES {
                sums[lane] += i32::from(source[lane]) * i32::from(weights[lane]);
            }
        }
    }
    let Requantise { scales, offsets, low, high, residual: _ } = &plain.requantise;
    let (scales, offsets) = (&scales[first..][..LANES], &offsets[first..][..LANES]);
    let output = &mut output[first..][..LANES];
    for lane in 0..LANES {
        output[lane] = level(sums[lane] as f32 * scales[lane] + offsets[lane], *low, *high);
    }
}
