//! The colours of a heat map: evenly apart to the eye, from dark to bright, so that equal steps of heat look equal and
//! the order is plain in grey, too.

use std::sync::LazyLock;

/// 256 colours from 0 to 1.
///
/// A path through Björn Ottosson's Oklab (<https://bottosson.github.io/posts/oklab/>), from dark violet over red to
/// bright yellow, cut into steps of equal length.
pub(super) static COLOURS: LazyLock<[[u8; 3]; 256]> = LazyLock::new(|| {
    let path: Vec<Oklab> = (0..=POINTS).map(|point| on_path(point as f64 / POINTS as f64)).collect();
    let mut lengths = vec![0.0];
    for pair in path.windows(2) {
        lengths.push(lengths[lengths.len() - 1] + pair[0].distance(&pair[1]));
    }
    let whole = lengths[POINTS];
    std::array::from_fn(|step| {
        let wanted = whole * step as f64 / 255.0;
        path[lengths.partition_point(|&length| length < wanted).min(POINTS)].to_srgb()
    })
});

/// Points on the path among which the 256 are chosen.
const POINTS: usize = 8192;

/// A colour by lightness and two opponent axes, green to red and blue to yellow.
#[derive(Debug, Clone, Copy)]
struct Oklab {
    lightness: f64,
    a: f64,
    b: f64,
}

/// The colour at `along`, 0 to 1: ever lighter, the hue turning from 290 to 460 degrees, as vivid as a screen can show up
/// to a limit.
fn on_path(along: f64) -> Oklab {
    let lightness = 0.16 + 0.79 * along;
    let (sin, cos) = (290.0 + 170.0 * along).to_radians().sin_cos();
    let colour = |chroma: f64| Oklab { lightness, a: chroma * cos, b: chroma * sin };
    let (mut shown, mut beyond) = (0.0, 0.17);
    if colour(beyond).is_shown() {
        return colour(beyond);
    }
    for _ in 0..30 {
        let middle = (shown + beyond) / 2.0;
        if colour(middle).is_shown() { shown = middle } else { beyond = middle }
    }
    colour(shown)
}

impl Oklab {
    fn distance(&self, other: &Self) -> f64 {
        let squares = [self.lightness - other.lightness, self.a - other.a, self.b - other.b].map(|d| d * d);
        squares.iter().sum::<f64>().sqrt()
    }

    /// Red, green and blue in proportion to light.
    fn to_linear(self) -> [f64; 3] {
        let Self { lightness, a, b } = self;
        let cubed = |x: f64| x * x * x;
        let l = cubed(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b);
        let m = cubed(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b);
        let s = cubed(lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b);
        [
            4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
            -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
            -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
        ]
    }

    /// Whether a screen can show it.
    fn is_shown(self) -> bool {
        self.to_linear().iter().all(|light| (0.0..=1.0).contains(light))
    }

    fn to_srgb(self) -> [u8; 3] {
        self.to_linear().map(|light| {
            let light = light.clamp(0.0, 1.0);
            let level =
                if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            (level * 255.0).round() as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Oklab of an sRGB colour, by the inverse of the formulas above as Ottosson publishes them.
    fn oklab([red, green, blue]: [u8; 3]) -> Oklab {
        let [r, g, b] = [red, green, blue].map(|level| {
            let level = f64::from(level) / 255.0;
            if level <= 0.040_45 { level / 12.92 } else { ((level + 0.055) / 1.055).powf(2.4) }
        });
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        Oklab {
            lightness: 0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            a: 1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            b: 0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        }
    }

    #[test]
    fn equal_steps_look_equal_and_each_is_lighter() {
        // Every eighth, since of neighbours the rounding to whole levels is a good part of the difference.
        let steps: Vec<Oklab> = COLOURS.iter().step_by(8).map(|&colour| oklab(colour)).collect();
        let distances: Vec<f64> = steps.windows(2).map(|pair| pair[0].distance(&pair[1])).collect();
        let mean = distances.iter().sum::<f64>() / distances.len() as f64;
        assert!(distances.iter().all(|distance| (distance / mean - 1.0).abs() < 0.1), "{distances:?}");
        assert!(steps.windows(2).all(|pair| pair[0].lightness < pair[1].lightness));
    }

    #[test]
    fn the_colours_begin_dark_and_end_bright() {
        assert!(oklab(COLOURS[0]).lightness < 0.2 && oklab(COLOURS[255]).lightness > 0.9, "{:?}", *COLOURS);
    }
}
