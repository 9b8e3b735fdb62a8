//! Depthwise convolutions: every channel on its own, so there is nothing to share but the vectors of channels.

use std::ops::Range;

use rayon::prelude::*;

use super::axis::{Axis, backward_taps};
use super::epilogue::Epilogue;
use super::pack::{Direction, PackedWeights};
use crate::activation::Bounds;
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};
use crate::vectorised::vectorised;

/// Channels that are summed at a time, in registers.
const LANES: usize = 16;

/// A source position that a destination position reads, and through which tap.
#[derive(Clone, Copy, Debug)]
struct Reading {
    source: usize,
    tap: usize,
}

/// What every destination position along an axis reads.
fn readings(axes: &[Axis], tap_order: &[usize], destinations: usize, sources: usize) -> Vec<Vec<Reading>> {
    let mut all = vec![Vec::new(); destinations];
    for axis in axes {
        for i in 0..axis.count {
            for tap in 0..axis.taps {
                let source = axis.source_first + (i * axis.source_step + tap) as isize;
                if (0..sources as isize).contains(&source) {
                    let reading = Reading { source: source as usize, tap: tap_order[axis.first_tap + tap] };
                    all[axis.first + i * axis.step].push(reading);
                }
            }
        }
    }
    all
}

/// What every pixel of a destination map reads.
struct Gather {
    rows: Vec<Vec<Reading>>,
    columns: Vec<Vec<Reading>>,
    source: Extent,
    kernel_width: usize,
    channels: usize,
}

impl Gather {
    fn new(shape: &Conv2dShape, direction: Direction) -> Self {
        let Conv2dOptions { map, inputs, kernel, stride, padding, .. } = *shape.options();
        let output = shape.output_map();
        let along = |kernel: usize, map: usize, output: usize| match direction {
            Direction::Forward => {
                let axis = Axis::forward(kernel, stride, padding, output);
                readings(&[axis], &(0..kernel).collect::<Vec<_>>(), output, map)
            }
            Direction::InputGradient => readings(
                &Axis::backward(kernel, stride, padding, map),
                &backward_taps(kernel, stride),
                map,
                output,
            ),
        };
        Self {
            rows: along(kernel.height, map.height, output.height),
            columns: along(kernel.width, map.width, output.width),
            source: match direction {
                Direction::Forward => map,
                Direction::InputGradient => output,
            },
            kernel_width: kernel.width,
            channels: inputs,
        }
    }
}

/// Convolves `source` in the direction that the weights were packed for.
pub(crate) fn gather<T: Element>(
    shape: &Conv2dShape,
    source: &[T],
    weights: &PackedWeights<T>,
    epilogue: Epilogue<'_, T>,
    output: &mut [T],
) {
    let gather = Gather::new(shape, weights.direction);
    let weight = weights.words.as_slice::<f32>(shape.weight_len());
    let zeros = vec![0.0; gather.channels];
    let bias = epilogue.bias.unwrap_or(&zeros);
    let bounds = epilogue.activation.bounds();
    let row_len = gather.columns.len() * gather.channels;
    output.par_chunks_exact_mut(row_len).enumerate().for_each(|(row, output)| {
        let photo = row / gather.rows.len();
        let residual = epilogue.residual.map(|residual| &residual[row * row_len..][..row_len]);
        let finish = Finish { bias, residual, bounds };
        let photo_len = gather.source.area() * gather.channels;
        let source = &source[photo * photo_len..][..photo_len];
        gather_row(
            weights.isa,
            &gather,
            &gather.rows[row % gather.rows.len()],
            source,
            weight,
            finish,
            output,
        );
    });
}

/// What is done to a row's sums.
#[derive(Clone, Copy)]
struct Finish<'a, T> {
    bias: &'a [f32],
    residual: Option<&'a [T]>,
    bounds: Bounds,
}

vectorised! {
    /// Computes one row of a photo's destination map.
    fn gather_row<T: Element>(
        gather: &Gather,
        rows: &[Reading],
        source: &[T],
        weights: &[f32],
        finish: Finish<'_, T>,
        output: &mut [T],
    ) {
        let channels = gather.channels;
        for (x, (pixel, columns)) in output.chunks_exact_mut(channels).zip(&gather.columns).enumerate() {
            for (block, output) in pixel.chunks_mut(LANES).enumerate() {
                let (first, count) = (block * LANES, output.len());
                let mut sums = [0.0; LANES];
                for row in rows {
                    for column in columns {
                        let tap = row.tap * gather.kernel_width + column.tap;
                        let at = row.source * gather.source.width + column.source;
                        let source = &source[at * channels + first..][..count];
                        let weights = &weights[tap * channels + first..][..count];
                        add_products(source, weights, &mut sums);
                    }
                }
                let residual = finish.residual.map(|residual| &residual[x * channels + first..][..count]);
                let bias = &finish.bias[first..][..count];
                for (i, to) in output.iter_mut().enumerate() {
                    let residual = residual.map_or(0.0, |residual| residual[i].to_f32());
                    *to = T::from_f32(finish.bounds.clamp(sums[i] + bias[i] + residual));
                }
            }
        }
    }
}

/// Adds the products of up to [`LANES`] pairs.
#[inline(always)]
fn add_products<T: Element, U: Element>(left: &[T], right: &[U], sums: &mut [f32; LANES]) {
    if let (Ok(left), Ok(right)) = (<&[T; LANES]>::try_from(left), <&[U; LANES]>::try_from(right)) {
        for lane in 0..LANES {
            sums[lane] += left[lane].to_f32() * right[lane].to_f32();
        }
        return;
    }
    for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
        *sum += left.to_f32() * right.to_f32();
    }
}

/// Writes the gradient to the weights, in their own layout.
///
/// Each photo is summed on its own, and the photos are added up in order: the bits do not depend on the threads.
pub(crate) fn weight_gradient<T: Element>(
    isa: Isa,
    shape: &Conv2dShape,
    input: &[T],
    output_gradient: &[T],
    gradient: &mut [f32],
) {
    let Conv2dOptions { map, inputs: channels, kernel, .. } = *shape.options();
    let gather = Gather::new(shape, Direction::Forward);
    let photos = input
        .par_chunks_exact(map.area() * channels)
        .zip(output_gradient.par_chunks_exact(shape.output_map().area() * channels));
    let sums: Vec<Vec<f32>> = photos
        .map(|(input, output_gradient)| {
            let mut sums = vec![0.0; kernel.area() * channels];
            for (y, row) in output_gradient.chunks_exact(gather.columns.len() * channels).enumerate() {
                for reading in &gather.rows[y] {
                    let input = &input[reading.source * map.width * channels..][..map.width * channels];
                    let taps = reading.tap * kernel.width..(reading.tap + 1) * kernel.width;
                    let sums = &mut sums[taps.start * channels..taps.end * channels];
                    add_row(isa, &gather.columns, channels, input, row, sums);
                }
            }
            sums
        })
        .collect();
    for (channel, weights) in gradient.chunks_exact_mut(kernel.area()).enumerate() {
        for (tap, to) in weights.iter_mut().enumerate() {
            *to = sums.iter().map(|photo| photo[tap * channels + channel]).sum();
        }
    }
}

vectorised! {
    /// Adds one row's products of input and output gradient to the sums of one row of taps.
    fn add_row<T: Element>(
        columns: &[Vec<Reading>],
        channels: usize,
        input: &[T],
        output_gradient: &[T],
        sums: &mut [f32],
    ) {
        for (tap, sums) in sums.chunks_exact_mut(channels).enumerate() {
            for (block, sums) in sums.chunks_mut(LANES).enumerate() {
                let lanes: Range<usize> = block * LANES..block * LANES + sums.len();
                let mut total = [0.0; LANES];
                for (readings, gradient) in columns.iter().zip(output_gradient.chunks_exact(channels)) {
                    for reading in readings.iter().filter(|reading| reading.tap == tap) {
                        let input = &input[reading.source * channels..][..channels];
                        add_products(&input[lanes.clone()], &gradient[lanes.clone()], &mut total);
                    }
                }
                for (sum, total) in sums.iter_mut().zip(total) {
                    *sum += total;
                }
            }
        }
    }
}
