//! JPEG at a fraction of its size: the inverse cosine transform of each block gives 4 x 4, 2 x 2 or 1 pixel instead of
//! 8 x 8.
//!
//! Which decoder, and how much is left of the photo: docs/decisions/003-jpeg-decoding.md.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mozjpeg::Decompress;

use super::allowance::Allowance;
use super::decode_error::DecodeError;
use super::watched::Watched;
use crate::part::Part;
use crate::{Photo, Region};

/// A JPEG decoded at a fraction of its size.
pub(super) struct ReducedJpeg {
    /// The pixels. Blocks that reach over the edge of the picture are rounded up to whole pixels.
    pub(super) photo: Photo,
    /// All of them.
    pub(super) bounds: Region,
    /// What of them is picture: the file's size over the divisor.
    pub(super) part: Part,
}

impl ReducedJpeg {
    /// Bytes that decoding a JPEG of `width` x `height` pixels at one `divisor`th takes, without its coefficients.
    pub(super) fn bytes([width, height]: [u32; 2], divisor: u32) -> u64 {
        3 * u64::from(width.div_ceil(divisor)) * u64::from(height.div_ceil(divisor))
    }
}

/// Decodes a JPEG of `width` x `height` pixels at one `divisor`th of its size.
///
/// `None` where this decoder cannot read the picture: CMYK, arithmetic coding, corrupt data.
pub(super) fn decode(
    file: Watched<'_, '_>,
    [width, height]: [u32; 2],
    divisor: u32,
    allowance: &Allowance<'_>,
) -> Result<Option<ReducedJpeg>, DecodeError> {
    // libjpeg leaves by unwinding where it cannot go on, and so it does when the file's reader says that the time is over;
    // nothing of it is used afterwards.
    let photo = catch_unwind(AssertUnwindSafe(|| decode_divided(file, divisor, allowance)));
    allowance.check_time()?;
    let bounds = Region { x: 0, y: 0, width: width.div_ceil(divisor), height: height.div_ceil(divisor) };
    let [width, height] = [width, height].map(|side| f64::from(side) / f64::from(divisor));
    let part = Part { x: 0.0, y: 0.0, width, height };
    let photo = photo.ok().flatten().filter(|photo| photo.region() == bounds);
    Ok(photo.map(|photo| ReducedJpeg { photo, bounds, part }))
}

/// The greatest divisor that leaves enough pixels.
///
/// A network must not notice. Resized from 1/8, a photo of 12 megapixels and more differs from one that was decoded
/// whole by up to 2 levels in the mean where it has 1.2 times as many pixels on a side as the target. Smaller photos
/// are sharper, mostly having been made smaller before, and need more.
///
/// `None` where a target needs every pixel.
pub(super) fn divisor([width, height]: [u32; 2], [target_width, target_height]: [u32; 2]) -> Option<u32> {
    let enough = |divisor: u32, margin: f64| {
        let reaches =
            |side: u32, target: u32| f64::from(side) >= margin * f64::from(divisor) * f64::from(target);
        reaches(width, target_width) && reaches(height, target_height)
    };
    [(8, 1.2), (4, 1.6), (2, 1.6)]
        .into_iter()
        .find(|&(divisor, margin)| enough(divisor, margin))
        .map(|(divisor, _)| divisor)
}

fn decode_divided(file: Watched<'_, '_>, divisor: u32, allowance: &Allowance<'_>) -> Option<Photo> {
    let mut decoder = Decompress::new_reader(file).ok()?;
    // In eighths.
    decoder.scale((8 / divisor) as u8);
    let mut rows = decoder.rgb().ok()?;
    let (width, height) = (rows.width() as u32, rows.height() as u32);
    let mut photo = Photo::from_pixels(width, height, vec![0; rows.min_flat_buffer_size()])?;
    for row in photo.pixels_mut().chunks_exact_mut(width as usize * 3) {
        allowance.check_time().ok()?;
        rows.read_scanlines_into(row).ok()?;
    }
    rows.finish().ok()?;
    Some(photo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_divisor_that_leaves_enough_is_taken() {
        let square = |side: u32, target: u32| divisor([side; 2], [target; 2]);
        assert_eq!(square(2500, 256), Some(8));
        assert_eq!(square(2400, 256), Some(4));
        assert_eq!(square(1700, 256), Some(4));
        assert_eq!(square(1600, 256), Some(2));
        assert_eq!(square(800, 256), None);
        assert_eq!(divisor([4000, 500], [256, 256]), None, "the side that has least to spare decides");
    }
}
