//! A map transposed to channel-major planes.

use super::axis::Span;
use super::patch::Map;
use crate::element::Element;
use crate::isa::Isa;
use crate::vectorised::vectorised;

/// The layout of one channel's plane: for each photo and padded row, `stride` interleaved rows, of which the first holds
/// every `stride`-th column from the first on, the second those beside them, and so on. What a tap reads for neighbouring
/// outputs thus lies together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planes {
    photos: usize,
    rows: Span,
    columns: Span,
    stride: usize,
    /// Elements of an interleaved row, a whole number of words.
    phase: usize,
}

impl Planes {
    /// Planes for `photos` photos of rows and columns of a map, which may reach beyond it.
    pub(crate) fn new<T: Element>(photos: usize, rows: Span, columns: Span, stride: usize) -> Self {
        let phase = columns.count.div_ceil(stride).next_multiple_of(T::PER_WORD);
        Self { photos, rows, columns, stride, phase }
    }

    /// Elements of a plane. A line more than needed keeps planes off the same sets of the cache.
    pub(crate) fn len(&self) -> usize {
        (self.photos * self.rows.count * self.stride * self.phase).next_multiple_of(64) + 16
    }

    /// Where a padded row begins.
    pub(crate) fn row(&self, photo: usize, row: usize) -> usize {
        (photo * self.rows.count + row) * self.stride * self.phase
    }

    /// How far a tap's pixels are from those of the first tap.
    pub(crate) fn tap(&self, row: usize, column: usize) -> usize {
        row * self.stride * self.phase + column % self.stride * self.phase + column / self.stride
    }
}

vectorised! {
    /// Transposes photos from `first_photo` on, one plane per channel, with zeros outside of the map.
    pub(crate) fn transpose<T: Element>(map: Map<'_, T>, first_photo: usize, planes: Planes, transposed: &mut [T]) {
        let channels = map.channels;
        for photo in 0..planes.photos {
            for row in 0..planes.rows.count {
                let y = planes.rows.first + row as isize;
                let inside = y >= 0 && y < map.extent.height as isize;
                let line = (first_photo + photo) * map.extent.height + if inside { y as usize } else { 0 };
                for phase in 0..planes.stride {
                    let at = planes.row(photo, row) + phase * planes.phase;
                    for i in 0..planes.phase {
                        let x = planes.columns.first + (i * planes.stride + phase) as isize;
                        if inside && x >= 0 && x < map.extent.width as isize {
                            let pixel = line * map.extent.width + x as usize;
                            let from = &map.pixels[pixel * channels..(pixel + 1) * channels];
                            for (channel, value) in from.iter().enumerate() {
                                transposed[channel * planes.len() + at + i] = *value;
                            }
                        } else {
                            for channel in 0..channels {
                                transposed[channel * planes.len() + at + i] = T::ZERO;
                            }
                        }
                    }
                }
            }
        }
    }
}
