//! A part of a map as channel-major planes.

use std::ops::Range;

use super::axis::Span;
use super::patch::Map;
use super::transpose::{Pixels, transpose};
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::Extent;

/// The layout of one channel's plane: for each photo and padded row, `stride` interleaved rows. The first holds every
/// `stride`-th column from the first on, the second the columns beside them, and so on. So the values that a tap reads
/// for neighbouring outputs are together. Rows and columns that no tap reads (a stride greater than the kernel) are left
/// out.
#[derive(Clone, Debug)]
pub(crate) struct Planes {
    photos: Range<usize>,
    rows: Span,
    first_column: isize,
    stride: usize,
    /// Interleaved rows that are kept of every padded row, and padded rows that are kept of every `stride`.
    phases: Extent,
    /// Elements of an interleaved row, a whole number of words.
    phase: usize,
}

impl Planes {
    /// Planes for rows and columns of some photos, which may reach beyond the map, to be seen through the taps of a kernel.
    pub(crate) fn new<T: Element>(
        photos: Range<usize>,
        rows: Span,
        columns: Span,
        stride: usize,
        kernel: Extent,
    ) -> Self {
        let phases = Extent { height: kernel.height.min(stride), width: kernel.width.min(stride) };
        let phase = columns.count.div_ceil(stride).next_multiple_of(T::PER_WORD);
        Self { photos, rows, first_column: columns.first, stride, phases, phase }
    }

    /// Elements of a plane.
    pub(crate) fn positions(&self) -> usize {
        self.photos.len() * self.photo()
    }

    /// Elements from one channel's plane to the next. An odd number of cache lines keeps planes off the same sets.
    pub(crate) fn step(&self) -> usize {
        self.positions().next_multiple_of(64) + 32
    }

    fn photo(&self) -> usize {
        self.rows.count.div_ceil(self.stride) * self.phases.height * self.pitch()
    }

    fn pitch(&self) -> usize {
        self.phases.width * self.phase
    }

    /// Where a padded row of a photo begins.
    pub(crate) fn row(&self, photo: usize, row: usize) -> usize {
        photo * self.photo() + (row / self.stride * self.phases.height + row % self.stride) * self.pitch()
    }

    /// How far a tap's pixels are from those of the first tap.
    pub(crate) fn tap(&self, row: usize, column: usize) -> usize {
        self.row(0, row) + column % self.stride * self.phase + column / self.stride
    }

    /// Fills the planes of some channels from a map, with zeros outside of it, by way of a `patch` that has the planes'
    /// order but still keeps each pixel's channels together.
    pub(crate) fn fill<T: Element>(
        &self,
        isa: Isa,
        map: &Map<'_, T>,
        channels: Range<usize>,
        patch: &mut [T],
        planes: &mut [T],
    ) {
        let step = channels.len();
        for photo in 0..self.photos.len() {
            for row in (0..self.rows.count).filter(|row| row % self.stride < self.phases.height) {
                let y = self.rows.first + row as isize;
                for column in 0..self.phases.width {
                    let at = (self.row(photo, row) + column * self.phase) * step;
                    let patch = &mut patch[at..at + self.phase * step];
                    let inside = self.inside(column, map.extent.width);
                    if y < 0 || y >= map.extent.height as isize || inside.is_empty() {
                        patch.fill(T::ZERO);
                        continue;
                    }
                    patch[..inside.start * step].fill(T::ZERO);
                    patch[inside.end * step..].fill(T::ZERO);
                    let x = self.first_column + (column + inside.start * self.stride) as isize;
                    let line =
                        ((self.photos.start + photo) * map.extent.height + y as usize) * map.extent.width;
                    let pixels = &map.pixels[(line + x as usize) * map.channels..];
                    let patch = &mut patch[inside.start * step..inside.end * step];
                    if self.stride == 1 && step == map.channels {
                        patch.copy_from_slice(&pixels[..patch.len()]);
                        continue;
                    }
                    let pixels = pixels.chunks(self.stride * map.channels);
                    for (to, from) in patch.chunks_exact_mut(step).zip(pixels) {
                        to.copy_from_slice(&from[channels.clone()]);
                    }
                }
            }
        }
        let pixels = Pixels { elements: patch, step, count: self.positions(), channels: channels.len() };
        transpose(isa, pixels, planes, self.step());
    }

    /// The places of the interleaved row that begins at `column` which are in a map of `width` columns.
    fn inside(&self, column: usize, width: usize) -> Range<usize> {
        let first = self.first_column + column as isize;
        let stride = self.stride as isize;
        // Rounded up: the first place at or right of the map's edge.
        let place_of =
            |edge: isize| ((edge - first + stride - 1).max(0) / stride).min(self.phase as isize) as usize;
        place_of(0)..place_of(width as isize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_tap_finds_its_pixels_side_by_side(
            height in 1usize..6, width in 1usize..12, channels in 1usize..5,
            kernel in 1usize..5, stride in 1usize..4, padding in 0usize..4,
        ) {
            prop_assume!(height.min(width) + 2 * padding >= kernel);
            let outputs = |map: usize| (map + 2 * padding - kernel) / stride + 1;
            let (output_rows, output_columns) = (outputs(height), outputs(width));
            let pixels: Vec<f32> = (1..=2 * height * width * channels).map(|value| value as f32).collect();
            let map = Map { pixels: &pixels, extent: Extent { height, width }, channels };
            let span = |outputs: usize| Span { first: -(padding as isize), count: (outputs - 1) * stride + kernel };
            let planes = Planes::new::<f32>(
                0..2, span(output_rows), span(output_columns), stride, Extent::square(kernel),
            );
            let mut patch = vec![f32::NAN; planes.positions() * channels];
            let mut filled = vec![f32::NAN; planes.step() * channels];
            planes.fill(Isa::best(), &map, 0..channels, &mut patch, &mut filled);
            for photo in 0..2 {
                for (row, column) in (0..output_rows).flat_map(|row| (0..output_columns).map(move |x| (row, x))) {
                    for (ky, kx) in (0..kernel).flat_map(|ky| (0..kernel).map(move |kx| (ky, kx))) {
                        let (y, x) = (row * stride + ky, column * stride + kx);
                        let inside = (padding..height + padding).contains(&y) && (padding..width + padding).contains(&x);
                        for channel in 0..channels {
                            let expected = if inside {
                                let pixel = (photo * height + y - padding) * width + x - padding;
                                pixels[pixel * channels + channel]
                            } else {
                                0.0
                            };
                            let at = planes.row(photo, row * stride) + planes.tap(ky, kx) + column;
                            prop_assert_eq!(filled[channel * planes.step() + at], expected);
                        }
                    }
                }
            }
        }
    }
}
