//! Where the pixels of a band read their sources: in the map itself, or in a patch of it with its padding.

use std::ops::Range;

use super::bands::Band;
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};

/// Bytes of a word of the products.
const WORD: usize = 4;

/// How the output pixels of a layer find the bytes that they read: kernel rows of `run` bytes, `line` bytes apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Whether they read the map itself: where nothing is padded, and a kernel row is whole words.
    in_place: bool,
    channels: usize,
    map: Extent,
    output: Extent,
    kernel: Extent,
    stride: usize,
    zeros: Extent,
    /// Pixels of a line of the source.
    width: usize,
}

impl Reach {
    pub(super) fn of(shape: &Conv2dShape) -> Self {
        let Conv2dOptions { map, inputs, kernel, stride, .. } = *shape.options();
        let (output, zeros) = (shape.output_map(), shape.leading_zeros());
        let reach = |outputs: usize, kernel: usize| (outputs - 1) * stride + kernel;
        let inside = zeros.height == 0
            && zeros.width == 0
            && reach(output.height, kernel.height) <= map.height
            && reach(output.width, kernel.width) <= map.width;
        let in_place = inside && (kernel.width * inputs).is_multiple_of(WORD);
        let width = if in_place { map.width } else { reach(output.width, kernel.width) };
        Self { in_place, channels: inputs, map, output, kernel, stride, zeros, width }
    }

    /// Bytes from one kernel row of a pixel to its next.
    pub(super) fn line(&self) -> usize {
        self.width * self.channels
    }

    /// Lines of the source that a photo of the band has, and the first one's row in the map where they are read in place.
    fn lines(&self, rows: &Range<usize>) -> usize {
        (rows.len() - 1) * self.stride + self.kernel.height
    }

    /// The source of a band: the map from the band's first photo and row on, or a patch, which is laid out in `buffer`.
    pub(super) fn source<'a>(
        &self,
        band: &Band,
        input: &'a [u8],
        zeros: &[u8],
        buffer: &'a mut Vec<u8>,
    ) -> &'a [u8] {
        let photo_len = self.map.area() * self.channels;
        if self.in_place {
            let first = band.photos.start * photo_len + band.rows.start * self.stride * self.line();
            return &input[first..];
        }
        let lines = self.lines(&band.rows);
        let photo_patch = lines * self.line();
        // The last kernel row's last word may end beyond the patch, where it meets weights of zero.
        let len = band.photos.len() * photo_patch + WORD;
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        for (photo, patch) in band.photos.clone().zip(buffer.chunks_exact_mut(photo_patch)) {
            let map = &input[photo * photo_len..][..photo_len];
            for (line, patch) in patch.chunks_exact_mut(self.line()).enumerate() {
                let row = (band.rows.start * self.stride + line).checked_sub(self.zeros.height);
                let row = row.filter(|&row| row < self.map.height);
                let row = row.map(|row| &map[row * self.map.width * self.channels..]);
                self.lay_line(row, zeros, patch);
            }
        }
        &buffer[..len]
    }

    /// Lays out one line: the map's row, if there is one, between its padding.
    fn lay_line(&self, row: Option<&[u8]>, zeros: &[u8], line: &mut [u8]) {
        let Some(row) = row else { return pad(zeros, line) };
        let left = self.zeros.width.min(self.width);
        let inside = (self.width - left).min(self.map.width);
        let (before, rest) = line.split_at_mut(left * self.channels);
        let (within, after) = rest.split_at_mut(inside * self.channels);
        pad(zeros, before);
        within.copy_from_slice(&row[..within.len()]);
        pad(zeros, after);
    }

    /// For each pixel of the band, where in the source it begins to read.
    pub(super) fn offsets(&self, band: &Band, offsets: &mut Vec<usize>) {
        offsets.clear();
        let photo_len = if self.in_place { self.map.height } else { self.lines(&band.rows) } * self.line();
        for photo in 0..band.photos.len() {
            for row in 0..band.rows.len() {
                let first = photo * photo_len + row * self.stride * self.line();
                offsets.extend((0..self.output.width).map(|x| first + x * self.stride * self.channels));
            }
        }
    }
}

/// Fills whole pixels with those of the padding.
fn pad(zeros: &[u8], pixels: &mut [u8]) {
    match zeros {
        [first, rest @ ..] if rest.iter().all(|zero| zero == first) => pixels.fill(*first),
        _ => pixels.chunks_exact_mut(zeros.len()).for_each(|pixel| pixel.copy_from_slice(zeros)),
    }
}
