//! Depthwise convolutions of bytes: every channel on its own.

mod plain;
#[cfg(target_arch = "x86_64")]
mod vnni;

use self::plain::Plain;
#[cfg(target_arch = "x86_64")]
use self::vnni::Vnni;
use super::dot::Dot;
use super::requantise::Requantise;
use crate::disjoint_slice::DisjointSlice;
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};
use crate::team::spread;

/// Weights in the order of the kernel that reads them, and the end of the layer.
#[derive(Debug)]
pub(super) enum Depthwise {
    /// Four taps at a time.
    #[cfg(target_arch = "x86_64")]
    Vnni(Vnni),
    /// Tap after tap.
    Plain(Plain),
}

/// How an output row reads its sources.
#[derive(Clone, Copy, Debug)]
struct Walk<'a> {
    channels: usize,
    /// Output pixels.
    count: usize,
    stride: usize,
    /// Pixels of padding before the map's first.
    left: usize,
    /// Pixels of the map's row.
    width: usize,
    /// Levels of a pixel outside of the map.
    zeros: &'a [u8],
}

impl Walk<'_> {
    /// The source pixel that a tap of the first output pixel reads, moved by so many pixels; `None` outside of the map.
    fn inside(&self, column: usize) -> Option<usize> {
        column.checked_sub(self.left).filter(|&column| column < self.width)
    }
}

impl Depthwise {
    pub(super) fn new(dot: Dot, shape: &Conv2dShape, weights: &[i8], requantise: Requantise) -> Self {
        dot.require();
        let kernel = shape.options().kernel;
        match dot {
            #[cfg(target_arch = "x86_64")]
            Dot::Avx512Vnni => {
                Self::Vnni(Vnni::new(dot, kernel, shape.options().stride, weights, &requantise))
            }
            _ => Self::Plain(Plain::new(dot.isa(), kernel, weights, requantise)),
        }
    }

    pub(super) fn forward(&self, shape: &Conv2dShape, input: &[u8], zeros: &[u8], output: &mut [u8]) {
        let Conv2dOptions { map, inputs: channels, kernel, stride, .. } = *shape.options();
        let (Extent { height, width }, leading) = (shape.output_map(), shape.leading_zeros());
        let walk = Walk { channels, count: width, stride, left: leading.width, width: map.width, zeros };
        let line = map.width * channels;
        let (rows_each, row_len) = (self.rows_together(), width * channels);
        let bands = height.div_ceil(rows_each);
        let (photos, output) = (output.len() / (height * row_len).max(1), DisjointSlice::new(output));
        spread(photos * bands, |band| {
            let (photo, first) = (band / bands, band % bands * rows_each);
            let rows = photo * height + first..photo * height + (first + rows_each).min(height);
            // SAFETY: no two bands have a row in common.
            let output = unsafe { output.part(rows.start * row_len..rows.end * row_len) };
            let photo = &input[photo * map.height * line..][..map.height * line];
            // The map's row for each row of the kernel at the band's first row, and for those below that its other rows read.
            let lines: Vec<Option<&[u8]>> = (0..(rows_each - 1) * stride + kernel.height)
                .map(|tap| {
                    let row = (first * stride + tap).checked_sub(leading.height);
                    row.filter(|&row| row < map.height).map(|row| &photo[row * line..][..line])
                })
                .collect();
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Vnni(vnni) => vnni.rows(&walk, &lines, output),
                Self::Plain(plain) => plain.row(&walk, &lines, output),
            }
        });
    }

    /// Output rows that are computed together.
    fn rows_together(&self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni(vnni) => vnni.rows_together(),
            Self::Plain(_) => 1,
        }
    }
}
