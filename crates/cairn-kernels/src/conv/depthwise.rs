//! Depthwise convolutions: every channel on its own, vectors of channels at a time.

#[cfg(target_arch = "x86_64")]
mod pairs;
mod readings;
mod row;
mod slide;

use rayon::prelude::*;

use self::readings::{Reading, Readings};
use self::row::Finish;
use self::slide::{Slide, slide_row};
use super::axis::{Axis, backward_taps};
use super::epilogue::Epilogue;
use super::pack::PackedWeights;
#[cfg(target_arch = "x86_64")]
use super::paired_weights;
use super::panel::Direction;
use crate::element::Element;
use crate::isa::Isa;
use crate::lanes::{blocks, with_lanes};
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};
use crate::team::spread_chunks;
use crate::vectorised::vectorised;

/// A depthwise convolution, or its gradient to the input, as what every pixel of a destination map reads of a source map.
struct Gather {
    rows: Readings,
    column_axes: Vec<Axis>,
    column_taps: Vec<usize>,
    source: Extent,
    destination: Extent,
    kernel_width: usize,
    channels: usize,
}

impl Gather {
    fn new(shape: &Conv2dShape, direction: Direction) -> Self {
        let Conv2dOptions { map, inputs, kernel, stride, .. } = *shape.options();
        let (output, zeros) = (shape.output_map(), shape.leading_zeros());
        let axes = |kernel: usize, zeros: usize, map: usize, output: usize| match direction {
            Direction::Forward => (vec![Axis::forward(kernel, stride, zeros, output)], (0..kernel).collect()),
            Direction::InputGradient => {
                (Axis::backward(kernel, stride, zeros, map), backward_taps(kernel, stride))
            }
        };
        let (source, destination) = match direction {
            Direction::Forward => (map, output),
            Direction::InputGradient => (output, map),
        };
        let (row_axes, row_taps): (_, Vec<usize>) =
            axes(kernel.height, zeros.height, map.height, output.height);
        let (column_axes, column_taps) = axes(kernel.width, zeros.width, map.width, output.width);
        let rows = Readings::new(&row_axes, &row_taps, destination.height, source.height);
        Self {
            rows,
            column_axes,
            column_taps,
            source,
            destination,
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
    #[cfg(target_arch = "x86_64")]
    if paired_weights::serves::<T>(weights.isa)
        && let (Some(pixels), Some(output)) = (T::as_bf16(source), T::as_bf16_mut(output))
    {
        let Epilogue { bias, residual, activation } = epilogue;
        let product = pairs::Product {
            rows: &gather.rows,
            axes: &gather.column_axes,
            tap_order: &gather.column_taps,
            pixels,
            source: gather.source,
            destination: gather.destination,
            channels: gather.channels,
            weights: weights
                .words
                .as_slice(paired_weights::packed_len(gather.channels, shape.options().kernel.area())),
            kernel_width: gather.kernel_width,
            epilogue: Epilogue { bias, residual: residual.and_then(T::as_bf16), activation },
        };
        return product.run(output);
    }
    let taps = weights.words.as_slice::<f32>(shape.weight_len());
    gather_in_loops(&gather, weights.isa, source, taps, epilogue, output);
}

/// Convolves `source`, some channels at a time, in plain loops.
fn gather_in_loops<T: Element>(
    gather: &Gather,
    isa: Isa,
    source: &[T],
    weights: &[f32],
    epilogue: Epilogue<'_, T>,
    output: &mut [T],
) {
    let zeros = vec![0.0; gather.channels];
    let bias = epilogue.bias.unwrap_or(&zeros);
    let bounds = epilogue.activation.bounds();
    let Extent { height, width } = gather.destination;
    let columns = Readings::new(&gather.column_axes, &gather.column_taps, width, gather.source.width);
    let slide = Slide::of(&gather.column_axes, &gather.column_taps, gather.source.width);
    let (row_len, photo_len) = (width * gather.channels, gather.source.area() * gather.channels);
    spread_chunks(output, row_len, |row, output| {
        let residual = epilogue.residual.map(|residual| &residual[row * row_len..][..row_len]);
        let finish = Finish { bias, residual, bounds };
        let source = &source[row / height * photo_len..][..photo_len];
        let rows = gather.rows.of(row % height);
        match &slide {
            Some(slide) if [2, 3].contains(&rows.len()) => {
                slide_row(isa, slide, rows, source, weights, finish, output);
            }
            _ => gather_row(isa, gather, (rows, &columns), source, weights, finish, output),
        }
    });
}

vectorised! {
    /// Computes one row of a photo's destination map, which reads these rows, and whose pixels read these columns.
    fn gather_row<T: Element>(
        gather: &Gather,
        readings: (&[Reading], &Readings),
        source: &[T],
        weights: &[f32],
        finish: Finish<'_, T>,
        output: &mut [T],
    ) {
        for x in 0..gather.destination.width {
            let readings = [readings.0, readings.1.of(x)];
            for (first, width) in blocks(gather.channels) {
                with_lanes!(width, gather_block(gather, readings, x, first, source, weights, finish, output));
            }
        }
    }
}

/// Computes some channels, from `first` on, of the pixel in column `x` of a row.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn gather_block<const LANES: usize, T: Element>(
    gather: &Gather,
    [rows, columns]: [&[Reading]; 2],
    x: usize,
    first: usize,
    source: &[T],
    weights: &[f32],
    finish: Finish<'_, T>,
    output: &mut [T],
) {
    let channels = gather.channels;
    let mut sums = [0.0_f32; LANES];
    for row in rows {
        for column in columns {
            let tap = (row.tap * gather.kernel_width + column.tap) * channels + first;
            let at = (row.source * gather.source.width + column.source) * channels + first;
            let (source, weights) = (&source[at..at + LANES], &weights[tap..tap + LANES]);
            for lane in 0..LANES {
                sums[lane] += source[lane].to_f32() * weights[lane];
            }
        }
    }
    finish.store(sums, x, first, output);
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
    let Conv2dOptions { map, inputs: channels, kernel, stride, .. } = *shape.options();
    let (Extent { height, width }, zeros) = (shape.output_map(), shape.leading_zeros());
    let photos = input
        .par_chunks_exact(map.area() * channels)
        .zip(output_gradient.par_chunks_exact(height * width * channels));
    let sums: Vec<Vec<f32>> = photos
        .map(|(input, output_gradient)| {
            let mut sums = vec![0.0; kernel.area() * channels];
            for (y, gradient) in output_gradient.chunks_exact(width * channels).enumerate() {
                for ky in 0..kernel.height {
                    let Some(row) =
                        (y * stride + ky).checked_sub(zeros.height).filter(|&row| row < map.height)
                    else {
                        continue;
                    };
                    let input = &input[row * map.width * channels..][..map.width * channels];
                    for kx in 0..kernel.width {
                        let view = TapView::new(shape, kx);
                        let tap = (ky * kernel.width + kx) * channels;
                        add_row(isa, &view, input, gradient, &mut sums[tap..tap + channels]);
                    }
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

/// The part of a row that a column of taps reads: for outputs `first..end`, from input column `source` on.
struct TapView {
    first: usize,
    end: usize,
    source: usize,
    stride: usize,
}

impl TapView {
    fn new(shape: &Conv2dShape, column: usize) -> Self {
        let Conv2dOptions { map, stride, .. } = *shape.options();
        let zeros = shape.leading_zeros().width;
        // Output x reads input x * stride + column - zeros, which must be 0 or more and less than the map's width.
        let first = zeros.saturating_sub(column).div_ceil(stride);
        let end = (map.width + zeros).saturating_sub(column).div_ceil(stride).min(shape.output_map().width);
        Self { first, end, source: (first * stride + column).saturating_sub(zeros), stride }
    }
}

vectorised! {
    /// Adds one row's products of input and output gradient to the sums of one tap.
    fn add_row<T: Element>(view: &TapView, input: &[T], output_gradient: &[T], sums: &mut [f32]) {
        for (first, width) in blocks(sums.len()) {
            with_lanes!(width, add_block(view, first, input, output_gradient, sums));
        }
    }
}

/// Adds the products of some channels, from `first` on.
#[inline(always)]
fn add_block<const LANES: usize, T: Element>(
    view: &TapView,
    first: usize,
    input: &[T],
    output_gradient: &[T],
    sums: &mut [f32],
) {
    let channels = sums.len();
    let mut totals = [0.0_f32; LANES];
    for x in view.first..view.end {
        let at = (view.source + (x - view.first) * view.stride) * channels + first;
        let gradient_at = x * channels + first;
        let (input, gradient) = (&input[at..at + LANES], &output_gradient[gradient_at..gradient_at + LANES]);
        for lane in 0..LANES {
            totals[lane] += input[lane].to_f32() * gradient[lane].to_f32();
        }
    }
    for (sum, total) in sums[first..first + LANES].iter_mut().zip(totals) {
        *sum += total;
    }
}
