//! Arithmetic on colours, as Pillow does it: the roundings are part of the definition.

/// ITU-R 601-2 luma in Pillow's 16-bit fixed point.
fn luma([r, g, b]: [u8; 3]) -> u8 {
    let sum = u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000;
    // The three weights sum to 2^16, so the shifted sum is at most 255.
    (sum >> 16) as u8
}

/// `from` at 0, `to` at 1, beyond either elsewhere; what is left after the point is dropped.
fn blend(from: u8, to: u8, factor: f32) -> u8 {
    let (from, to) = (f32::from(from), f32::from(to));
    // The cast saturates at 0 and 255.
    (from + factor * (to - from)) as u8
}

/// Multiplies every value by `factor`.
pub(super) fn scale_brightness(pixels: &mut [[u8; 3]], factor: f32) {
    let table: [u8; 256] = std::array::from_fn(|value| blend(0, value as u8, factor));
    map_values(pixels, &table);
}

/// Scales every value's distance from the mean luma of all pixels by `factor`.
pub(super) fn scale_contrast(pixels: &mut [[u8; 3]], factor: f32) {
    let sum: u64 = pixels.iter().map(|&pixel| u64::from(luma(pixel))).sum();
    let mean = (sum as f64 / pixels.len() as f64 + 0.5) as u8;
    let table: [u8; 256] = std::array::from_fn(|value| blend(mean, value as u8, factor));
    map_values(pixels, &table);
}

/// Scales every value's distance from its own pixel's luma by `factor`.
pub(super) fn scale_saturation(pixels: &mut [[u8; 3]], factor: f32) {
    for pixel in pixels {
        let grey = luma(*pixel);
        *pixel = pixel.map(|value| blend(grey, value, factor));
    }
}

/// Turns the colour circle by `turns`.
pub(super) fn shift_hue(pixels: &mut [[u8; 3]], turns: f32) {
    // A turn is 255 steps and wraps at 256, in torchvision as here.
    let steps = (f64::from(turns) * 255.0) as i32 as u8;
    for pixel in pixels {
        let Hsv { hue, saturation, value } = Hsv::from_rgb(*pixel);
        *pixel = Hsv { hue: hue.wrapping_add(steps), saturation, value }.to_rgb();
    }
}

fn map_values(pixels: &mut [[u8; 3]], table: &[u8; 256]) {
    for value in pixels.as_flattened_mut() {
        *value = table[usize::from(*value)];
    }
}

/// A colour as hue (255 to the turn, from red over green), saturation and value.
struct Hsv {
    hue: u8,
    saturation: u8,
    value: u8,
}

impl Hsv {
    fn from_rgb([r, g, b]: [u8; 3]) -> Hsv {
        let max = r.max(g).max(b);
        let min = r.min(g).min(b);
        if max == min {
            return Hsv { hue: 0, saturation: 0, value: max };
        }
        let chroma = f32::from(max - min);
        let below_max = |value: u8| f32::from(max - value) / chroma;
        // In sixths of a turn.
        let hue = if r == max {
            below_max(b) - below_max(g)
        } else if g == max {
            2.0 + below_max(r) - below_max(b)
        } else {
            4.0 + below_max(g) - below_max(r)
        };
        let turns = (f64::from(hue) / 6.0 + 1.0).fract() as f32;
        let saturation = chroma / f32::from(max);
        Hsv {
            hue: (f64::from(turns) * 255.0) as u8,
            saturation: (f64::from(saturation) * 255.0) as u8,
            value: max,
        }
    }

    fn to_rgb(&self) -> [u8; 3] {
        let value = f32::from(self.value);
        if self.saturation == 0 {
            return [self.value; 3];
        }
        let sixths = f32::from(self.hue) * 6.0 / 255.0;
        let saturation = f32::from(self.saturation) / 255.0;
        let fraction = sixths.fract();
        let low = (value * (1.0 - saturation)).round() as u8;
        let falling = (value * (1.0 - saturation * fraction)).round() as u8;
        let rising = (value * (1.0 - saturation * (1.0 - fraction))).round() as u8;
        match sixths as u8 % 6 {
            0 => [self.value, rising, low],
            1 => [falling, self.value, low],
            2 => [low, self.value, rising],
            3 => [low, falling, self.value],
            4 => [rising, low, self.value],
            _ => [self.value, low, falling],
        }
    }
}
