//! From a file's bytes to an upright photo on white, by the decoders of the `image` crate.

use std::cell::Cell;
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use image::metadata::Orientation;
use image::{ImageDecoder, ImageError, ImageFormat, ImageReader};

use super::allowance::Allowance;
use super::jpeg::Markers;
use super::png_metadata::without_much_metadata;
use super::reduced_jpeg::{self, ReducedJpeg};
use super::rgb::to_rgb8;
use super::upright::{extra_bytes, is_on_its_side, upright};
use super::{Limits, ReadSize};
use crate::{Photo, PhotoError};

/// A [`PhotoError`] that does not know yet of what file it speaks.
#[derive(Debug)]
pub(super) enum DecodeError {
    Truncated,
    Corrupt(String),
    TooLarge {
        width: u32,
        height: u32,
    },
    TooMuchMemory,
    /// More memory than all photos together may take.
    MoreThanBudget {
        needed: u64,
        budget: u64,
    },
    TooManyScans {
        scans: u32,
        limit: u32,
    },
    TimedOut {
        allowed: Duration,
    },
    Unsupported(String),
}

impl DecodeError {
    /// The error of the file at `path`, which is in `format`.
    pub(super) fn at(self, path: &Path, format: &'static str, limits: &Limits) -> PhotoError {
        let path = path.to_owned();
        let &Limits { max_pixels, max_bytes, .. } = limits;
        match self {
            DecodeError::Truncated => PhotoError::Truncated { path, format },
            DecodeError::Corrupt(reason) => PhotoError::Corrupt { path, format, reason },
            DecodeError::TooLarge { width, height } => {
                PhotoError::TooLarge { path, width, height, max_pixels }
            }
            DecodeError::TooMuchMemory => PhotoError::TooMuchMemory { path, max_bytes },
            DecodeError::MoreThanBudget { needed, budget } => {
                PhotoError::MoreThanBudget { path, needed, budget }
            }
            DecodeError::TooManyScans { scans, limit } => PhotoError::TooManyScans { path, scans, limit },
            DecodeError::TimedOut { allowed } => PhotoError::TimedOut { path, format, allowed },
            DecodeError::Unsupported(advice) => PhotoError::Unsupported { path, format, advice },
        }
    }
}

impl From<ImageError> for DecodeError {
    fn from(error: ImageError) -> DecodeError {
        match error {
            ImageError::Limits(_) => DecodeError::TooMuchMemory,
            ImageError::Unsupported(_) => {
                DecodeError::Unsupported(format!("convert it to JPEG or PNG ({error})"))
            }
            error => DecodeError::Corrupt(error.to_string()),
        }
    }
}

/// Bytes that a frame of a GIF may take, however small its canvas.
const SMALL_FRAME: u64 = 16 << 20;

/// Bytes that a reader is shown at once, so that it comes back to have the time checked.
const PIECE: usize = 16 << 10;
/// Reads of the file between two looks at the clock, which take longer than a short read.
const READS_BETWEEN_CHECKS: u32 = 64;

/// A file's bytes, which take note when somebody wants more of them than there are (how decoders say so differs from one
/// to the next), and which end when the photo's time is over.
pub(super) struct Watched<'a, 'budget> {
    bytes: Cursor<&'a [u8]>,
    ran_out: &'a Cell<bool>,
    allowance: &'a Allowance<'budget>,
    reads: u32,
    unchecked_bytes: usize,
}

impl<'a, 'budget> Watched<'a, 'budget> {
    pub(super) fn new(
        bytes: &'a [u8],
        ran_out: &'a Cell<bool>,
        allowance: &'a Allowance<'budget>,
    ) -> Watched<'a, 'budget> {
        Watched { bytes: Cursor::new(bytes), ran_out, allowance, reads: 0, unchecked_bytes: 0 }
    }

    /// Counts a read of so many bytes, and looks at the clock once in a while.
    fn check_time(&mut self, bytes: usize) -> std::io::Result<()> {
        self.reads += 1;
        self.unchecked_bytes += bytes;
        if self.reads >= READS_BETWEEN_CHECKS || self.unchecked_bytes >= PIECE {
            (self.reads, self.unchecked_bytes) = (0, 0);
            self.allowance.check_time().map_err(|_| std::io::ErrorKind::TimedOut)?;
        }
        Ok(())
    }
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            self.ran_out.set(true);
        }
        self.check_time(count)?;
        Ok(count)
    }
}

impl BufRead for Watched<'_, '_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.check_time(0)?;
        let available = self.bytes.fill_buf()?;
        if available.is_empty() {
            self.ran_out.set(true);
        }
        Ok(&available[..available.len().min(PIECE)])
    }

    fn consume(&mut self, amount: usize) {
        self.unchecked_bytes += amount;
        self.bytes.consume(amount);
    }
}

impl Seek for Watched<'_, '_> {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(position)
    }
}

/// The photo in `bytes`, which are in `format`, turned by `orientation`, at `size`.
pub(super) fn decode(
    bytes: &[u8],
    format: ImageFormat,
    orientation: Orientation,
    size: ReadSize,
    allowance: &Allowance<'_>,
) -> Result<Photo, DecodeError> {
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
) -> Result<Photo, DecodeError> {
    let markers = Markers::of(bytes).ok_or(DecodeError::Truncated)?;
    let decoder = opened(bytes, ImageFormat::Jpeg, allowance, ran_out)?;
    let (width, height) = decoder.dimensions();
    markers.check(width, height, allowance.limits())?;
    // `image` does not count the coefficients, which a decoder keeps beside the pixels.
    let within_limit = |pixels: u64| match pixels + markers.coefficient_bytes {
        bytes if bytes > allowance.limits().max_bytes => Err(DecodeError::TooMuchMemory),
        bytes => Ok(bytes),
    };

    // As stored, the picture may lie on its side; turning comes last, when least is left to turn.
    let target = if is_on_its_side(orientation) {
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
            return Ok(upright(photo, orientation));
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
) -> Result<Photo, DecodeError> {
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
) -> Result<Photo, DecodeError> {
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
) -> Result<Photo, DecodeError> {
    let photo = Photo::from_pixels(width, height, pixels);
    let photo = photo.ok_or_else(|| DecodeError::Corrupt("it has no pixels".into()))?;
    Ok(size.resize(upright(photo, orientation)))
}

/// Refuses more pixels than allowed.
pub(super) fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), DecodeError> {
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(DecodeError::TooLarge { width, height });
    }
    Ok(())
}
