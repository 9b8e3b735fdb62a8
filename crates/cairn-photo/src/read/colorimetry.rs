//! From luma and chroma to red, green and blue (ITU-T H.273), for pictures that are coded as video.

use super::decode_error::DecodeError;

/// How a picture's luma and chroma are to be understood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colorimetry {
    /// What red and blue contribute to luma; `None` if the planes are green, blue and red themselves.
    luma_of_red_and_blue: Option<[f32; 2]>,
    full_range: bool,
}

impl Colorimetry {
    /// By the number of a matrix and by whether samples use all their values.
    pub(super) fn of(matrix: u16, full_range: bool) -> Result<Colorimetry, DecodeError> {
        let luma_of_red_and_blue = match matrix {
            0 => None,
            1 => Some([0.2126, 0.0722]),
            // 2 is "unspecified": BT.601 is what it nearly always is, and what libavif and libheif take it for.
            2 | 5 | 6 => Some([0.299, 0.114]),
            9 => Some([0.2627, 0.0593]),
            _ => {
                return Err(DecodeError::Unsupported(
                    "convert it to JPEG or PNG (it has an unusual colour matrix)".into(),
                ));
            }
        };
        Ok(Colorimetry { luma_of_red_and_blue, full_range })
    }

    /// Luma, blue and red difference (0 to 1 each) to red, green and blue.
    #[cfg(any(feature = "avif", test))]
    pub(super) fn to_rgb(self, [y, u, v]: [f32; 3]) -> [u8; 3] {
        let (luma, chroma_scale) =
            if self.full_range { (y, 1.0) } else { ((y * 255.0 - 16.0) / 219.0, 255.0 / 224.0) };
        let rgb = match self.luma_of_red_and_blue {
            None => [v, y, u],
            Some([red_weight, blue_weight]) => {
                // The middle of the range is 128 of 255, at every depth nearly enough.
                let [u, v] = [u, v].map(|chroma| (chroma - 128.0 / 255.0) * chroma_scale);
                let red = luma + 2.0 * (1.0 - red_weight) * v;
                let blue = luma + 2.0 * (1.0 - blue_weight) * u;
                let green = (luma - red_weight * red - blue_weight * blue) / (1.0 - red_weight - blue_weight);
                [red, green, blue]
            }
        };
        // The cast saturates at 0 and 255.
        rgb.map(|value| (value * 255.0).round() as u8)
    }
}

/// What each value of luma and chroma adds to red, green and blue: a picture of millions of pixels has a thousand
/// values.
pub(super) struct RgbTables {
    luma: Vec<f32>,
    /// To green and blue.
    blue_difference: Vec<[f32; 2]>,
    /// To red and green.
    red_difference: Vec<[f32; 2]>,
    is_rgb: bool,
}

impl RgbTables {
    /// For samples of this number of bits of luma and chroma, 8 to 16.
    pub(super) fn new(colorimetry: &Colorimetry, [luma_bits, chroma_bits]: [u32; 2]) -> RgbTables {
        let luma_bits = luma_bits.clamp(8, 16);
        let chroma_bits = chroma_bits.clamp(8, 16);
        let all = |bits: u32| (0..1_u32 << bits).map(|value| value as f32);
        let (full_range, one) = (colorimetry.full_range, |bits: u32| (1_u32 << (bits - 8)) as f32);
        let luma = all(luma_bits).map(|value| match full_range {
            true => value / ((1_u32 << luma_bits) - 1) as f32 * 255.0,
            false => (value / one(luma_bits) - 16.0) / 219.0 * 255.0,
        });
        let chroma = all(chroma_bits).map(|value| match full_range {
            true => (value - 128.0 * one(chroma_bits)) / ((1_u32 << chroma_bits) - 1) as f32 * 255.0,
            false => (value / one(chroma_bits) - 128.0) / 224.0 * 255.0,
        });
        let [red_weight, blue_weight] = colorimetry.luma_of_red_and_blue.unwrap_or_default();
        let green_weight = 1.0 - red_weight - blue_weight;
        let (of_red, of_blue) = (2.0 * (1.0 - red_weight), 2.0 * (1.0 - blue_weight));
        RgbTables {
            luma: luma.collect(),
            blue_difference: chroma
                .clone()
                .map(|value| [-value * of_blue * blue_weight / green_weight, value * of_blue])
                .collect(),
            red_difference: chroma
                .map(|value| [value * of_red, -value * of_red * red_weight / green_weight])
                .collect(),
            is_rgb: colorimetry.luma_of_red_and_blue.is_none(),
        }
    }

    /// The colour of a pixel.
    pub(super) fn color(&self, luma: u16, blue: u16, red: u16) -> [u8; 3] {
        if self.is_rgb {
            return [red, luma, blue].map(|value| self.grey(value)[0]);
        }
        let y = self.luma_of(luma);
        let [green_of_blue, blue] =
            self.blue_difference[usize::from(blue).min(self.blue_difference.len() - 1)];
        let [red, green_of_red] = self.red_difference[usize::from(red).min(self.red_difference.len() - 1)];
        // The cast saturates at 0 and 255.
        [y + red, y + green_of_blue + green_of_red, y + blue].map(|value| value.round() as u8)
    }

    /// The colour of a pixel that has luma alone.
    pub(super) fn grey(&self, luma: u16) -> [u8; 3] {
        [self.luma_of(luma).round() as u8; 3]
    }

    fn luma_of(&self, luma: u16) -> f32 {
        self.luma[usize::from(luma).min(self.luma.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_say_what_the_formula_says() {
        for (matrix, full_range) in [(1, true), (1, false), (6, true), (6, false), (9, false), (0, true)] {
            let colorimetry = Colorimetry::of(matrix, full_range).unwrap();
            let tables = RgbTables::new(&colorimetry, [8, 8]);
            for samples in
                [[16, 128, 128], [235, 128, 128], [81, 90, 240], [145, 54, 34], [41, 240, 110], [0, 255, 0]]
            {
                let found = tables.color(samples[0], samples[1], samples[2]);
                let wanted = colorimetry.to_rgb(samples.map(|value| f32::from(value) / 255.0));
                for (found, wanted) in found.iter().zip(wanted) {
                    assert!(
                        found.abs_diff(wanted) <= 1,
                        "{matrix} {full_range} {samples:?}: {found} for {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn ten_bits_are_scaled_to_eight() {
        let colorimetry = Colorimetry::of(1, false).unwrap();
        let tables = RgbTables::new(&colorimetry, [10, 10]);
        assert_eq!(tables.color(64, 512, 512), [0; 3]);
        assert_eq!(tables.color(940, 512, 512), [255; 3]);
        assert_eq!(tables.grey(502), [128; 3]);
        assert_eq!(tables.grey(u16::MAX), [255; 3], "a sample that its depth does not have");
    }
}
