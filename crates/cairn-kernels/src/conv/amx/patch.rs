//! A padded part of a map, laid out so that the pixels that a tap reads for neighbouring positions are evenly apart.

use std::ops::Range;

use crate::conv::axis::Span;
use crate::conv::patch::Map;
use crate::element::Element;
use crate::microkernel::amx::ROW_WORDS;
use crate::shape::Extent;

/// The order of pixels in a patch: lines of `pitch` pixels without gaps, of every photo for the first row, then of
/// every photo for the next one, and so on. With a stride, the rows that are a stride apart come first, then those
/// below them; and where columns are split too, those that are a stride apart make one line.
///
/// So the pixels that one tap reads for all positions of a band are evenly apart from the first to the last: a
/// tap's offset ([`Layout::tap`]) plus a position's. Positions that have no destination, at the end of a line, are
/// few: where the map is padded on both sides, the zeros before a line serve as those after the one before it too.
/// That makes 8 positions of a line of 7, 15 of 14, and no rows in between: photos are side by side, not one below
/// the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    photos: Range<usize>,
    first_row: isize,
    first_column: isize,
    /// Source rows, and columns, from one to the next of the same phase.
    row_step: usize,
    column_step: usize,
    /// How many phases are kept: those that no tap reads are left out.
    phases: Extent,
    /// Rows of each phase.
    rows: usize,
    pitch: usize,
    /// Pixels of zeros after the last line.
    tail: usize,
}

/// The request for a patch: photos, their source positions, and the taps.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) photos: Range<usize>,
    pub(super) rows: Span,
    pub(super) columns: Span,
    pub(super) taps: Extent,
    pub(super) stride: usize,
    /// Columns of the map.
    pub(super) width: usize,
}

impl Layout {
    /// The layout for rows of pixels: each pixel with its channels, columns not split, so that a kernel row's taps are
    /// together too. Positions are a stride apart.
    pub(super) fn of_pixels(view: View) -> Self {
        let View { photos, rows, columns, taps, stride, width } = view;
        let positions = (columns.count - taps.width) / stride + 1;
        let least = (positions - 1) * stride + 1;
        let pitch = shared_pitch(columns, width).max(least).next_multiple_of(stride);
        Self {
            photos,
            first_row: rows.first,
            first_column: columns.first,
            row_step: stride,
            column_step: 1,
            phases: Extent { height: taps.height.min(stride), width: 1 },
            rows: rows.count.div_ceil(stride),
            pitch,
            tail: columns.count.saturating_sub(pitch),
        }
    }

    /// The layout for channel-major planes: columns split by phase, so that positions are one pixel apart. Lines
    /// have an even number of pixels, and the zeros after the last are enough to go on to a whole tile.
    pub(super) fn of_planes(view: View) -> Self {
        let View { photos, rows, columns, taps, stride, width } = view;
        let pitch = if stride == 1 { shared_pitch(columns, width) } else { columns.count.div_ceil(stride) };
        let positions = (columns.count - taps.width) / stride + 1;
        Self {
            photos,
            first_row: rows.first,
            first_column: columns.first,
            row_step: stride,
            column_step: stride,
            phases: Extent { height: taps.height.min(stride), width: taps.width.min(stride) },
            rows: rows.count.div_ceil(stride),
            pitch: pitch.max(positions).next_multiple_of(2),
            tail: taps.width + 2 * ROW_WORDS,
        }
    }

    /// A map in place, one photo at a time.
    pub(super) fn of_map(width: usize) -> Self {
        Self {
            photos: 0..1,
            first_row: 0,
            first_column: 0,
            row_step: 1,
            column_step: 1,
            phases: Extent::square(1),
            rows: 0,
            pitch: width,
            tail: 0,
        }
    }

    /// Pixels of a line.
    pub(super) fn pitch(&self) -> usize {
        self.pitch
    }

    /// Pixels of the patch.
    pub(super) fn pixels(&self) -> usize {
        self.phases.area() * self.rows * self.photos.len() * self.pitch + self.tail
    }

    /// Pixels from what the first tap reads to what a tap reads.
    pub(super) fn tap(&self, row: usize, column: usize) -> usize {
        let phase = row % self.row_step * self.phases.width + column % self.column_step;
        let row = phase * self.rows + row / self.row_step;
        row * self.photos.len() * self.pitch + column / self.column_step
    }

    /// Fills a patch from a map, with zeros outside of it: for each pixel the elements from `channels.start` on up to
    /// `channels.end`, and zeros up to `pixel` elements. Channels beyond the map's own are the next pixel's.
    pub(super) fn fill<T: Element>(
        &self,
        map: &Map<'_, T>,
        channels: Range<usize>,
        pixel: usize,
        patch: &mut [T],
    ) {
        let photos = self.photos.len();
        let (lines, tail) = patch.split_at_mut((self.pixels() - self.tail) * pixel);
        tail.fill(T::ZERO);
        let row_len = map.extent.width * map.channels;
        for (index, line) in lines.chunks_exact_mut(self.pitch * pixel).enumerate() {
            let (row, photo) = (index / photos % self.rows, self.photos.start + index % photos);
            let phase = index / photos / self.rows;
            let y = self.first_row + (row * self.row_step + phase / self.phases.width) as isize;
            if y < 0 || y >= map.extent.height as isize {
                line.fill(T::ZERO);
                continue;
            }
            let start = (photo * map.extent.height + y as usize) * row_len;
            let source = &map.pixels[start..start + row_len];
            let x = self.first_column + (phase % self.phases.width) as isize;
            let first = x * map.channels as isize + channels.start as isize;
            if self.column_step * map.channels == pixel && channels.len() == pixel {
                copy_inside(source, first, line);
                continue;
            }
            for (place, to) in line.chunks_exact_mut(pixel).enumerate() {
                let (values, padding) = to.split_at_mut(channels.len());
                let before = place * self.column_step * map.channels;
                copy_inside(source, first + before as isize, values);
                padding.fill(T::ZERO);
            }
        }
    }
}

/// How many columns a line needs, where the zeros before the next line may serve as those after it.
fn shared_pitch(columns: Span, width: usize) -> usize {
    let within = |column: isize| (column - columns.first).clamp(0, columns.count as isize) as usize;
    let (zeros_before, map_end) = (within(0), within(width as isize));
    map_end.max(columns.count - zeros_before)
}

/// Copies the elements of a source row from `first` on, with zeros where there are none.
fn copy_inside<T: Element>(source: &[T], first: isize, to: &mut [T]) {
    let start = first.clamp(0, source.len() as isize);
    let end = (first + to.len() as isize).clamp(start, source.len() as isize);
    // Where the two do not meet, all of `to` is before or after.
    let before = ((start - first) as usize).min(to.len());
    let (zeros, rest) = to.split_at_mut(before);
    let (inside, after) = rest.split_at_mut((end - start) as usize);
    zeros.fill(T::ZERO);
    inside.copy_from_slice(&source[start as usize..end as usize]);
    after.fill(T::ZERO);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A map of two photos whose elements are all different, seen through a kernel.
    #[derive(Debug)]
    struct Example {
        view: View,
        positions: Extent,
        padding: usize,
        extent: Extent,
        channels: usize,
        pixels: Vec<f32>,
    }

    impl Example {
        fn map(&self) -> Map<'_, f32> {
            Map { pixels: &self.pixels, extent: self.extent, channels: self.channels }
        }

        /// The definition: what a tap reads for a position.
        fn read(&self, photo: usize, position: Extent, tap: Extent, channel: usize) -> f32 {
            let y = position.height * self.view.stride + tap.height;
            let x = position.width * self.view.stride + tap.width;
            let inside = |at: usize, len: usize| (self.padding..self.padding + len).contains(&at);
            if !inside(y, self.extent.height) || !inside(x, self.extent.width) {
                return 0.0;
            }
            let row = photo * self.extent.height + y - self.padding;
            self.pixels[(row * self.extent.width + x - self.padding) * self.channels + channel]
        }

        /// Checks that `at(photo, position, tap)` is the pixel of the patch that the tap reads for the position.
        fn check(&self, patch: &[f32], pixel: usize, at: impl Fn(usize, Extent, Extent) -> usize) {
            for photo in 0..2 {
                for (position, tap) in all(self.positions)
                    .flat_map(|position| all(self.view.taps).map(move |tap| (position, tap)))
                {
                    let found = &patch[at(photo, position, tap) * pixel..][..pixel];
                    for (channel, found) in found.iter().enumerate() {
                        let there = channel < self.channels;
                        let expected = if there { self.read(photo, position, tap, channel) } else { 0.0 };
                        assert_eq!(*found, expected, "{photo} {position:?} {tap:?} {channel}");
                    }
                }
            }
        }
    }

    fn all(extent: Extent) -> impl Iterator<Item = Extent> {
        (0..extent.area()).map(move |i| Extent { height: i / extent.width, width: i % extent.width })
    }

    fn examples() -> impl Strategy<Value = Example> {
        let sizes = (1usize..6, 1usize..12, 1usize..4);
        (sizes, 1usize..5, 1usize..5, 1usize..4, 0usize..5).prop_filter_map(
            "the kernel must fit",
            |((height, width, channels), kernel_height, kernel_width, stride, padding)| {
                let taps = Extent { height: kernel_height, width: kernel_width };
                let count = |map: usize, kernel: usize| {
                    (map + 2 * padding).checked_sub(kernel).map(|room| room / stride + 1)
                };
                let positions =
                    Extent { height: count(height, taps.height)?, width: count(width, taps.width)? };
                let span = |positions: usize, kernel: usize| Span {
                    first: -(padding as isize),
                    count: (positions - 1) * stride + kernel,
                };
                let view = View {
                    photos: 0..2,
                    rows: span(positions.height, taps.height),
                    columns: span(positions.width, taps.width),
                    taps,
                    stride,
                    width,
                };
                let pixels = (1..=2 * height * width * channels).map(|value| value as f32).collect();
                Some(Example { view, positions, padding, extent: Extent { height, width }, channels, pixels })
            },
        )
    }

    proptest! {
        #[test]
        fn pixels_for_rows_are_a_stride_apart_over_lines_and_photos(example in examples(), padded in 0usize..3) {
            let layout = Layout::of_pixels(example.view.clone());
            let (stride, pixel) = (example.view.stride, example.channels + padded);
            let mut patch = vec![f32::NAN; layout.pixels() * pixel];
            layout.fill(&example.map(), 0..example.channels, pixel, &mut patch);
            example.check(&patch, pixel, |photo, position, tap| {
                let line = (position.height * 2 + photo) * layout.pitch();
                line + position.width * stride + layout.tap(tap.height, 0) + tap.width
            });
        }

        #[test]
        fn pixels_for_planes_are_side_by_side_over_lines_and_photos(example in examples()) {
            let layout = Layout::of_planes(example.view.clone());
            let pixel = example.channels;
            let mut patch = vec![f32::NAN; layout.pixels() * pixel];
            layout.fill(&example.map(), 0..pixel, pixel, &mut patch);
            prop_assert!(patch.iter().all(|value| !value.is_nan()), "every element is written");
            example.check(&patch, pixel, |photo, position, tap| {
                let line = (position.height * 2 + photo) * layout.pitch();
                line + position.width + layout.tap(tap.height, tap.width)
            });
        }
    }

    #[test]
    fn padded_lines_share_their_zeros() {
        let pitch = |width: usize, padding: usize, kernel: usize| {
            shared_pitch(Span { first: -(padding as isize), count: width + 2 * padding }, width)
                .max(width + 2 * padding - kernel + 1)
        };
        assert_eq!(pitch(7, 1, 3), 8);
        assert_eq!(pitch(14, 1, 3), 15);
        assert_eq!(pitch(14, 0, 3), 14);
        assert_eq!(pitch(4, 2, 5), 6);
    }
}
