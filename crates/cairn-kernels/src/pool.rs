//! Pooling: the greatest of a window, the mean of a map.

use rayon::prelude::*;

use crate::element::Element;
use crate::isa::Isa;
use crate::shape::{Extent, ShapeError, check_len, window_positions};
use crate::vectorised::vectorised;

/// The shape of a 2-D max pool with a square window; maps are NHWC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MaxPoolShape {
    batch: usize,
    map: Extent,
    channels: usize,
    window: usize,
    stride: usize,
    padding: usize,
    output_map: Extent,
}

impl MaxPoolShape {
    /// A pool over windows of `window` x `window` pixels, `stride` apart, on a map padded by `padding`, as
    /// `torch.nn.MaxPool2d` has it (without its `ceil_mode`).
    ///
    /// # Errors
    /// When a size is zero, the window does not fit, has more than 256 pixels, or is padded by more than half.
    pub fn new(
        batch: usize,
        map: Extent,
        channels: usize,
        window: usize,
        stride: usize,
        padding: usize,
    ) -> Result<Self, ShapeError> {
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
        if window * window > 256 {
            return Err(ShapeError::PoolWindow(window * window));
        }
        if padding > window / 2 {
            return Err(ShapeError::PoolPadding { window, padding });
        }
        let output_map = Extent {
            height: window_positions(map.height, window, stride, padding)?,
            width: window_positions(map.width, window, stride, padding)?,
        };
        Ok(Self { batch, map, channels, window, stride, padding, output_map })
    }

    /// Height and width of the output map.
    pub fn output_map(&self) -> Extent {
        self.output_map
    }

    /// Elements of the input map.
    pub fn input_len(&self) -> usize {
        self.batch * self.map.area() * self.channels
    }

    /// Elements of the output map.
    pub fn output_len(&self) -> usize {
        self.batch * self.output_map.area() * self.channels
    }

    /// The taps of the window at output position `output` that lie in a map of `len` pixels.
    #[inline(always)]
    fn taps(&self, output: usize, len: usize) -> std::ops::Range<usize> {
        let start = output * self.stride;
        self.padding.saturating_sub(start)..self.window.min(len + self.padding - start)
    }

    /// The output positions, of `outputs`, whose windows hold input position `input`.
    #[inline(always)]
    fn windows(&self, input: usize, outputs: usize) -> std::ops::Range<usize> {
        let place = input + self.padding;
        let first = (place + 1).saturating_sub(self.window).div_ceil(self.stride);
        first..(place / self.stride + 1).min(outputs)
    }
}

/// Takes the greatest of every window. `taps` receives, for every output, which of the window's pixels it was (row by
/// row), for the backward pass.
///
/// NaN is greater than any number, so it comes through; of equals the first wins, as in PyTorch.
///
/// # Panics
/// When lengths do not match the shape.
pub fn max_pool<T: Element>(isa: Isa, shape: &MaxPoolShape, input: &[T], output: &mut [T], taps: &mut [u8]) {
    check_len("input", input.len(), shape.input_len());
    check_len("output", output.len(), shape.output_len());
    check_len("taps", taps.len(), shape.output_len());
    let row = shape.output_map.width * shape.channels;
    let photo = shape.map.area() * shape.channels;
    output.par_chunks_exact_mut(row).zip(taps.par_chunks_exact_mut(row)).enumerate().for_each(
        |(index, (output, taps))| {
            let input = &input[index / shape.output_map.height * photo..][..photo];
            max_pool_row(isa, shape, index % shape.output_map.height, input, output, taps);
        },
    );
}

vectorised! {
    /// One row of the output of one photo.
    fn max_pool_row<T: Element>(shape: &MaxPoolShape, y: usize, input: &[T], output: &mut [T], taps: &mut [u8]) {
        let MaxPoolShape { map, channels, window, stride, padding, .. } = *shape;
        let rows = shape.taps(y, map.height);
        let pixels = output.chunks_exact_mut(channels).zip(taps.chunks_exact_mut(channels));
        for (x, (output, taps)) in pixels.enumerate() {
            let columns = shape.taps(x, map.width);
            let at = |row: usize, column: usize| {
                let pixel = (y * stride + row - padding) * map.width + x * stride + column - padding;
                &input[pixel * channels..][..channels]
            };
            output.copy_from_slice(at(rows.start, columns.start));
            taps.fill((rows.start * window + columns.start) as u8);
            for row in rows.clone() {
                for column in columns.clone() {
                    let tap = (row * window + column) as u8;
                    for ((best, best_tap), value) in output.iter_mut().zip(taps.iter_mut()).zip(at(row, column)) {
                        let x = value.to_f32();
                        let better = x > best.to_f32() || x.is_nan();
                        *best = if better { *value } else { *best };
                        *best_tap = if better { tap } else { *best_tap };
                    }
                }
            }
        }
    }
}

/// The gradient of [`max_pool`] to its input: each window's goes to the pixel that was the greatest.
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
    let row = shape.map.width * shape.channels;
    let photo = shape.output_map.area() * shape.channels;
    input_gradient.par_chunks_exact_mut(row).enumerate().for_each(|(index, gradient)| {
        let part = index / shape.map.height * photo..(index / shape.map.height + 1) * photo;
        let (taps, output_gradient) = (&taps[part.clone()], &output_gradient[part]);
        max_pool_backward_row(isa, shape, index % shape.map.height, taps, output_gradient, gradient);
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
        /// Channels that are summed at a time, in registers.
        const LANES: usize = 32;
        let MaxPoolShape { output_map, channels, window, stride, padding, .. } = *shape;
        for (x, gradient) in input_gradient.chunks_exact_mut(channels).enumerate() {
            for (block, gradient) in gradient.chunks_mut(LANES).enumerate() {
                let mut sums = [0.0_f32; LANES];
                for output_y in shape.windows(y, output_map.height) {
                    for output_x in shape.windows(x, output_map.width) {
                        let row = y + padding - output_y * stride;
                        let tap = (row * window + x + padding - output_x * stride) as u8;
                        let at = (output_y * output_map.width + output_x) * channels + block * LANES;
                        let taps = &taps[at..][..gradient.len()];
                        let from = &output_gradient[at..][..gradient.len()];
                        for ((sum, from), its_tap) in sums.iter_mut().zip(from).zip(taps) {
                            *sum += if *its_tap == tap { from.to_f32() } else { 0.0 };
                        }
                    }
                }
                for (to, sum) in gradient.iter_mut().zip(sums) {
                    *to = T::from_f32(sum);
                }
            }
        }
    }
}

/// The mean over each photo's map: from `[photos, pixels, channels]` to `[photos, channels]`.
///
/// # Panics
/// When `input` has not as many photos of whole pixels as `output`.
pub fn global_average_pool<T: Element>(isa: Isa, channels: usize, input: &[T], output: &mut [T]) {
    let photo = photo_len(channels, input.len(), output.len());
    output.par_chunks_exact_mut(channels).zip(input.par_chunks_exact(photo)).for_each(|(output, input)| {
        average(isa, input, output);
    });
}

vectorised! {
    /// The mean of some pixels.
    fn average<T: Element>(pixels: &[T], mean: &mut [T]) {
        let mut sums = vec![0.0_f32; mean.len()];
        for pixel in pixels.chunks_exact(mean.len()) {
            for (sum, x) in sums.iter_mut().zip(pixel) {
                *sum += x.to_f32();
            }
        }
        let count = (pixels.len() / mean.len()) as f32;
        for (to, sum) in mean.iter_mut().zip(sums) {
            *to = T::from_f32(sum / count);
        }
    }
}

/// The gradient of [`global_average_pool`]: every pixel gets its share. All of `input_gradient` is written.
///
/// # Panics
/// When `input_gradient` has not as many photos of whole pixels as `output_gradient`.
pub fn global_average_pool_backward<T: Element>(
    isa: Isa,
    channels: usize,
    output_gradient: &[T],
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
    fn share<T: Element>(gradient: &[T], pixels: &mut [T]) {
        let count = (pixels.len() / gradient.len()) as f32;
        for pixel in pixels.chunks_exact_mut(gradient.len()) {
            for (to, gradient) in pixel.iter_mut().zip(gradient) {
                *to = T::from_f32(gradient.to_f32() / count);
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
