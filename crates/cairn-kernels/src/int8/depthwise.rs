//! Depthwise convolutions of bytes: every channel on its own.

mod plain;
#[cfg(target_arch = "x86_64")]
mod vnni;

use self::plain::Plain;
#[cfg(target_arch = "x86_64")]
use self::vnni::Vnni;
use super::dot::Dot;
use super::requantise::Requantise;
use crate::shape::{Conv2dOptions, Conv2dShape, Extent};
use crate::team::spread_chunks;

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
            Dot::Avx512Vnni => Self::Vnni(Vnni::new(dot, kernel, weights, &requantise)),
            _ => Self::Plain(Plain::new(dot.isa(), kernel, weights, requantise)),
        }
    }

    pub(super) fn forward(&self, shape: &Conv2dShape, input: &[u8], zeros: &[u8], output: &mut [u8]) {
        let Conv2dOptions { map, inputs: channels, kernel, stride, .. } = *shape.options();
        let (Extent { height, width }, leading) = (shape.output_map(), shape.leading_zeros());
        let walk = Walk { channels, count: width, stride, left: leading.width, width: map.width, zeros };
        let line = map.width * channels;
        spread_chunks(output, width * channels, |index, output| {
            let (photo, row) = (index / height, index % height);
            let photo = &input[photo * map.height * line..][..map.height * line];
            // The map's row for each row of the kernel, or none.
            let lines: Vec<Option<&[u8]>> = (0..kernel.height)
                .map(|tap| {
                    let row = (row * stride + tap).checked_sub(leading.height);
                    row.filter(|&row| row < map.height).map(|row| &photo[row * line..][..line])
                })
                .collect();
            match self {
                #[cfg(target_arch = "x86_64")]
                Self::Vnni(vnni) => vnni.row(&walk, &lines, output),
                Self::Plain(plain) => plain.row(&walk, &lines, output),
            }
        });
    }
}
