//! Pixels of any colour type to 8-bit RGB, in place: a second copy of a large photo would take as much memory again.

use image::ColorType;

/// The pixels in `bytes` as 8-bit RGB, what is transparent laid on white. 16-bit levels are rounded to 8 bits, and
/// floating-point ones from 0 to 1, as the `image` crate rounds them.
///
/// `None` for a colour type that did not exist when this was written.
pub(super) fn to_rgb8(mut bytes: Vec<u8>, color: ColorType) -> Option<Vec<u8>> {
    match color {
        ColorType::Rgb8 => {}
        ColorType::L8 => repack::<1>(&mut bytes, |[l]| [l; 3]),
        ColorType::La8 => repack::<2>(&mut bytes, |[l, a]| on_white([l; 3], a)),
        ColorType::Rgba8 => repack::<4>(&mut bytes, |[r, g, b, a]| on_white([r, g, b], a)),
        ColorType::L16 => repack::<2>(&mut bytes, |pixel| [of_16_bits(&pixel, 0); 3]),
        ColorType::La16 => {
            repack::<4>(&mut bytes, |pixel| on_white([of_16_bits(&pixel, 0); 3], of_16_bits(&pixel, 1)));
        }
        ColorType::Rgb16 => repack::<6>(&mut bytes, |pixel| [0, 1, 2].map(|at| of_16_bits(&pixel, at))),
        ColorType::Rgba16 => repack::<8>(&mut bytes, |pixel| {
            on_white([0, 1, 2].map(|at| of_16_bits(&pixel, at)), of_16_bits(&pixel, 3))
        }),
        ColorType::Rgb32F => repack::<12>(&mut bytes, |pixel| [0, 1, 2].map(|at| of_float(&pixel, at))),
        ColorType::Rgba32F => repack::<16>(&mut bytes, |pixel| {
            on_white([0, 1, 2].map(|at| of_float(&pixel, at)), of_float(&pixel, 3))
        }),
        _ => return None,
    }
    Some(bytes)
}

/// Replaces every pixel of `N` bytes by one of three.
fn repack<const N: usize>(bytes: &mut Vec<u8>, rgb: impl Fn([u8; N]) -> [u8; 3]) {
    let count = bytes.len() / N;
    let replace = |bytes: &mut [u8], at: usize| {
        let mut pixel = [0; N];
        pixel.copy_from_slice(&bytes[at * N..][..N]);
        bytes[at * 3..][..3].copy_from_slice(&rgb(pixel));
    };
    // Each pixel is read before another is written over it: smaller ones from the end, larger ones from the beginning.
    if N < 3 {
        bytes.reserve_exact(count * (3 - N));
        bytes.resize(count * 3, 0);
        (0..count).rev().for_each(|at| replace(bytes, at));
    } else {
        (0..count).for_each(|at| replace(bytes, at));
        bytes.truncate(count * 3);
        bytes.shrink_to_fit();
    }
}

/// A colour as it looks on white paper: in proportion to its alpha, white for the rest.
pub(super) fn on_white(rgb: [u8; 3], alpha: u8) -> [u8; 3] {
    let opacity = u32::from(alpha);
    // Rounded to the nearest; at most 255, since the two weights sum to 255.
    rgb.map(|value| ((u32::from(value) * opacity + 255 * (255 - opacity) + 127) / 255) as u8)
}

/// The 16-bit level at this place of a pixel, in the machine's order of bytes, as 8 bits.
fn of_16_bits(pixel: &[u8], at: usize) -> u8 {
    let level = u32::from(u16::from_ne_bytes([pixel[2 * at], pixel[2 * at + 1]]));
    // Rounded to the nearest of `level * 255 / 65535`.
    ((level + 128) / 257) as u8
}

/// The level from 0 to 1 at this place of a pixel, as 8 bits.
fn of_float(pixel: &[u8], at: usize) -> u8 {
    let &[a, b, c, d] = pixel[4 * at..].first_chunk().unwrap_or(&[0; 4]);
    let level = f32::from_ne_bytes([a, b, c, d]);
    // What is not a number is white, as `image` has it.
    let level = if level.is_nan() { 1.0 } else { level.clamp(0.0, 1.0) };
    (level * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageBuffer};
    use proptest::prelude::*;

    /// The pixels as `image` converts them, transparent ones laid on white.
    fn reference(image: DynamicImage) -> Vec<u8> {
        if !image.color().has_alpha() {
            return image.into_rgb8().into_raw();
        }
        image.into_rgba8().pixels().flat_map(|&image::Rgba([r, g, b, a])| on_white([r, g, b], a)).collect()
    }

    fn bytes_of(levels: &[u16]) -> Vec<u8> {
        levels.iter().flat_map(|level| level.to_ne_bytes()).collect()
    }

    proptest! {
        #[test]
        fn every_colour_type_becomes_what_the_image_crate_makes_of_it(
            bytes in prop::collection::vec(any::<u8>(), 24), levels in prop::collection::vec(any::<u16>(), 24),
            floats in prop::collection::vec(prop_oneof![-0.5_f32..1.5, Just(f32::NAN), Just(f32::INFINITY)], 24),
        ) {
            let float_bytes: Vec<u8> = floats.iter().flat_map(|level| level.to_ne_bytes()).collect();
            let wide = bytes_of(&levels);
            let cases = [
                (ColorType::L8, bytes.clone(), DynamicImage::ImageLuma8(ImageBuffer::from_raw(4, 6, bytes.clone()).unwrap())),
                (ColorType::La8, bytes.clone(), DynamicImage::ImageLumaA8(ImageBuffer::from_raw(4, 3, bytes.clone()).unwrap())),
                (ColorType::Rgb8, bytes.clone(), DynamicImage::ImageRgb8(ImageBuffer::from_raw(4, 2, bytes.clone()).unwrap())),
                (ColorType::Rgba8, bytes.clone(), DynamicImage::ImageRgba8(ImageBuffer::from_raw(3, 2, bytes).unwrap())),
                (ColorType::L16, wide.clone(), DynamicImage::ImageLuma16(ImageBuffer::from_raw(4, 6, levels.clone()).unwrap())),
                (ColorType::La16, wide.clone(), DynamicImage::ImageLumaA16(ImageBuffer::from_raw(4, 3, levels.clone()).unwrap())),
                (ColorType::Rgb16, wide.clone(), DynamicImage::ImageRgb16(ImageBuffer::from_raw(4, 2, levels.clone()).unwrap())),
                (ColorType::Rgba16, wide, DynamicImage::ImageRgba16(ImageBuffer::from_raw(3, 2, levels).unwrap())),
                (ColorType::Rgb32F, float_bytes.clone(), DynamicImage::ImageRgb32F(ImageBuffer::from_raw(4, 2, floats.clone()).unwrap())),
                (ColorType::Rgba32F, float_bytes, DynamicImage::ImageRgba32F(ImageBuffer::from_raw(3, 2, floats).unwrap())),
            ];
            for (color, bytes, image) in cases {
                prop_assert_eq!(to_rgb8(bytes, color).unwrap(), reference(image), "{:?}", color);
            }
        }
    }
}
