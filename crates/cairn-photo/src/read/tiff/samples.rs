//! From the bytes of a strip or tile to a row's samples.

use super::layout::{Chunk, Layout, Predictor};
use crate::read::decode_error::{DecodeError, corrupt};

/// The samples of a row, 0 to the greatest that their depth allows (65,535 for those deeper than 16 bits).
pub(super) struct Samples {
    row: Vec<u16>,
    samples: usize,
}

impl Samples {
    pub(super) fn new(layout: &Layout<'_>) -> Samples {
        Samples { row: Vec::new(), samples: layout.samples }
    }

    /// Takes the samples of a row from the chunks of all planes.
    pub(super) fn read_row(&mut self, layout: &Layout<'_>, chunk: &Chunk, planes: &[Vec<u8>], row: usize) {
        let columns = chunk.visible_columns as usize;
        self.row.resize(columns * self.samples, 0);
        for (plane, bytes) in planes.iter().enumerate() {
            let start = row * layout.row_bytes();
            let bytes = &bytes[start..start + layout.row_bytes()];
            let count = columns * layout.samples_in_chunk();
            unpack(layout, bytes, &mut self.row[plane..], planes.len(), count);
        }
    }

    /// The samples of the row's first columns, pixel by pixel.
    pub(super) fn values(&self, columns: usize) -> impl Iterator<Item = &[u16]> {
        self.row.chunks_exact(self.samples).take(columns)
    }
}

/// The first `count` samples in `bytes`, to every `step`th element of `to`.
fn unpack(layout: &Layout<'_>, bytes: &[u8], to: &mut [u16], step: usize, count: usize) {
    let places = to.iter_mut().step_by(step).take(count);
    match (layout.float, layout.bits) {
        (false, 8) => places.zip(bytes).for_each(|(place, &byte)| *place = u16::from(byte)),
        (false, 16) => {
            let values = bytes.as_chunks().0.iter().map(|&value| layout.u16(value));
            places.zip(values).for_each(|(place, value)| *place = value);
        }
        (false, 32) => {
            let values = bytes.as_chunks().0.iter().map(|&value| (layout.u32(value) >> 16) as u16);
            places.zip(values).for_each(|(place, value)| *place = value);
        }
        (true, 32) => {
            let values =
                bytes.as_chunks().0.iter().map(|&value| f64::from(f32::from_bits(layout.u32(value))));
            places.zip(values).for_each(|(place, value)| *place = of_unit(value));
        }
        (true, _) => {
            let values = bytes.as_chunks().0.iter().map(|&value| f64::from_bits(layout.u64(value)));
            places.zip(values).for_each(|(place, value)| *place = of_unit(value));
        }
        (false, bits) => {
            let mut at = 0;
            for place in places {
                *place = (at..at + bits as usize)
                    .fold(0, |value, bit| value << 1 | u16::from(bytes[bit / 8] >> (7 - bit % 8) & 1));
                at += bits as usize;
            }
        }
    }
}

/// 0 to 1 as 0 to 65,535. The cast saturates; what is not a number is 0.
fn of_unit(value: f64) -> u16 {
    (value * 65_535.0).round() as u16
}

impl Layout<'_> {
    fn u16(&self, bytes: [u8; 2]) -> u16 {
        if self.little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
    }

    fn u32(&self, bytes: [u8; 4]) -> u32 {
        if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    fn u64(&self, bytes: [u8; 8]) -> u64 {
        if self.little_endian { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) }
    }
}

/// Subsampled YCbCr as three bytes a pixel: each block of luma shares the two chroma samples that follow it (TIFF 6.0,
/// section 21).
pub(super) fn without_subsampling(layout: &Layout<'_>, chunk: &Chunk, stored: &[u8]) -> Vec<u8> {
    let [block_columns, block_rows] = layout.subsampling.map(|side| side as usize);
    let (columns, rows) = (layout.chunk_columns(), chunk.rows as usize);
    let luma = block_columns * block_rows;
    let blocks_across = columns.div_ceil(block_columns);
    let mut pixels = vec![0; columns * rows * 3];
    for (index, block) in stored.chunks_exact(luma + 2).enumerate() {
        let (left, top) = (index % blocks_across * block_columns, index / blocks_across * block_rows);
        for (at, &y) in block[..luma].iter().enumerate() {
            let (column, row) = (left + at % block_columns, top + at / block_columns);
            if column < columns && row < rows {
                pixels[(row * columns + column) * 3..][..3].copy_from_slice(&[
                    y,
                    block[luma],
                    block[luma + 1],
                ]);
            }
        }
    }
    pixels
}

/// Undoes the difference between neighbours that was stored instead of the samples.
pub(super) fn undo_prediction(layout: &Layout<'_>, bytes: &mut [u8]) -> Result<(), DecodeError> {
    let row_bytes = layout.row_bytes();
    if layout.predictor == Predictor::None || row_bytes == 0 {
        return Ok(());
    }
    if !bytes.len().is_multiple_of(row_bytes) {
        return Err(corrupt("its rows are of several lengths"));
    }
    let samples = layout.samples_in_chunk();
    for row in bytes.chunks_exact_mut(row_bytes) {
        match (layout.predictor, layout.bits) {
            (Predictor::None, _) => {}
            (Predictor::FloatingPoint, bits) => {
                undo_float_prediction(layout, row, samples, bits as usize / 8);
            }
            (Predictor::Horizontal, 8) => {
                for at in samples..row.len() {
                    row[at] = row[at].wrapping_add(row[at - samples]);
                }
            }
            (Predictor::Horizontal, 16) => {
                let values = row.as_chunks_mut::<2>().0;
                for at in samples..values.len() {
                    let sum = layout.u16(values[at]).wrapping_add(layout.u16(values[at - samples]));
                    values[at] = if layout.little_endian { sum.to_le_bytes() } else { sum.to_be_bytes() };
                }
            }
            (Predictor::Horizontal, _) => {
                let values = row.as_chunks_mut::<4>().0;
                for at in samples..values.len() {
                    let sum = layout.u32(values[at]).wrapping_add(layout.u32(values[at - samples]));
                    values[at] = if layout.little_endian { sum.to_le_bytes() } else { sum.to_be_bytes() };
                }
            }
        }
    }
    Ok(())
}

/// Differences of bytes, and all first bytes of a row before all second ones, highest first (Adobe Photoshop TIFF
/// Technical Note 3).
fn undo_float_prediction(layout: &Layout<'_>, row: &mut [u8], samples: usize, size: usize) {
    for at in samples..row.len() {
        row[at] = row[at].wrapping_add(row[at - samples]);
    }
    let planes = row.to_vec();
    let count = row.len() / size;
    for (index, value) in row.chunks_exact_mut(size).enumerate() {
        for (significance, byte) in value.iter_mut().enumerate() {
            let plane = if layout.little_endian { size - 1 - significance } else { significance };
            *byte = planes[plane * count + index];
        }
    }
}
