//! A padded stretch of a map, laid out so that what a tap reads for neighbouring positions is evenly apart.

use std::ops::Range;

use crate::conv::axis::Span;
use crate::conv::patch::Map;
use crate::element::Element;
use crate::shape::Extent;
use crate::tile::amx::ROW_WORDS;

/// The order of pixels in a patch: lines of `pitch` pixels without gaps, of every photo for the first row, then of every
/// photo for the next one, and so on. With a stride, the rows that are a stride apart come first, then those below them;
/// and where columns are split too, those that are a stride apart make one line.
///
/// So the pixels that one tap reads for all positions of a band are evenly apart from the first to the last: a tap's offset
/// ([`Layout::tap`]) plus a position's. Positions that have no destination, at the end of a line, are
/// few: where the map is padded on both sides, the zeros before a line serve as those after the one before it too. That
/// makes 8 positions of a line of 7, 15 of 14, and no rows in between: photos lie side by side, not one below the other.
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

/// What a patch is for: photos, the source positions that they are seen through, and the taps.
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
    /// The layout for rows of pixels: each pixel with its channels, columns not split, so that a kernel row's taps lie
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

    /// The layout for channel-major planes: columns split by phase, so that positions are one pixel apart. Lines have an
    /// even number of pixels, and the zeros after the last are enough to go on to a whole tile.
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

    /// A map as it stands, seen one photo at a time.
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
