//! What stands on the horizon behind the landmark: hills, mountains, a forest, a town.

use super::canvas::Canvas;
use super::colour::Rgb;
use super::dice::Dice;
use super::light::{LAMP, Light};
use super::noise::fractal_noise;
use super::space::Pixel;
use rand::RngExt;

/// Paints up to three layers, or none, the farthest first, with their feet on the horizon.
pub(super) fn paint(canvas: &mut Canvas, horizon: f32, light: &Light, dice: &mut Dice) {
    let layers = dice.random_range(0..4);
    for layer in 0..layers {
        // The farther, the higher it may rise and the more air lies before it.
        let nearness = (layer + 1) as f32 / (layers + 1) as f32;
        let rise = canvas.height() as f32 * dice.random_range(0.04..0.16) * (1.3 - 0.7 * nearness);
        let layer = Layer { horizon, rise, haze: 0.75 - 0.45 * nearness };
        match dice.random_range(0..4) {
            0 => town(canvas, layer, light, dice),
            1 => {
                let forest = Layer { rise: rise * 0.5, ..layer };
                ridge(canvas, forest, 14.0, Rgb::hex(0x3f5a3a), light, dice);
            }
            2 => {
                let mountains = Layer { rise: rise * 1.7, ..layer };
                ridge(canvas, mountains, 3.0, Rgb::hex(0x6d7480), light, dice);
            }
            _ => ridge(canvas, layer, 1.2, Rgb::hex(0x6f8f50), light, dice),
        }
    }
}

/// Something along the horizon.
#[derive(Clone, Copy)]
struct Layer {
    /// The row that it stands on.
    horizon: f32,
    /// About how many pixels it is high.
    rise: f32,
    /// The share of the horizon's colour that the air lays over it.
    haze: f32,
}

/// A rolling or jagged outline: `roughness` is the number of humps across the canvas.
fn ridge(canvas: &mut Canvas, layer: Layer, roughness: f32, surface: Rgb, light: &Light, dice: &mut Dice) {
    let Layer { horizon, rise, haze } = layer;
    let width = canvas.width() as f32;
    let seed = dice.random();
    let colour = light.hazed(light.on_ground(surface.varied(0.08, dice)) * 0.85, haze);
    let mut outline: Vec<Pixel> = (0..=96)
        .map(|step| {
            let along = step as f32 / 96.0;
            let height = fractal_noise(seed, along * roughness * 2.0, 0.0, 4);
            Pixel { x: width * along, y: horizon - rise * (height * 1.5 - 0.2).max(0.05) }
        })
        .collect();
    outline.extend([Pixel { x: width, y: horizon + 1.0 }, Pixel { x: 0.0, y: horizon + 1.0 }]);
    canvas.fill(&outline, colour);
}

/// A row of plain houses and blocks, with lit windows at night.
fn town(canvas: &mut Canvas, layer: Layer, light: &Light, dice: &mut Dice) {
    let Layer { horizon, rise, haze } = layer;
    let width = canvas.width() as f32;
    let mut left = -rise;
    while left < width {
        let broad = rise * dice.random_range(0.25..0.9);
        let top = horizon - rise * dice.random_range(0.25..1.0);
        let wall = Rgb::hex(0x9a9690).varied(0.12, dice);
        let colour = light.hazed(light.on_ground(wall) * 0.7, haze);
        let right = left + broad;
        let corner = |x: f32, y: f32| Pixel { x, y };
        let mut outline = vec![corner(left, horizon + 1.0), corner(left, top)];
        if dice.random_bool(0.35) {
            outline.push(corner(left + broad / 2.0, top - broad * 0.3));
        }
        outline.extend([corner(right, top), corner(right, horizon + 1.0)]);
        canvas.fill(&outline, colour);
        if light.is_night() {
            windows(canvas, [left, right], [top, horizon], rise * 0.1, dice);
        }
        left = right + if dice.random_bool(0.3) { broad * dice.random_range(0.0..0.6) } else { 0.0 };
    }
}

fn windows(canvas: &mut Canvas, across: [f32; 2], down: [f32; 2], step: f32, dice: &mut Dice) {
    let step = step.max(2.0);
    let mut y = down[0] + step;
    while y < down[1] - step {
        let mut x = across[0] + step;
        while x < across[1] - step * 0.5 {
            if dice.random_bool(0.3) {
                canvas.ellipse(Pixel { x, y }, step * 0.25, step * 0.3, LAMP * 0.75);
            }
            x += step;
        }
        y += step;
    }
}
