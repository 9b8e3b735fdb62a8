//! From a file's bytes to an upright photo on white, by the decoders of the `image` crate.

use std::cell::Cell;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageFormat, ImageReader};

use super::allowance::Allowance;
use super::decode_error::DecodeError;
use super::jpeg::Markers;
use super::png_metadata::without_much_metadata;
use super::reduced_jpeg::{self, ReducedJpeg};
use super::rgb::to_rgb8;
use super::upright::{extra_bytes, is_on_its_side, upright};
use super::watched::Watched;
use super::{Limits, ReadSize, SizedPhoto};
use crate::Photo;

/// Bytes that a frame of a GIF may take, however small its canvas.
const SMALL_FRAME: u64 = 16 << 20;

/// The photo in `bytes`, which are in `format`, turned by `orientation`, at `size`.
pub(super) fn decode(
    bytes: &[u8],
    format: ImageFormat,
    orientation: Orientation,
    size: ReadSize,
    allowance: &Allowance<'_>,
) -> Result<SizedPhoto, DecodeError> {
    let ran_out = Cell::new(false);
    let decoded = match format {
        ImageFormat::Jpeg => decode_jpeg(bytes, orientation, size, allowance, &ran_out),
        ImageFormat::Png => {
            let bytes = without_much_metadata(bytes);
            decode_watched(&bytes, format, orientation, size, allowance, &ran_out)
        }
        _ => decode_watched(bytes, format, orientation, size, allowance, &ran_out),
    };
    decoded.map_err(|error| match error {
        DecodeError::Corrupt(_) => match allowance.check_time() {
            Err(timed_out) => timed_out,
            Ok(()) if ran_out.get() && format != ImageFormat::Jpeg => DecodeError::Truncated,
            Ok(()) => error,
        },
        error => error,
    })
}

fn decode_jpeg(
    bytes: &[u8],
    orientation: Orientation,
    size: ReadSize,
    allowance: &Allowance<'_>,
    ran_out: &Cell<bool>,
) -> Result<SizedPhoto, DecodeError> {
    let markers = Markers::of(bytes).ok_or(DecodeError::Truncated)?;
    let decoder = opened(bytes, ImageFormat::Jpeg, allowance, ran_out)?;
    let (width, height) = decoder.dimensions();
    markers.check(width, height, allowance.limits())?;
    // `image` does not count the coefficients, which a decoder keeps beside the pixels.
    let within_limit = |pixels: u64| match pixels + markers.coefficient_bytes {
        bytes if bytes > allowance.limits().max_bytes => Err(DecodeError::TooMuchMemory),
        bytes => Ok(bytes),
    };

    // As stored, the picture may lie on its side; turning comes last, when the photo is smallest.
    let is_on_its_side = is_on_its_side(orientation);
    let target = if is_on_its_side {
        let (upright_width, upright_height) = size.of(height, width);
        [upright_height, upright_width]
    } else {
        size.of(width, height).into()
    };
    if let Some(divisor) = reduced_jpeg::divisor([width, height], target) {
        let reduced = ReducedJpeg::bytes([width, height], divisor);
        allowance.reserve(width, height, within_limit(reduced)?)?;
        let file = Watched::new(bytes, ran_out, allowance);
        if let Some(reduced) = reduced_jpeg::decode(file, [width, height], divisor, allowance)? {
            let photo = reduced.photo.resized_part(reduced.bounds, reduced.part, target);
            let (width, height) = if is_on_its_side { (height, width) } else { (width, height) };
            return Ok(SizedPhoto { photo: upright(photo, orientation), width, height });
        }
    }
    within_limit(u64::from(width) * u64::from(height) * 3)?;
    // The decoder keeps a copy of the file.
    decode_pixels(decoder, bytes.len() as u64 + markers.coefficient_bytes, orientation, size, allowance)
}

fn decode_watched(
    bytes: &[u8],
    format: ImageFormat,
    orientation: Orientation,
    size: ReadSize,
    allowance: &Allowance<'_>,
    ran_out: &Cell<bool>,
) -> Result<SizedPhoto, DecodeError> {
    let decoder = opened(bytes, format, allowance, ran_out)?;
    let (width, height) = decoder.dimensions();
    let buffers = match format {
        // A frame that is smaller than the canvas. Some small ones are larger.
        ImageFormat::Gif => decoder.total_bytes().max(SMALL_FRAME),
        // Luma and chroma planes, or RGBA, of the canvas and of a frame.
        ImageFormat::WebP => 8 * u64::from(width) * u64::from(height),
        _ => 0,
    };
    decode_pixels(decoder, buffers, orientation, size, allowance)
}

/// The decoder of a file whose header has been read.
fn opened<'a, 'budget>(
    bytes: &'a [u8],
    format: ImageFormat,
    allowance: &'a Allowance<'budget>,
    ran_out: &'a Cell<bool>,
) -> Result<impl ImageDecoder + use<'a, 'budget>, DecodeError> {
    let mut reader = ImageReader::with_format(Watched::new(bytes, ran_out, allowance), format);
    reader.limits(decoder_limits(allowance));
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, allowance.limits())?;
    Ok(decoder)
}

fn decoder_limits(allowance: &Allowance<'_>) -> image::Limits {
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(allowance.limits().max_bytes);
    limits
}

/// Decodes every pixel, for which the decoder has `buffers` bytes besides them.
fn decode_pixels(
    mut decoder: impl ImageDecoder,
    buffers: u64,
    orientation: Orientation,
    size: ReadSize,
    allowance: &Allowance<'_>,
) -> Result<SizedPhoto, DecodeError> {
    let (width, height) = decoder.dimensions();
    let (own, rgb) = (decoder.total_bytes(), 3 * u64::from(width) * u64::from(height));
    decoder_limits(allowance).reserve(own)?;
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(buffers);
    decoder.set_limits(limits)?;
    allowance.reserve(width, height, own.max(rgb) + buffers + extra_bytes(rgb, orientation))?;

    let color = decoder.color_type();
    // The limits are less than what is addressed, even on 32 bits, where more would have failed above.
    let mut pixels = vec![0; usize::try_from(own).map_err(|_| DecodeError::TooMuchMemory)?];
    decoder.read_image(&mut pixels)?;
    let pixels =
        to_rgb8(pixels, color).ok_or_else(|| DecodeError::Corrupt("of an unknown colour type".into()))?;
    finished([width, height], pixels, orientation, size)
}

/// The photo of the RGB pixels that are stored in a file, turned by `orientation`, at `size`.
pub(super) fn finished(
    [width, height]: [u32; 2],
    pixels: Vec<u8>,
    orientation: Orientation,
    size: ReadSize,
) -> Result<SizedPhoto, DecodeError> {
    let photo = Photo::from_pixels(width, height, pixels);
    let photo = photo.ok_or_else(|| DecodeError::Corrupt("it has no pixels".into()))?;
    Ok(size.resized(upright(photo, orientation)))
}

/// Refuses more pixels than allowed.
pub(super) fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), DecodeError> {
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(DecodeError::TooLarge { width, height });
    }
    Ok(())
}
