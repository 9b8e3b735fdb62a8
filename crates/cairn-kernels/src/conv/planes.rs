//! A stretch of a map as channel-major planes.

use std::ops::Range;

use super::axis::Span;
use super::patch::{Map, copy_patch, padded_channels, patch_len};
use super::transpose::{Pixels, transpose};
use crate::aligned::AlignedWords;
use crate::element::Element;
use crate::isa::Isa;

/// The layout of one channel's plane: for each photo and padded row, `stride` interleaved rows, of which the first holds
/// every `stride`-th column from the first on, the second those beside them, and so on. What a tap reads for neighbouring
/// outputs thus lies together.
#[derive(Clone, Debug)]
pub(crate) struct Planes {
    photos: Range<usize>,
    rows: Span,
    columns: Span,
    stride: usize,
    /// Elements of an interleaved row, a whole number of words.
    phase: usize,
}

impl Planes {
    /// Planes for rows and (at least so many) columns of some photos, which may reach beyond the map.
    pub(crate) fn new<T: Element>(photos: Range<usize>, rows: Span, columns: Span, stride: usize) -> Self {
        let phase = columns.count.div_ceil(stride).next_multiple_of(T::PER_WORD);
        Self { photos, rows, columns: Span { count: phase * stride, ..columns }, stride, phase }
    }

    /// Elements from one channel's plane to the next. An odd number of cache lines keeps planes off the same sets.
    pub(crate) fn len(&self) -> usize {
        (self.photos.len() * self.rows.count * self.columns.count).next_multiple_of(64) + 32
    }

    /// Where a padded row begins.
    pub(crate) fn row(&self, photo: usize, row: usize) -> usize {
        (photo * self.rows.count + row) * self.columns.count
    }

    /// How far a tap's pixels are from those of the first tap.
    pub(crate) fn tap(&self, row: usize, column: usize) -> usize {
        row * self.columns.count + column % self.stride * self.phase + column / self.stride
    }

    /// Fills `planes` from a map by way of a padded `patch`.
    pub(crate) fn fill<T: Element>(
        &self,
        isa: Isa,
        map: &Map<'_, T>,
        patch: &mut AlignedWords,
        planes: &mut AlignedWords,
    ) {
        let len = patch_len(map, self.photos.len(), self.rows, self.columns);
        patch.reserve(len.div_ceil(T::PER_WORD));
        let patch = patch.as_mut_slice::<T>(len);
        copy_patch(map, self.photos.clone(), self.rows, self.columns, patch);
        let plane = self.len();
        planes.reserve((plane * map.channels).div_ceil(T::PER_WORD));
        let planes = planes.as_mut_slice::<T>(plane * map.channels);
        let (channels, pixel) = (map.channels, padded_channels::<T>(map.channels));
        if self.stride == 1 {
            let pixels = Pixels { elements: patch, step: pixel, count: len / pixel, channels };
            transpose(isa, pixels, planes, plane);
            return;
        }
        for row in 0..self.photos.len() * self.rows.count {
            for phase in 0..self.stride {
                let first = row * self.columns.count + phase;
                let elements = &patch[first * pixel..];
                let pixels = Pixels { elements, step: self.stride * pixel, count: self.phase, channels };
                transpose(isa, pixels, &mut planes[row * self.columns.count + phase * self.phase..], plane);
            }
        }
    }
}
