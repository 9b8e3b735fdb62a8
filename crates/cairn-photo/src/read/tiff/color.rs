//! From a pixel's samples to red, green and blue on white.

use super::layout::{Alpha, Layout, Photometric};
use crate::read::decode_error::{DecodeError, corrupt};

/// Converts the samples of a layout.
pub(super) struct Converter {
    photometric: Photometric,
    alpha: Alpha,
    /// Each sample's value of 8 bits.
    eight_bits: Vec<u8>,
    /// Red, green and blue of each palette index.
    palette: Vec<[u8; 3]>,
    ycbcr: YCbCr,
}

impl Converter {
    pub(super) fn new(layout: &Layout<'_>) -> Result<Converter, DecodeError> {
        let max = (1_u32 << layout.bits.min(16)) - 1;
        let max = if layout.float { 65_535 } else { max };
        let eight_bits = (0..=max).map(|value| ((value * 255 + max / 2) / max) as u8).collect();
        let palette = match layout.photometric {
            Photometric::Palette => palette(layout, max as usize + 1)?,
            _ => Vec::new(),
        };
        let (photometric, alpha) = (layout.photometric, layout.alpha);
        Ok(Converter { photometric, alpha, eight_bits, palette, ycbcr: YCbCr::of(layout) })
    }

    /// Appends the colours of pixels.
    pub(super) fn convert<'a>(&self, pixels: impl Iterator<Item = &'a [u16]>, rgb: &mut Vec<u8>) {
        rgb.extend(pixels.flat_map(|samples| {
            let color = self.color(samples);
            match (self.alpha, samples.get(self.photometric.samples())) {
                (Alpha::None, _) | (_, None) => color,
                (Alpha::Associated, Some(&alpha)) => {
                    color.map(|value| value.saturating_add(255 - self.eight_bits[usize::from(alpha)]))
                }
                (Alpha::Unassociated, Some(&alpha)) => {
                    let opacity = u32::from(self.eight_bits[usize::from(alpha)]);
                    color
                        .map(|value| ((u32::from(value) * opacity + 255 * (255 - opacity) + 127) / 255) as u8)
                }
            }
        }));
    }

    fn color(&self, samples: &[u16]) -> [u8; 3] {
        let value = |index: usize| self.eight_bits[usize::from(samples[index])];
        match self.photometric {
            Photometric::WhiteIsZero => [255 - value(0); 3],
            Photometric::BlackIsZero => [value(0); 3],
            Photometric::Rgb => [value(0), value(1), value(2)],
            Photometric::Palette => self.palette[usize::from(samples[0])],
            Photometric::Cmyk => {
                let paper = u32::from(255 - value(3));
                [0, 1, 2].map(|ink| ((u32::from(255 - value(ink)) * paper + 127) / 255) as u8)
            }
            Photometric::YCbCr => self.ycbcr.to_rgb([value(0), value(1), value(2)]),
        }
    }
}

/// The palette's colours of 8 bits.
fn palette(layout: &Layout<'_>, colors: usize) -> Result<Vec<[u8; 3]>, DecodeError> {
    let map = &layout.color_map;
    if map.len() < 3 * colors {
        return Err(corrupt("its palette is too short"));
    }
    // Some programs write 8 bits where 16 belong.
    let eight_bits = map.iter().all(|&value| value < 256);
    let value = |index: usize| if eight_bits { map[index] as u8 } else { (map[index] >> 8) as u8 };
    Ok((0..colors).map(|color| [0, 1, 2].map(|channel| value(channel * colors + color))).collect())
}

/// TIFF 6.0, sections 20 and 21.
struct YCbCr {
    luma: [f32; 3],
    /// Offset and scale of luma and both chroma.
    ranges: [[f32; 2]; 3],
}

impl YCbCr {
    fn of(layout: &Layout<'_>) -> YCbCr {
        let [y_black, y_white, b_black, b_white, r_black, r_white] = layout.reference_black_white;
        YCbCr {
            luma: layout.luma,
            ranges: [
                [y_black, 255.0 / (y_white - y_black)],
                [b_black, 127.0 / (b_white - b_black)],
                [r_black, 127.0 / (r_white - r_black)],
            ],
        }
    }

    fn to_rgb(&self, samples: [u8; 3]) -> [u8; 3] {
        let [red_weight, green_weight, blue_weight] = self.luma;
        let [y, cb, cr] = [0, 1, 2].map(|index| {
            let [black, scale] = self.ranges[index];
            (f32::from(samples[index]) - black) * scale
        });
        let red = y + (2.0 - 2.0 * red_weight) * cr;
        let blue = y + (2.0 - 2.0 * blue_weight) * cb;
        let green = (y - blue_weight * blue - red_weight * red) / green_weight;
        // The cast saturates at 0 and 255.
        [red, green, blue].map(|value| value.round() as u8)
    }
}
