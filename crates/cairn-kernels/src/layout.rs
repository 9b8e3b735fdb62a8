//! Conversion between channel-major planes (photos, PyTorch's maps) and pixels with their channels together.

use crate::element::Element;
use crate::isa::Isa;
use crate::shape::check_len;
use crate::team::spread_map;
use crate::vectorised::vectorised;

/// Pixels that are moved at a time: their part of every plane stays in the first-level cache.
const PIXELS: usize = 64;

/// `[photos, channels, pixels]` to `[photos, pixels, channels]`, converted on the way.
///
/// # Panics
/// When the planes are not a whole number of photos, or lengths differ.
pub fn planes_to_pixels<T: Element, U: Element>(
    isa: Isa,
    channels: usize,
    area: usize,
    planes: &[T],
    pixels: &mut [U],
) {
    let photo = photo_len(channels, area, planes.len());
    check_len("pixels", pixels.len(), planes.len());
    spread_map(planes, pixels, photo, |planes, pixels| gather_channels(isa, area, planes, pixels));
}

vectorised! {
    fn gather_channels<T: Element, U: Element>(area: usize, planes: &[T], pixels: &mut [U]) {
        let channels = planes.len() / area;
        if channels == 3 {
            let ([red, green, blue], (pixels, _)) =
                ([0, 1, 2].map(|channel| &planes[channel * area..][..area]), pixels.as_chunks_mut::<3>());
            for (((pixel, red), green), blue) in pixels.iter_mut().zip(red).zip(green).zip(blue) {
                *pixel = [red, green, blue].map(|value| U::from_f32(value.to_f32()));
            }
            return;
        }
        for (index, block) in pixels.chunks_mut(PIXELS * channels).enumerate() {
            for (channel, plane) in planes.chunks_exact(area).enumerate() {
                for (pixel, from) in block.chunks_exact_mut(channels).zip(&plane[index * PIXELS..]) {
                    pixel[channel] = U::from_f32(from.to_f32());
                }
            }
        }
    }
}

/// `[photos, pixels, channels]` to `[photos, channels, pixels]`, converted on the way.
///
/// # Panics
/// When the pixels are not a whole number of photos, or lengths differ.
pub fn pixels_to_planes<T: Element, U: Element>(
    isa: Isa,
    channels: usize,
    area: usize,
    pixels: &[T],
    planes: &mut [U],
) {
    let photo = photo_len(channels, area, pixels.len());
    check_len("planes", planes.len(), pixels.len());
    spread_map(pixels, planes, photo, |pixels, planes| spread_channels(isa, area, pixels, planes));
}

vectorised! {
    fn spread_channels<T: Element, U: Element>(area: usize, pixels: &[T], planes: &mut [U]) {
        let channels = pixels.len() / area;
        for (index, block) in pixels.chunks(PIXELS * channels).enumerate() {
            for (channel, plane) in planes.chunks_exact_mut(area).enumerate() {
                for (pixel, to) in block.chunks_exact(channels).zip(&mut plane[index * PIXELS..]) {
                    *to = U::from_f32(pixel[channel].to_f32());
                }
            }
        }
    }
}

/// Elements of a photo, checked.
#[track_caller]
fn photo_len(channels: usize, area: usize, len: usize) -> usize {
    let photo = channels * area;
    assert!(
        photo > 0 && len.is_multiple_of(photo),
        "{len} elements are no whole photos of {channels} x {area}"
    );
    photo
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_lands_at_its_place_and_comes_back(photos in 1usize..4, channels in 1usize..70, area in 1usize..200) {
            let planes: Vec<f32> = (0..photos * channels * area).map(|i| i as f32).collect();
            for isa in Isa::available() {
                let mut pixels = vec![f32::NAN; planes.len()];
                planes_to_pixels(isa, channels, area, &planes, &mut pixels);
                for photo in 0..photos {
                    for channel in 0..channels {
                        for pixel in 0..area {
                            let from = planes[(photo * channels + channel) * area + pixel];
                            prop_assert_eq!(pixels[(photo * area + pixel) * channels + channel], from);
                        }
                    }
                }
                let mut back = vec![f32::NAN; planes.len()];
                pixels_to_planes(isa, channels, area, &pixels, &mut back);
                prop_assert_eq!(&back, &planes);
            }
        }
    }

    #[test]
    fn values_are_rounded_to_bf16_on_the_way() {
        let mut pixels = [bf16::ZERO; 4];
        planes_to_pixels(Isa::best(), 2, 2, &[1.0, 1.001, f32::NAN, -3.0e38], &mut pixels);
        assert_eq!(pixels[0], bf16::from_f32(1.0));
        assert!(pixels[1].is_nan());
        assert_eq!(pixels[2..], [1.001, -3.0e38].map(bf16::from_f32));
    }
}
