//! The source pixels of a band of destination pixels, padded.

use std::ops::Range;

use super::axis::Span;
use crate::element::Element;
use crate::shape::Extent;

/// A feature map, NHWC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map<'a, T> {
    pub(crate) pixels: &'a [T],
    pub(crate) extent: Extent,
    pub(crate) channels: usize,
}

/// Channels of a pixel in a patch: whole words.
pub(crate) fn padded_channels<T: Element>(channels: usize) -> usize {
    channels.next_multiple_of(T::PER_WORD)
}

/// How many elements the patch of some photos takes.
pub(crate) fn patch_len<T: Element>(map: &Map<'_, T>, photos: usize, rows: Span, columns: Span) -> usize {
    photos * rows.count * columns.count * padded_channels::<T>(map.channels)
}

/// Copies the part `rows` x `columns` of some photos. Outside of the map it is zero, and so is the channel that is added
/// where pixels must be whole words. Photos, rows and pixels follow each other without gaps.
pub(crate) fn copy_patch<T: Element>(
    map: &Map<'_, T>,
    photos: Range<usize>,
    rows: Span,
    columns: Span,
    patch: &mut [T],
) {
    let channels = padded_channels::<T>(map.channels);
    let pitch = columns.count * channels;
    if pitch == 0 {
        return;
    }
    let inside = columns.clip(map.extent.width);
    let left = (inside.start as isize - columns.first) as usize * channels;
    for (row, line) in patch.chunks_exact_mut(pitch).enumerate() {
        let photo = photos.start + row / rows.count;
        let y = rows.first + (row % rows.count) as isize;
        if y < 0 || y >= map.extent.height as isize || inside.is_empty() {
            line.fill(T::ZERO);
            continue;
        }
        let start = (photo * map.extent.height + y as usize) * map.extent.width;
        let source = (start + inside.start) * map.channels..(start + inside.end) * map.channels;
        let (before, rest) = line.split_at_mut(left);
        let (middle, after) = rest.split_at_mut(inside.len() * channels);
        before.fill(T::ZERO);
        after.fill(T::ZERO);
        if channels == map.channels {
            middle.copy_from_slice(&map.pixels[source]);
        } else if map.channels == 3 {
            // A photo's pixels: many, and so small that a copy of any length takes longer than the move itself.
            let ((to, _), (from, _)) = (middle.as_chunks_mut::<4>(), map.pixels[source].as_chunks::<3>());
            for (to, &[red, green, blue]) in to.iter_mut().zip(from) {
                *to = [red, green, blue, T::ZERO];
            }
        } else {
            for (to, from) in
                middle.chunks_exact_mut(channels).zip(map.pixels[source].chunks_exact(map.channels))
            {
                to[..map.channels].copy_from_slice(from);
                to[map.channels..].fill(T::ZERO);
            }
        }
    }
}

impl Span {
    /// The part that is in a map of `len` positions.
    fn clip(self, len: usize) -> Range<usize> {
        let end = (self.first + self.count as isize).clamp(0, len as isize) as usize;
        let start = (self.first.max(0) as usize).min(end);
        start..end
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn outside_of_the_map_is_zero_and_inside_is_the_map() {
        let pixels: Vec<f32> = (1..=12).map(|value| value as f32).collect();
        let map = Map { pixels: &pixels, extent: Extent { height: 2, width: 3 }, channels: 2 };
        let (rows, columns) = (Span { first: -1, count: 3 }, Span { first: 1, count: 3 });
        let mut patch = vec![f32::NAN; patch_len(&map, 1, rows, columns)];
        copy_patch(&map, 0..1, rows, columns, &mut patch);
        #[rustfmt::skip]
        let expected = [
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            3.0, 4.0, 5.0, 6.0, 0.0, 0.0,
            9.0, 10.0, 11.0, 12.0, 0.0, 0.0,
        ];
        assert_eq!(patch, expected);
    }

    #[test]
    fn a_patch_wholly_outside_of_the_map_is_zero() {
        let map = Map { pixels: &[1.0_f32; 4], extent: Extent::square(2), channels: 1 };
        for first in [-5, 2, 7] {
            let (rows, columns) = (Span { first: 0, count: 2 }, Span { first, count: 3 });
            let mut patch = [f32::NAN; 6];
            copy_patch(&map, 0..1, rows, columns, &mut patch);
            assert_eq!(patch, [0.0; 6]);
        }
    }

    #[test]
    fn odd_channels_of_bf16_get_a_zero_beside_them() {
        let pixels = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(bf16::from_f32);
        let map = Map { pixels: &pixels, extent: Extent { height: 1, width: 2 }, channels: 3 };
        let (rows, columns) = (Span { first: 0, count: 1 }, Span { first: 0, count: 2 });
        let mut patch = [bf16::NAN; 8];
        copy_patch(&map, 0..1, rows, columns, &mut patch);
        assert_eq!(patch.map(bf16::to_f32), [1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0]);
    }
}
