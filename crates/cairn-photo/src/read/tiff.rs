//! TIFF and BigTIFF: the first picture of the file, in strips or tiles, of any usual depth, colour and compression.

mod color;
mod compression;
mod layout;
mod samples;

use image::RgbImage;
use image::metadata::Orientation;

use super::Limits;
use super::allowance::Allowance;
use super::decode_error::DecodeError;
use super::jpeg::Markers;
use super::upright::extra_bytes;
use color::Converter;
use layout::{Chunk, Compression, Layout};
use samples::{Samples, undo_prediction};

/// The picture in `bytes` as it is stored, what is transparent laid on white. It will be turned by `orientation`, which
/// takes memory, too.
pub(super) fn decode(
    bytes: &[u8],
    orientation: Orientation,
    allowance: &Allowance<'_>,
) -> Result<RgbImage, DecodeError> {
    let layout = Layout::of(bytes, allowance.limits())?;
    let needed = needed_bytes(&layout, allowance.limits())?;
    let turning = extra_bytes(picture_bytes(&layout), orientation);
    allowance.reserve(layout.width, layout.height, needed + turning)?;

    let converter = Converter::new(&layout)?;
    let mut picture = RgbImage::new(layout.width, layout.height);
    let mut buffers = vec![Vec::new(); layout.planes()];
    let mut samples = Samples::new(&layout);
    let mut rgb = Vec::new();
    for chunk in layout.chunks() {
        allowance.check_time()?;
        for (plane, buffer) in buffers.iter_mut().enumerate() {
            read_chunk(bytes, &layout, &chunk, plane, buffer, allowance.limits())?;
        }
        for row in 0..chunk.visible_rows {
            samples.read_row(&layout, &chunk, &buffers, row as usize);
            rgb.clear();
            converter.convert(samples.values(chunk.visible_columns as usize), &mut rgb);
            let start =
                ((u64::from(chunk.y + row) * u64::from(layout.width) + u64::from(chunk.x)) * 3) as usize;
            picture.as_mut()[start..][..rgb.len()].copy_from_slice(&rgb);
        }
    }
    Ok(picture)
}

fn picture_bytes(layout: &Layout<'_>) -> u64 {
    u64::from(layout.width) * u64::from(layout.height) * 3
}

/// Bytes that decoding takes. Refuses what would take too many, or (by tiles that reach far beyond the picture) too much
/// time.
fn needed_bytes(layout: &Layout<'_>, limits: &Limits) -> Result<u64, DecodeError> {
    let picture = picture_bytes(layout);
    // What a chunk decodes to, and what its decoder keeps besides.
    let chunk = layout.chunk_bytes().saturating_mul(2 * layout.planes() as u64);
    let all_chunks = layout.chunk_bytes().saturating_mul(layout.ranges.len() as u64);
    let needed = picture.saturating_add(chunk);
    if needed > limits.max_bytes || all_chunks > limits.max_bytes {
        return Err(DecodeError::TooMuchMemory);
    }
    Ok(needed)
}

/// Decompresses one plane of a chunk.
fn read_chunk(
    bytes: &[u8],
    layout: &Layout<'_>,
    chunk: &Chunk,
    plane: usize,
    buffer: &mut Vec<u8>,
    limits: &Limits,
) -> Result<(), DecodeError> {
    let (offset, length) = layout.ranges[chunk.index + plane * layout.chunks_per_plane()];
    let data = usize::try_from(offset).ok().and_then(|start| {
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        bytes.get(start..end)
    });
    let data = data.ok_or(DecodeError::Truncated)?;
    if layout.compression == Compression::Jpeg {
        let (markers, _) = Markers::found_in(data);
        markers.check(layout.chunk_columns() as u32, chunk.rows, limits)?;
    }
    buffer.clear();
    buffer.resize(layout.stored_bytes(chunk), 0);
    compression::decompress(layout, chunk, data, buffer)?;
    if layout.is_subsampled() {
        *buffer = samples::without_subsampling(layout, chunk, buffer);
    }
    undo_prediction(layout, buffer)
}
