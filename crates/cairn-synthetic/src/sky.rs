//! Skies: a gradient, clouds, sun or moon, stars.

use super::canvas::Canvas;
use super::colour::Rgb;
use super::dice::Dice;
use super::light::{LAMP, Light, Weather};
use super::noise::{fractal_noise, smooth_step};
use super::space::Pixel;
use rand::RngExt;

/// Paints the sky down to the horizon.
pub(super) fn paint(canvas: &mut Canvas, horizon: f32, light: &Light, dice: &mut Dice) {
    let width = canvas.width() as f32;
    let height = canvas.height() as f32;
    let bottom = horizon.max(1.0);
    // How far up the glow of the horizon reaches.
    let reach = dice.random_range(0.5..1.3);
    canvas.repaint(0.0, bottom + 1.0, |pixel, _| {
        let up = ((bottom - pixel.y) / height).max(0.0);
        light.horizon.mixed(light.zenith, (up / reach).min(1.0).powf(0.7))
    });
    let disc =
        Pixel { x: width * dice.random_range(0.1..0.9), y: bottom - height * dice.random_range(0.05..0.5) };
    match light.weather {
        Weather::Night => {
            stars(canvas, bottom, dice);
            if dice.random_bool(0.6) {
                moon(canvas, disc, height, dice);
            }
        }
        Weather::Sunrise | Weather::Dusk => {
            let low = Pixel { y: bottom - height * dice.random_range(-0.02..0.15), ..disc };
            glow(canvas, low, height * 0.75, light.direct.mixed(LAMP, 0.5), 0.55);
            if dice.random_bool(0.7) {
                sun(canvas, low, height * dice.random_range(0.025..0.05));
            }
        }
        Weather::Clear if dice.random_bool(0.3) => {
            glow(canvas, disc, height * 0.4, Rgb::WHITE, 0.5);
            sun(canvas, disc, height * dice.random_range(0.02..0.035));
        }
        _ => {}
    }
    let cover = match light.weather {
        Weather::Clear => dice.random_range(0.0..0.15),
        Weather::Cloudy => dice.random_range(0.4..0.65),
        Weather::Overcast => dice.random_range(0.75..1.0),
        Weather::Sunrise | Weather::Dusk => dice.random_range(0.1..0.6),
        Weather::Night => dice.random_range(0.0..0.4),
    };
    clouds(canvas, bottom, cover, light, dice);
}

fn clouds(canvas: &mut Canvas, horizon: f32, cover: f32, light: &Light, dice: &mut Dice) {
    if cover < 0.08 {
        return;
    }
    let (lit, shaded) = match light.weather {
        Weather::Clear | Weather::Cloudy => (Rgb::hex(0xfbfbfa), Rgb::hex(0xa3afbd)),
        Weather::Overcast => (Rgb::hex(0xd4d8da), Rgb::hex(0x848c94)),
        Weather::Sunrise => (Rgb::hex(0xffe2c2), Rgb::hex(0xc490a0)),
        Weather::Dusk => (Rgb::hex(0xff9a68), Rgb::hex(0x5a4470)),
        Weather::Night => (Rgb::hex(0x2c3654), Rgb::hex(0x10162c)),
    };
    let height = canvas.height() as f32;
    let seed = dice.random();
    let size = dice.random_range(2.0..4.5);
    let stretch = dice.random_range(1.6..3.2);
    let drift = dice.random_range(0.0..50.0);
    let edge = 0.72 - 0.45 * cover;
    canvas.repaint(0.0, horizon, |pixel, sky| {
        // Clouds lie in a level sheet: towards the horizon they crowd together and thin out.
        let up = ((horizon - pixel.y) / height).max(0.0);
        let (x, y) = (pixel.x / height * size / stretch * 1.6, up.powf(0.75) * size);
        let density = fractal_noise(seed, x + drift, y, 4);
        let body = smooth_step(edge, edge + 0.18, density) * smooth_step(0.0, 0.12, up);
        if body <= 0.0 {
            return sky;
        }
        // Lit from above: where the cloud grows denser upwards, we look at its dark underside.
        let underside = density_above(seed, x + drift, y) - density;
        let cloud = lit.mixed(shaded, (0.35 + underside * 4.0).clamp(0.0, 1.0));
        sky.mixed(cloud, body * 0.92)
    });
}

fn density_above(seed: u32, x: f32, y: f32) -> f32 {
    fractal_noise(seed, x, y + 0.18, 2)
}

fn stars(canvas: &mut Canvas, horizon: f32, dice: &mut Dice) {
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    for _ in 0..dice.random_range(20..80) {
        let place = Pixel { x: dice.random_range(0.0..width), y: dice.random_range(0.0..horizon.max(1.0)) };
        let size = height * dice.random_range(0.001..0.0035);
        canvas.ellipse(place, size, size, Rgb::hex(0xc8d0e8) * dice.random_range(0.5..1.0));
    }
}

fn moon(canvas: &mut Canvas, centre: Pixel, height: f32, dice: &mut Dice) {
    let radius = height * dice.random_range(0.025..0.05);
    glow(canvas, centre, radius * 6.0, Rgb::hex(0xbcc8e4), 0.35);
    // The lit part lies between the rim and the edge of night, which is half an ellipse: 1 for a full moon
    // down to -1 for a new one, times the radius, away from the rim.
    let phase = if dice.random_bool(0.5) { 1.0 } else { dice.random_range(-0.75..0.6) };
    let side = if dice.random_bool(0.5) { 1.0 } else { -1.0 };
    let half = |across: f32| {
        (0..=16).map(move |step| {
            let (sin, cos) = (step as f32 / 16.0 * std::f32::consts::PI).sin_cos();
            Pixel { x: centre.x + side * across * radius * sin, y: centre.y - radius * cos }
        })
    };
    let outline: Vec<Pixel> = half(1.0).chain(half(-phase).rev()).collect();
    canvas.fill(&outline, Rgb::hex(0xf2eeda));
}

fn sun(canvas: &mut Canvas, centre: Pixel, radius: f32) {
    canvas.ellipse(centre, radius, radius, Rgb::hex(0xfff6d8));
}

/// Light scattered about a bright place.
fn glow(canvas: &mut Canvas, centre: Pixel, reach: f32, colour: Rgb, strength: f32) {
    canvas.repaint(centre.y - reach, centre.y + reach, |pixel, sky| {
        let away = (pixel.x - centre.x).hypot(pixel.y - centre.y) / reach;
        let share = (1.0 - away).max(0.0);
        sky.mixed(colour, strength * share * share)
    });
}
