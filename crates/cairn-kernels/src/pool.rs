//! Pooling: the greatest value of a window, the mean of a map.

use rayon::prelude::*;

use crate::disjoint_slice::DisjointSlice;
use crate::element::Element;
use crate::isa::Isa;
use crate::lanes::{blocks, with_lanes};
use crate::shape::{Extent, ShapeError, check_len, product, window_positions};
use crate::team::spread_chunks;
use crate::vectorised::vectorised;

/// Height and width of a window at most: the number of a pixel in it fits into a byte.
const MAX_WINDOW: usize = 16;

/// The sizes of a 2-D max pool, in the terms of `torch.nn.MaxPool2d`; [`MaxPoolShape::new`] checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPoolOptions {
    /// Photos in the batch.
    pub batch: usize,
    /// Height and width of the input map.
    pub map: Extent,
    /// Channels.
    pub channels: usize,
    /// Height and width of the window.
    pub window: usize,
    /// Step from one window to the next.
    pub stride: usize,
    /// Pixels of minus infinity around the map, on every side.
    pub padding: usize,
    /// Whether a last window that ends beyond the padding counts, if it begins in the map or the padding before it.
    pub ceil_mode: bool,
}

/// The shape of a 2-D max pool; maps are NHWC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPoolShape {
    options: MaxPoolOptions,
    output_map: Extent,
}

impl MaxPoolShape {
    /// Checks the options and computes the output's size.
    ///
    /// # Errors
    /// When a size is zero, the window does not fit, has more than 256 pixels, or is padded by more than half,
    /// or the maps have too many elements to be counted.
    pub fn new(options: MaxPoolOptions) -> Result<Self, ShapeError> {
        let MaxPoolOptions { batch, map, channels, window, stride, padding, ceil_mode } = options;
        for (size, name) in [
            (batch, "batch"),
            (map.height, "map height"),
            (map.width, "map width"),
            (channels, "channels"),
            (window, "window"),
            (stride, "stride"),
        ] {
            if size == 0 {
                return Err(ShapeError::Zero(name));
            }
        }
        if window > MAX_WINDOW {
            return Err(ShapeError::PoolWindow(window));
        }
        if padding > window / 2 {
            return Err(ShapeError::PoolPadding { window, padding });
        }
        let positions = |len: usize| {
            let whole = window_positions(len, window, stride, [padding; 2])?;
            // The window after the last whole one: is there a pixel left that none has seen, and does it begin early enough?
            let reaches_further = len + 2 * padding > (whole - 1) * stride + window;
            let begins_inside = whole * stride < len + padding;
            Ok(whole + usize::from(ceil_mode && reaches_further && begins_inside))
        };
        let output_map = Extent { height: positions(map.height)?, width: positions(map.width)? };
        // Half a window of padding on either side, and `ceil_mode`, add two windows along an axis: three for a pixel.
        product(&[batch, map.height, map.width, channels, 9]).ok_or(ShapeError::TooLarge("maps"))?;
        Ok(Self { options, output_map })
    }

    /// The options that the shape was made from.
    pub fn options(&self) -> &MaxPoolOptions {
        &self.options
    }

    /// Height and width of the output map.
    pub fn output_map(&self) -> Extent {
        self.output_map
    }

    /// Elements of the input map.
    pub fn input_len(&self) -> usize {
        self.options.batch * self.options.map.area() * self.options.channels
    }

    /// Elements of the output map.
    pub fn output_len(&self) -> usize {
        self.options.batch * self.output_map.area() * self.options.channels
    }

    /// The taps of the window at output position `output` that are in a map of `len` pixels.
    #[inline(always)]
    fn taps(&self, output: usize, len: usize) -> std::ops::Range<usize> {
        let start = output * self.options.stride;
        self.options.padding.saturating_sub(start)
            ..self.options.window.min(len + self.options.padding - start)
    }

    /// The output positions, less than `outputs`, whose windows contain input position `input`.
    #[inline(always)]
    fn windows(&self, input: usize, outputs: usize) -> std::ops::Range<usize> {
        let place = input + self.options.padding;
        let first = (place + 1).saturating_sub(self.options.window).div_ceil(self.options.stride);
        first..(place / self.options.stride + 1).min(outputs)
    }
}

/// Takes the greatest value of every window. For the backward pass, `taps` receives the index of its pixel in the
/// window, row by row, for every output.
///
/// NaN counts as greater than any number. Of equal values the first wins, as in PyTorch.
///
/// # Panics
/// When lengths do not match the shape.
pub fn max_pool<T: Element>(isa: Isa, shape: &MaxPoolShape, input: &[T], output: &mut [T], taps: &mut [u8]) {
    check_len("input", input.len(), shape.input_len());
    check_len("output", output.len(), shape.output_len());
    check_len("taps", taps.len(), shape.output_len());
    let row = shape.output_map.width * shape.options.channels;
    let photo = shape.options.map.area() * shape.options.channels;
    let taps = DisjointSlice::new(taps);
    spread_chunks(output, row, |index, output| {
        let input = &input[index / shape.output_map.height * photo..][..photo];
        // SAFETY: every row of the output has taps of its own.
        let taps = unsafe { taps.part(index * row..(index + 1) * row) };
        max_pool_row(isa, shape, index % shape.output_map.height, input, output, taps);
    });
}

vectorised! {
    /// One row of the output of one photo.
    fn max_pool_row<T: Element>(shape: &MaxPoolShape, y: usize, input: &[T], output: &mut [T], taps: &mut [u8]) {
        for x in 0..shape.output_map.width {
            for (first, width) in blocks(shape.options.channels) {
                with_lanes!(width, max_pool_block(shape, y, x, first, input, output, taps));
            }
        }
    }
}

/// Some channels, from `first` on, of one pixel of an output row.
#[inline(always)]
fn max_pool_block<const LANES: usize, T: Element>(
    shape: &MaxPoolShape,
    y: usize,
    x: usize,
    first: usize,
    input: &[T],
    output: &mut [T],
    taps: &mut [u8],
) {
    let MaxPoolOptions { map, channels, window, stride, padding, .. } = shape.options;
    let (rows, columns) = (shape.taps(y, map.height), shape.taps(x, map.width));
    let mut best = [f32::NEG_INFINITY; LANES];
    // As wide as the values, so that both are chosen by the same mask.
    let mut best_tap = [(rows.start * window + columns.start) as u32; LANES];
    for row in rows {
        for column in columns.clone() {
            let tap = (row * window + column) as u32;
            let pixel = (y * stride + row - padding) * map.width + x * stride + column - padding;
            let values = &input[pixel * channels + first..][..LANES];
            for lane in 0..LANES {
                let value = values[lane].to_f32();
                let better = value > best[lane] || value.is_nan();
                best[lane] = if better { value } else { best[lane] };
                best_tap[lane] = if better { tap } else { best_tap[lane] };
            }
        }
    }
    let at = x * channels + first;
    let (output, taps) = (&mut output[at..at + LANES], &mut taps[at..at + LANES]);
    for lane in 0..LANES {
        output[lane] = T::from_f32(best[lane]);
        taps[lane] = best_tap[lane] as u8;
    }
}

/// The gradient of [`max_pool`] to its input: each window's gradient goes to its greatest pixel.
///
/// All of `input_gradient` is written.
///
/// # Panics
/// When lengths do not match the shape.
pub fn max_pool_backward<T: Element>(
    isa: Isa,
    shape: &MaxPoolShape,
    taps: &[u8],
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    check_len("taps", taps.len(), shape.output_len());
    check_len("output gradient", output_gradient.len(), shape.output_len());
    check_len("input gradient", input_gradient.len(), shape.input_len());
    let row = shape.options.map.width * shape.options.channels;
    let photo = shape.output_map.area() * shape.options.channels;
    input_gradient.par_chunks_exact_mut(row).enumerate().for_each(|(index, gradient)| {
        let part = index / shape.options.map.height * photo..(index / shape.options.map.height + 1) * photo;
        let (taps, output_gradient) = (&taps[part.clone()], &output_gradient[part]);
        max_pool_backward_row(isa, shape, index % shape.options.map.height, taps, output_gradient, gradient);
    });
}

vectorised! {
    /// One row of the gradient to the input of one photo.
    fn max_pool_backward_row<T: Element>(
        shape: &MaxPoolShape,
        y: usize,
        taps: &[u8],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        for x in 0..shape.options.map.width {
            for (first, width) in blocks(shape.options.channels) {
                with_lanes!(width, max_pool_backward_block(shape, y, x, first, taps, output_gradient, input_gradient));
            }
        }
    }
}

/// Some channels, from `first` on, of the gradient to one pixel of an input row.
#[inline(always)]
fn max_pool_backward_block<const LANES: usize, T: Element>(
    shape: &MaxPoolShape,
    y: usize,
    x: usize,
    first: usize,
    taps: &[u8],
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    let (output_map, MaxPoolOptions { channels, window, stride, padding, .. }) =
        (shape.output_map, shape.options);
    let mut sums = [0.0_f32; LANES];
    for output_y in shape.windows(y, output_map.height) {
        for output_x in shape.windows(x, output_map.width) {
            let row = y + padding - output_y * stride;
            let tap = (row * window + x + padding - output_x * stride) as u8;
            let at = (output_y * output_map.width + output_x) * channels + first;
            let (taps, from) = (&taps[at..at + LANES], &output_gradient[at..at + LANES]);
            for lane in 0..LANES {
                sums[lane] += if taps[lane] == tap { from[lane].to_f32() } else { 0.0 };
            }
        }
    }
    let gradient = &mut input_gradient[x * channels + first..][..LANES];
    for lane in 0..LANES {
        gradient[lane] = T::from_f32(sums[lane]);
    }
}

/// The mean over each photo's map: from `[photos, pixels, channels]` to `[photos, channels]` of f32.
///
/// # Panics
/// When `input` has not as many photos of whole pixels as `output`.
pub fn global_average_pool<T: Element>(isa: Isa, channels: usize, input: &[T], output: &mut [f32]) {
    let photo = photo_len(channels, input.len(), output.len());
    spread_chunks(output, channels, |index, output| average(isa, &input[index * photo..][..photo], output));
}

vectorised! {
    /// The mean of some pixels.
    fn average<T: Element>(pixels: &[T], mean: &mut [f32]) {
        mean.fill(0.0);
        for pixel in pixels.chunks_exact(mean.len()) {
            for (sum, x) in mean.iter_mut().zip(pixel) {
                *sum += x.to_f32();
            }
        }
        let count = (pixels.len() / mean.len()) as f32;
        for sum in mean {
            *sum /= count;
        }
    }
}

/// The gradient of [`global_average_pool`]: every pixel gets an equal share. All of `input_gradient` is written.
///
/// # Panics
/// When `input_gradient` has not as many photos of whole pixels as `output_gradient`.
pub fn global_average_pool_backward<T: Element>(
    isa: Isa,
    channels: usize,
    output_gradient: &[f32],
    input_gradient: &mut [T],
) {
    let photo = photo_len(channels, input_gradient.len(), output_gradient.len());
    input_gradient
        .par_chunks_exact_mut(photo)
        .zip(output_gradient.par_chunks_exact(channels))
        .for_each(|(input_gradient, output_gradient)| share(isa, output_gradient, input_gradient));
}

vectorised! {
    /// Gives each pixel its share of a gradient.
    fn share<T: Element>(gradient: &[f32], pixels: &mut [T]) {
        let count = (pixels.len() / gradient.len()) as f32;
        for pixel in pixels.chunks_exact_mut(gradient.len()) {
            for (to, gradient) in pixel.iter_mut().zip(gradient) {
                *to = T::from_f32(gradient / count);
            }
        }
    }
}

/// Elements of a photo, checked.
#[track_caller]
fn photo_len(channels: usize, maps: usize, means: usize) -> usize {
    assert!(
        means > 0 && means.is_multiple_of(channels) && maps.is_multiple_of(means),
        "maps of {maps} elements do not belong to {means} means of {channels} channels"
    );
    maps / (means / channels)
}
