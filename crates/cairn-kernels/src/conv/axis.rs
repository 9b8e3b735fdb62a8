//! The index arithmetic of convolutions, one axis at a time: which pixels read which.
//!
//! An output pixel of a convolution reads input pixels at fixed distances. A pixel of the gradient to the input reads
//! pixels of the gradient to the output in the same way, but with stride s the distances repeat every s pixels: there
//! are s phases along each axis. An [`Axis`] describes the forward pass, or one phase of the gradient. So both are the
//! same computation.

use std::ops::Range;

/// Positions of a destination map along one axis that all read their sources in the same way.
///
/// Destination position `first + i * step`, for `i < count`, reads for each tap `t < taps` the source position
/// `source_first + i * source_step + t` (zero outside of the source map), with weight `first_tap + t` in the order
/// of the packed weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) first: usize,
    pub(crate) step: usize,
    pub(crate) count: usize,
    pub(crate) source_first: isize,
    pub(crate) source_step: usize,
    pub(crate) first_tap: usize,
    pub(crate) taps: usize,
}

/// Destination pixels that read their sources in the same way, along both axes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep {
    pub(crate) rows: Axis,
    pub(crate) columns: Axis,
}

/// Successive source positions, which may be outside of the map on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: isize,
    pub(crate) count: usize,
}

impl Axis {
    /// The forward pass: the source is the input map, the destination the output map of `positions`.
    pub(crate) fn forward(kernel: usize, stride: usize, padding: usize, positions: usize) -> Self {
        Self {
            first: 0,
            step: 1,
            count: positions,
            source_first: -(padding as isize),
            source_step: stride,
            first_tap: 0,
            taps: kernel,
        }
    }

    /// The gradient to the input, by phase: the source is the gradient to the output, the destination the gradient to
    /// an input map of `map` positions. The weights must be packed in [`backward_taps`]' order.
    ///
    /// Output `o` reads input `i` with tap `k` where `o * stride + k = i + padding`.
    pub(crate) fn backward(kernel: usize, stride: usize, padding: usize, map: usize) -> Vec<Self> {
        let mut first_tap = 0;
        let mut phases = Vec::new();
        for phase in 0..stride {
            // The taps of this phase are phase, phase + stride, ...; the last reads the leftmost output.
            let taps = kernel.saturating_sub(phase).div_ceil(stride);
            let first = (phase + stride - padding % stride) % stride;
            if first < map {
                let leftmost = (first + padding) as isize - (phase + taps * stride) as isize;
                phases.push(Self {
                    first,
                    step: stride,
                    count: (map - first).div_ceil(stride),
                    source_first: leftmost / stride as isize + 1,
                    source_step: 1,
                    first_tap,
                    taps,
                });
            }
            first_tap += taps;
        }
        phases
    }

    /// The source positions that destinations `range` read.
    pub(crate) fn span(&self, range: &Range<usize>) -> Span {
        Span {
            first: self.source_first + (range.start * self.source_step) as isize,
            count: (range.len() - 1) * self.source_step + self.taps,
        }
    }

    /// Whether every source position is in a map of `map` positions.
    pub(crate) fn stays_inside(&self, map: usize) -> bool {
        let Span { first, count } = self.span(&(0..self.count));
        first >= 0 && first as usize + count <= map
    }
}

/// The order of the taps in weights packed for the gradient to the input: phase after phase, and in each phase from the
/// last tap to the first, since a later tap reads an earlier output.
pub(crate) fn backward_taps(kernel: usize, stride: usize) -> Vec<usize> {
    (0..stride).flat_map(|phase| (phase..kernel).step_by(stride).rev()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn phases_read_exactly_the_pairs_that_the_forward_pass_reads(
            map in 1usize..20, kernel in 1usize..8, stride in 1usize..4, padding in 0usize..9,
        ) {
            prop_assume!(map + 2 * padding >= kernel);
            let outputs = (map + 2 * padding - kernel) / stride + 1;
            let mut forward = Vec::new();
            let axis = Axis::forward(kernel, stride, padding, outputs);
            for output in 0..axis.count {
                for tap in 0..axis.taps {
                    let input = axis.source_first + (output * axis.source_step + tap) as isize;
                    if (0..map as isize).contains(&input) {
                        forward.push((input as usize, output, axis.first_tap + tap));
                    }
                }
            }
            let order = backward_taps(kernel, stride);
            let mut backward = Vec::new();
            let mut inputs = Vec::new();
            for axis in Axis::backward(kernel, stride, padding, map) {
                for i in 0..axis.count {
                    let input = axis.first + i * axis.step;
                    inputs.push(input);
                    for tap in 0..axis.taps {
                        let output = axis.source_first + (i * axis.source_step + tap) as isize;
                        if (0..outputs as isize).contains(&output) {
                            backward.push((input, output as usize, order[axis.first_tap + tap]));
                        }
                    }
                }
            }
            forward.sort_unstable();
            backward.sort_unstable();
            prop_assert_eq!(forward, backward);
            inputs.sort_unstable();
            prop_assert!(inputs.into_iter().eq(0..map), "every input pixel belongs to one phase");
        }
    }
}
