//! Decompressing a strip or tile.

use std::borrow::Cow;
use std::io::{ErrorKind, Read};

use fax::Color;
use fax::decoder::{decode_g4, pels};
use flate2::read::ZlibDecoder;
use weezl::{BitOrder, LzwStatus, decode::Decoder as LzwDecoder};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::layout::{Chunk, Compression, Layout};
use crate::read::decode_error::{DecodeError, corrupt, unsupported};

/// Fills `out` with what `data` decompress to.
pub(super) fn decompress(
    layout: &Layout<'_>,
    chunk: &Chunk,
    data: &[u8],
    out: &mut [u8],
) -> Result<(), DecodeError> {
    let data = if layout.reversed_bits && layout.compression != Compression::Jpeg {
        Cow::Owned(data.iter().map(|byte| byte.reverse_bits()).collect::<Vec<u8>>())
    } else {
        Cow::Borrowed(data)
    };
    match layout.compression {
        Compression::None => {
            let data = data.get(..out.len()).ok_or(DecodeError::Truncated)?;
            out.copy_from_slice(data);
            Ok(())
        }
        Compression::Lzw => lzw(&data, out),
        Compression::Deflate => deflate(&data, out),
        Compression::PackBits => pack_bits(&data, out),
        Compression::Jpeg => jpeg(layout, chunk, &data, out),
        Compression::Fax4 => fax4(layout, chunk, &data, out),
    }
}

fn ends_early() -> DecodeError {
    corrupt("a strip or tile ends before its last pixel")
}

fn lzw(data: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    // Programs of before TIFF 5.0 wrote codes from the lowest bit on; such data begin with the clear code, 256.
    let mut decoder = match data {
        [0, second, ..] if second & 1 == 1 => LzwDecoder::new(BitOrder::Lsb, 8),
        _ => LzwDecoder::with_tiff_size_switch(BitOrder::Msb, 8),
    };
    let (mut read, mut written) = (0, 0);
    while written < out.len() {
        let step = decoder.decode_bytes(&data[read..], &mut out[written..]);
        read += step.consumed_in;
        written += step.consumed_out;
        match step.status {
            Ok(LzwStatus::Ok) if step.consumed_in > 0 || step.consumed_out > 0 => {}
            Ok(_) if written == out.len() => {}
            Ok(_) => return Err(ends_early()),
            Err(_) => return Err(corrupt("its LZW data are damaged")),
        }
    }
    Ok(())
}

fn deflate(data: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    ZlibDecoder::new(data).read_exact(out).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => ends_early(),
        _ => corrupt("its deflated data are damaged"),
    })
}

/// TIFF 6.0, section 9.
fn pack_bits(data: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    let (mut data, mut out) = (data, out);
    while !out.is_empty() {
        let (&head, rest) = data.split_first().ok_or_else(ends_early)?;
        match head as i8 {
            -128 => data = rest,
            count @ 0.. => {
                let count = (count as usize + 1).min(out.len());
                let (literal, rest) = rest.split_at_checked(count).ok_or_else(ends_early)?;
                let (to, free) = out.split_at_mut(count);
                to.copy_from_slice(literal);
                (data, out) = (rest, free);
            }
            count => {
                let count = (1 - isize::from(count)) as usize;
                let (&value, rest) = rest.split_first().ok_or_else(ends_early)?;
                let (to, free) = out.split_at_mut(count.min(out.len()));
                to.fill(value);
                (data, out) = (rest, free);
            }
        }
    }
    Ok(())
}

/// A JPEG of its own, whose tables may be elsewhere (Adobe Photoshop TIFF Technical Note 2). Its colours are not
/// converted: TIFF says what they are.
fn jpeg(layout: &Layout<'_>, chunk: &Chunk, data: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    if layout.bits != 8 {
        return Err(unsupported("JPEG of other than 8 bits"));
    }
    let mut whole = Vec::new();
    // The tables are a JPEG without a picture: their end marker goes, and so does the start marker of what follows.
    if let Some([0xFF, 0xD8, tables @ .., 0xFF, 0xD9]) = layout.jpeg_tables {
        whole.extend([0xFF, 0xD8]);
        whole.extend(tables);
        whole.extend(data.get(2..).ok_or_else(ends_early)?);
    } else {
        whole.extend(data);
    }
    let damaged = |error: zune_jpeg::errors::DecodeErrors| DecodeError::Corrupt(error.to_string());
    let (columns, rows) = (layout.chunk_columns(), chunk.rows as usize);
    let options = DecoderOptions::default().set_max_width(columns.max(16)).set_max_height(rows.max(16));
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(whole), options);
    decoder.decode_headers().map_err(damaged)?;
    let colors = decoder.input_colorspace().ok_or_else(|| corrupt("a JPEG in it has no colours"))?;
    decoder.set_options(options.jpeg_set_out_colorspace(colors));
    let size = decoder.info().map(|info| (usize::from(info.width), usize::from(info.height)));
    // The last strip may be shorter than its JPEG.
    let fits = size.is_some_and(|(width, height)| width == columns && height >= rows);
    if !fits || colors.num_components() != layout.samples_in_chunk() {
        return Err(corrupt("a JPEG in it is of another size or other colours"));
    }
    let pixels = decoder.decode().map_err(damaged)?;
    out.copy_from_slice(pixels.get(..out.len()).ok_or_else(ends_early)?);
    Ok(())
}

fn fax4(layout: &Layout<'_>, chunk: &Chunk, data: &[u8], out: &mut [u8]) -> Result<(), DecodeError> {
    let sides = (u16::try_from(layout.chunk_columns()), u16::try_from(chunk.rows));
    let (Ok(columns), Ok(rows)) = sides else {
        return Err(unsupported("CCITT compression of so many pixels"));
    };
    if layout.bits != 1 || layout.samples_in_chunk() != 1 {
        return Err(corrupt("its CCITT compression is of more than black and white"));
    }
    let mut free = out.chunks_exact_mut(layout.row_bytes());
    let complete = decode_g4(data.iter().copied(), columns, Some(rows), |transitions| {
        let Some(row) = free.next() else { return };
        for (x, color) in pels(transitions, columns).enumerate() {
            // White is zero here, whatever the directory says of zero.
            if color == Color::Black {
                row[x / 8] |= 0x80 >> (x % 8);
            }
        }
    });
    complete.ok_or_else(|| corrupt("its CCITT data are damaged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_repeats_and_copies() {
        // The example of TIFF 6.0, section 9.
        let packed = b"\xFE\xAA\x02\x80\x00\x2A\xFD\xAA\x03\x80\x00\x2A\x22\xF7\xAA";
        let plain = b"\xAA\xAA\xAA\x80\x00\x2A\xAA\xAA\xAA\xAA\x80\x00\x2A\x22\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA\xAA";
        let mut out = [0; 24];
        pack_bits(packed, &mut out).unwrap();
        assert_eq!(&out, plain);
        for length in 0..packed.len() {
            assert!(pack_bits(&packed[..length], &mut out).is_err(), "the first {length} bytes");
        }
    }
}
