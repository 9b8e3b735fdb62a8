//! Changes that a pixel undergoes by itself: arithmetic on colours as Pillow does it, whose roundings are part of the
//! definition.
//!
//! Levels are whole numbers in `f32`; every product and sum below is exact or rounded as in Pillow, so instruction sets
//! agree to the bit.

use pulp::{Arch, NullaryFnOnce};

use super::ColorAdjustment;
use super::planes::{Pixels, Planes};

/// A change of each pixel by itself, but for the mean that `Contrast` needs to know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pointwise {
    Color(ColorAdjustment),
    /// Keeps the upper bits of each level.
    Posterize {
        bits: u32,
    },
    /// Inverts the levels from the threshold on.
    Solarize {
        threshold: f32,
    },
}

/// Makes the changes in order. Those up to the next `Contrast`, which needs the mean of what they leave, are one pass.
pub(super) fn apply(planes: &mut Planes<'_>, changes: &[Pointwise]) {
    let needs_mean = |change: &Pointwise| matches!(change, Pointwise::Color(ColorAdjustment::Contrast(_)));
    for pass in changes.chunk_by(|_, next| !needs_mean(next)) {
        let mean = if pass.first().is_some_and(needs_mean) { mean_luma(planes) } else { 0.0 };
        for block in planes.pixels_mut().blocks() {
            Arch::new().dispatch(OnBlock { changes: pass, mean, block });
        }
    }
}

/// Changes to be made to a block. A type rather than a closure, because it must be inlined to where the instruction set
/// is chosen.
struct OnBlock<'a> {
    changes: &'a [Pointwise],
    mean: f32,
    block: Pixels<'a>,
}

impl NullaryFnOnce for OnBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn call(mut self) {
        for change in self.changes {
            change.apply(&mut self.block, self.mean);
        }
    }
}

impl Pointwise {
    #[inline(always)]
    fn apply(&self, pixels: &mut Pixels<'_>, mean: f32) {
        match *self {
            Pointwise::Color(ColorAdjustment::Brightness(factor)) => {
                map(pixels, |level| blend(0.0, level, factor));
            }
            Pointwise::Color(ColorAdjustment::Contrast(factor)) => {
                map(pixels, |level| blend(mean, level, factor));
            }
            Pointwise::Color(ColorAdjustment::Saturation(factor)) => map_pixels(pixels, |pixel| {
                let grey = luma(pixel);
                pixel.map(|level| blend(grey, level, factor))
            }),
            Pointwise::Color(ColorAdjustment::Hue(turns)) => {
                // A turn is 255 steps and wraps at 256, in torchvision as here.
                let steps = f32::from((f64::from(turns) * 255.0) as i32 as u8);
                map_pixels(pixels, |pixel| shift_hue(pixel, steps));
            }
            Pointwise::Posterize { bits } => {
                let step = (1_u32 << (8 - bits.min(8))) as f32;
                map(pixels, |level| (level / step).floor() * step);
            }
            Pointwise::Solarize { threshold } => {
                map(pixels, |level| if level < threshold { level } else { 255.0 - level });
            }
        }
    }
}

#[inline(always)]
fn map(pixels: &mut Pixels<'_>, change: impl Fn(f32) -> f32) {
    for plane in [&mut *pixels.red, &mut *pixels.green, &mut *pixels.blue] {
        for level in plane {
            *level = change(*level);
        }
    }
}

#[inline(always)]
fn map_pixels(pixels: &mut Pixels<'_>, change: impl Fn([f32; 3]) -> [f32; 3]) {
    let Pixels { red, green, blue } = pixels;
    for ((red, green), blue) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
        [*red, *green, *blue] = change([*red, *green, *blue]);
    }
}

/// ITU-R 601-2 luma in Pillow's 16-bit fixed point. No sum exceeds 2^24, so all are exact.
#[inline(always)]
fn luma([r, g, b]: [f32; 3]) -> f32 {
    ((r * 19595.0 + g * 38470.0 + b * 7471.0 + 32768.0) * (1.0 / 65536.0)).floor()
}

/// `from` at 0, `to` at 1, beyond either elsewhere; what is left after the point is dropped.
#[inline(always)]
pub(super) fn blend(from: f32, to: f32, factor: f32) -> f32 {
    (from + factor * (to - from)).clamp(0.0, 255.0).floor()
}

/// The mean luma of all pixels, rounded.
fn mean_luma(planes: &mut Planes<'_>) -> f32 {
    let count = planes.width * planes.height;
    let blocks = planes.pixels_mut().blocks();
    let sum: f64 = blocks.map(|block| f64::from(Arch::new().dispatch(LumaSum(block)))).sum();
    (sum / count as f64 + 0.5).floor() as f32
}

/// The sum of a block's luma: below 2^24, so exact in whatever order.
struct LumaSum<'a>(Pixels<'a>);

impl NullaryFnOnce for LumaSum<'_> {
    type Output = f32;

    #[inline(always)]
    fn call(self) -> f32 {
        const LANES: usize = 16;
        let Pixels { red, green, blue } = self.0;
        // Sixteen sums side by side.
        let mut sums = [0.0; LANES];
        let chunks = red.chunks(LANES).zip(green.chunks(LANES)).zip(blue.chunks(LANES));
        for ((red, green), blue) in chunks {
            for (((sum, &red), &green), &blue) in sums.iter_mut().zip(red).zip(green).zip(blue) {
                *sum += luma([red, green, blue]);
            }
        }
        sums.iter().sum()
    }
}

/// Turns the colour circle by `steps` (255 are a full turn): to hue, saturation and value as Pillow rounds them, and
/// back.
#[inline(always)]
fn shift_hue([r, g, b]: [f32; 3], steps: f32) -> [f32; 3] {
    let max = r.max(g).max(b);
    let min = r.min(g).min(b);
    let chroma = max - min;
    // A grey has no hue; this keeps its division from being one by zero.
    let divisor = chroma.max(1.0);
    let below_max = |value: f32| (max - value) / divisor;
    let (red, green, blue) = (below_max(r), below_max(g), below_max(b));
    // In sixths of a turn.
    let sixths = if r == max {
        blue - green
    } else if g == max {
        2.0 + red - blue
    } else {
        4.0 + green - red
    };
    let turns = f64::from(sixths) / 6.0 + 1.0;
    let turns = (turns - turns.floor()) as f32;
    let hue = (f64::from(turns) * 255.0).floor() as f32 + steps;
    let hue = if hue >= 256.0 { hue - 256.0 } else { hue };
    let saturation = (f64::from(chroma / max.max(1.0)) * 255.0).floor() as f32;

    let sixths = hue * 6.0 / 255.0;
    let sector = sixths.floor();
    let fraction = sixths - sector;
    let saturation = saturation / 255.0;
    let round = |level: f32| (level + 0.5).floor();
    let low = round(max * (1.0 - saturation));
    let falling = round(max * (1.0 - saturation * fraction));
    let rising = round(max * (1.0 - saturation * (1.0 - fraction)));
    // 255 steps are six sixths, which is red again.
    let sector = if sector >= 6.0 { sector - 6.0 } else { sector };
    let pick = |at: [f32; 6]| {
        let lower = if sector < 1.0 {
            at[0]
        } else if sector < 2.0 {
            at[1]
        } else {
            at[2]
        };
        let upper = if sector < 4.0 {
            at[3]
        } else if sector < 5.0 {
            at[4]
        } else {
            at[5]
        };
        if sector < 3.0 { lower } else { upper }
    };
    [
        pick([max, falling, low, low, rising, max]),
        pick([rising, max, max, falling, low, low]),
        pick([low, low, rising, max, max, falling]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Photo;

    /// Pillow's `rgb2hsv` and `hsv2rgb`, value by value and branch by branch.
    fn hue_by_definition([r, g, b]: [u8; 3], steps: u8) -> [u8; 3] {
        let (max, min) = (r.max(g).max(b), r.min(g).min(b));
        if max == min {
            return [max; 3];
        }
        let chroma = f32::from(max - min);
        let [rc, gc, bc] = [r, g, b].map(|value| f32::from(max - value) / chroma);
        let sixths = if r == max {
            bc - gc
        } else if g == max {
            2.0 + rc - bc
        } else {
            4.0 + gc - rc
        };
        let turns = (f64::from(sixths) / 6.0 + 1.0).fract() as f32;
        let hue = ((f64::from(turns) * 255.0) as u8).wrapping_add(steps);
        let saturation = (f64::from(chroma / f32::from(max)) * 255.0) as u8;
        if saturation == 0 {
            return [max; 3];
        }
        let sixths = f32::from(hue) * 6.0 / 255.0;
        let (fraction, saturation, value) = (sixths.fract(), f32::from(saturation) / 255.0, f32::from(max));
        let p = (value * (1.0 - saturation)).round() as u8;
        let q = (value * (1.0 - saturation * fraction)).round() as u8;
        let t = (value * (1.0 - saturation * (1.0 - fraction))).round() as u8;
        match sixths as u8 % 6 {
            0 => [max, t, p],
            1 => [q, max, p],
            2 => [p, max, t],
            3 => [p, q, max],
            4 => [t, p, max],
            _ => [max, p, q],
        }
    }

    #[test]
    fn every_colour_turns_as_in_pillow() {
        // All greens and blues on a third of the reds at a time: every colour under some turn.
        for (first, turns) in [(0, 0.1_f32), (1, -0.37), (2, 0.5)] {
            let steps = (f64::from(turns) * 255.0) as i32 as u8;
            for r in (first..=255).step_by(3) {
                let colours = (0..=65535_u16).map(|gb| [r as u8, (gb >> 8) as u8, gb as u8]);
                let photo = Photo::from_pixels(256, 256, colours.clone().flatten().collect()).unwrap();
                let mut levels = vec![0.0; 3 * 65536];
                let mut planes = Planes::of(&photo, &mut levels);
                apply(&mut planes, &[Pointwise::Color(ColorAdjustment::Hue(turns))]);
                let turned = planes.to_photo();
                let (found, _) = turned.pixels().as_chunks::<3>();
                for (colour, found) in colours.zip(found) {
                    assert_eq!(*found, hue_by_definition(colour, steps), "{colour:?} by {steps} steps");
                }
            }
        }
    }
}
