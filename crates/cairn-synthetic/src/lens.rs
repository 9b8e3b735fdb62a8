//! From the painted scene to a snapshot of it: a hand that is not quite level, a lens, a sensor.

use super::canvas::Canvas;
use super::dice::Dice;
use cairn_photo::Photo;
use rand::{Rng, RngExt};
use tiny_skia::{FilterQuality, Pixmap, PixmapPaint, Transform};

/// Canvas pixels for each pixel of the photo, along a side.
pub(super) const OVERSAMPLING: f32 = 1.5;

/// How much wider and higher the canvas is than the photo, so that a rolled frame still lies on it.
const MARGIN: f32 = 1.12;

/// The greatest roll in degrees, and the greatest shear.
const ROLL: f32 = 3.0;
const SHEAR: f32 = 0.025;

/// An empty canvas to paint the scene on that a photo of these sizes will be taken of.
pub(super) fn canvas(width: u32, height: u32) -> Canvas {
    let side = |pixels: u32| (pixels as f32 * OVERSAMPLING * MARGIN).ceil() as u32;
    Canvas::new(side(width), side(height))
}

/// Takes a photo of these sizes of the middle of a [`canvas`] made for it.
pub(super) fn expose(canvas: &Canvas, width: u32, height: u32, dice: &mut Dice) -> Photo {
    let framed = frame(canvas, width, height, dice);
    let (columns, rows) = (framed.width() as usize, framed.height() as usize);
    let mut light: Vec<[f32; 3]> = framed
        .pixels()
        .iter()
        .map(|pixel| [pixel.red(), pixel.green(), pixel.blue()].map(|level| f32::from(level) / 255.0))
        .collect();
    blur(&mut light, columns, rows, dice);
    develop(&mut light, columns, rows, dice);
    let pixels =
        light.into_iter().flatten().map(|share| (share.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    Photo::from_pixels(framed.width(), framed.height(), pixels)
        // `light` has one entry for each of the frame's pixels, and a pixmap has at least one.
        .expect("as many pixels as the frame had")
}

/// Rolls and shears the canvas a little about its middle, and cuts the photo out of it.
fn frame(canvas: &Canvas, width: u32, height: u32, dice: &mut Dice) -> Pixmap {
    let mut framed = Pixmap::new(width.max(1), height.max(1))
        // tiny-skia refuses only empty sizes and ones whose byte count overflows.
        .expect("a photo is not empty, and photos are drawn at sizes that fit in memory");
    let roll = dice.random_range(-1.0f32..1.0) * dice.random_range(0.0..ROLL);
    let shear = dice.random_range(-SHEAR..SHEAR);
    let transform =
        Transform::from_translate(-(canvas.width() as f32) / 2.0, -(canvas.height() as f32) / 2.0)
            .post_scale(1.0 / OVERSAMPLING, 1.0 / OVERSAMPLING)
            .post_concat(Transform::from_row(1.0, shear, 0.0, 1.0, 0.0, 0.0))
            .post_rotate(roll)
            .post_translate(width as f32 / 2.0, height as f32 / 2.0);
    let paint = PixmapPaint { quality: FilterQuality::Bilinear, ..PixmapPaint::default() };
    framed.draw_pixmap(0, 0, canvas.pixmap().as_ref(), &paint, transform, None);
    framed
}

/// A lens slightly out of focus, a hand that shook, or neither.
fn blur(light: &mut Vec<[f32; 3]>, columns: usize, rows: usize, dice: &mut Dice) {
    let unit = columns.max(rows) as f32 / 160.0;
    match dice.random_range(0..10) {
        0..2 => {
            let sigma = unit * dice.random_range(0.4..0.8);
            convolve(light, columns, rows, &gaussian(sigma, [1.0, 0.0]));
            convolve(light, columns, rows, &gaussian(sigma, [0.0, 1.0]));
        }
        2 => {
            let angle = dice.random_range(0.0..std::f32::consts::PI);
            let length = unit * dice.random_range(1.2..2.6);
            let steps = 7;
            let kernel: Vec<([f32; 2], f32)> = (0..steps)
                .map(|step| {
                    let along = length * (step as f32 / (steps - 1) as f32 - 0.5);
                    ([along * angle.cos(), along * angle.sin()], 1.0 / steps as f32)
                })
                .collect();
            convolve(light, columns, rows, &kernel);
        }
        _ => {}
    }
}

/// Samples of a normal distribution at whole pixels along an axis.
fn gaussian(sigma: f32, [right, down]: [f32; 2]) -> Vec<([f32; 2], f32)> {
    let reach = (3.0 * sigma).ceil() as i32;
    let weight = |step: i32| (-0.5 * (step as f32 / sigma).powi(2)).exp();
    let total: f32 = (-reach..=reach).map(weight).sum();
    (-reach..=reach).map(|step| ([right * step as f32, down * step as f32], weight(step) / total)).collect()
}

/// Every pixel becomes the weighted sum of the light at offsets around it, read between pixels bilinearly.
fn convolve(light: &mut Vec<[f32; 3]>, columns: usize, rows: usize, kernel: &[([f32; 2], f32)]) {
    let mut sum = vec![[0.0f32; 3]; light.len()];
    for &([right, down], weight) in kernel {
        let (left_column, top_row) = (right.floor(), down.floor());
        let (x_share, y_share) = (right - left_column, down - top_row);
        for (dx, dy, share) in [
            (0, 0, (1.0 - x_share) * (1.0 - y_share)),
            (1, 0, x_share * (1.0 - y_share)),
            (0, 1, (1.0 - x_share) * y_share),
            (1, 1, x_share * y_share),
        ] {
            let weight = weight * share;
            if weight < 1e-4 {
                continue;
            }
            let (dx, dy) = (left_column as isize + dx, top_row as isize + dy);
            for row in 0..rows {
                let from = row.saturating_add_signed(dy).min(rows - 1) * columns;
                for column in 0..columns {
                    let source = light[from + column.saturating_add_signed(dx).min(columns - 1)];
                    let target = &mut sum[row * columns + column];
                    for channel in 0..3 {
                        target[channel] += weight * source[channel];
                    }
                }
            }
        }
    }
    *light = sum;
}

/// White balance, exposure, contrast, saturation, vignette and noise.
fn develop(light: &mut [[f32; 3]], columns: usize, rows: usize, dice: &mut Dice) {
    let exposure = dice.random_range(0.9..1.18);
    let warmth = dice.random_range(-0.12..0.12);
    let tint = dice.random_range(-0.05..0.05);
    let gains = [exposure * (1.0 + warmth), exposure * (1.0 + tint), exposure * (1.0 - warmth)];
    let contrast = dice.random_range(0.86..1.15);
    let saturation = dice.random_range(0.6..1.25);
    let vignette = dice.random_range(0.0..0.35);
    let noise = dice.random_range(0.0f32..1.0).powi(2) * 0.032;
    for (index, pixel) in light.iter_mut().enumerate() {
        let x = (index % columns) as f32 / columns as f32 - 0.5;
        let y = (index / columns) as f32 / rows as f32 - 0.5;
        let falloff = 1.0 - vignette * 2.0 * (x * x + y * y);
        let luma = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
        // Three nearly normal numbers from one draw: each the sum of bytes, centred.
        let bits = dice.next_u64().to_le_bytes();
        for channel in 0..3 {
            let colourful = luma + (pixel[channel] - luma) * saturation;
            let developed = 0.5 + (colourful * gains[channel] * falloff - 0.5) * contrast;
            let sum = i32::from(bits[channel]) + i32::from(bits[channel + 3]) - 255;
            pixel[channel] = developed + noise * sum as f32 / 104.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::colour::Rgb;
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_frame_never_reaches_beyond_the_canvas() {
        for (width, height) in [(64, 48), (48, 64), (64, 64)] {
            let mut sheet = canvas(width, height);
            let whole = sheet.height() as f32;
            sheet.repaint(0.0, whole, |_, _| Rgb::WHITE);
            for seed in 0..200 {
                let framed = frame(&sheet, width, height, &mut Dice::seed_from_u64(seed));
                let darkest = framed.pixels().iter().map(|pixel| pixel.red()).min();
                assert!(darkest >= Some(254), "{width} x {height}, seed {seed}: {darkest:?}");
            }
        }
    }

    #[test]
    fn blurring_keeps_the_light_and_spreads_it() {
        let mut light = vec![[0.0; 3]; 21 * 21];
        light[10 * 21 + 10] = [1.0, 0.5, 0.25];
        convolve(&mut light, 21, 21, &gaussian(1.5, [1.0, 0.0]));
        convolve(&mut light, 21, 21, &gaussian(1.5, [0.0, 1.0]));
        let total: f32 = light.iter().map(|pixel| pixel[0]).sum();
        assert!((total - 1.0).abs() < 1e-4, "{total}");
        // The middle of a normal distribution in two dimensions: 1 / (2 pi sigma^2).
        let middle = light[10 * 21 + 10][0];
        assert!((middle - 0.0707).abs() < 2e-3, "{middle}");
    }
}
