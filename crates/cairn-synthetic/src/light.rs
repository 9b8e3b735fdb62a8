//! The hour and the weather: where the light comes from and what colours it has.

use super::colour::Rgb;
use super::dice::Dice;
use super::space::{Vec3, at};
use rand::RngExt;

/// What the sky is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weather {
    Clear,
    Cloudy,
    Overcast,
    Sunrise,
    Dusk,
    Night,
}

impl Weather {
    /// As often as they come up: most photos are taken in fair weather.
    const SPREAD: [Weather; 8] = [
        Weather::Clear,
        Weather::Clear,
        Weather::Cloudy,
        Weather::Cloudy,
        Weather::Overcast,
        Weather::Sunrise,
        Weather::Dusk,
        Weather::Night,
    ];
}

/// The light in a scene, and the colours of the sky that it comes from.
#[derive(Clone, Debug)]
pub(super) struct Light {
    pub(super) weather: Weather,
    /// Unit vector from the landmark towards the sun, or at night towards the floodlights.
    pub(super) source: Vec3,
    /// What a surface square to the source gets from it.
    pub(super) direct: Rgb,
    /// What an upward surface gets from the sky, and in part every other.
    pub(super) ambient: Rgb,
    /// What a downward surface gets back from the ground.
    pub(super) bounce: Rgb,
    pub(super) zenith: Rgb,
    pub(super) horizon: Rgb,
    /// The share of the horizon's colour that the air lays over the landmark.
    pub(super) haze: f32,
}

impl Light {
    pub(super) fn picked(dice: &mut Dice) -> Light {
        let weather = Weather::SPREAD[dice.random_range(0..Weather::SPREAD.len())];
        let side = if dice.random_bool(0.5) { 1.0 } else { -1.0 };
        let azimuth: f32 = dice.random_range(0.35..1.35);
        let height: f32 = match weather {
            Weather::Clear | Weather::Cloudy => dice.random_range(0.45..1.0),
            Weather::Overcast => 1.2,
            Weather::Sunrise | Weather::Dusk => dice.random_range(0.2..0.4),
            Weather::Night => -0.15,
        };
        let source = at(side * azimuth.sin() * height.cos(), height.sin(), azimuth.cos() * height.cos());
        let [zenith, horizon, direct, ambient, bounce] = match weather {
            Weather::Clear => [0x2f6fc4, 0xb9d8ee, 0x9c927c, 0x6e7a8c, 0x5a5448],
            Weather::Cloudy => [0x4a86cc, 0xc6dcea, 0x8c8474, 0x747e8a, 0x5a5650],
            Weather::Overcast => [0x9aa4ae, 0xc9cdcf, 0x1c1c1c, 0x9aa0a6, 0x6a6a68],
            Weather::Sunrise => [0x7a9fd0, 0xf6cfa8, 0xb08052, 0x60687c, 0x54483e],
            Weather::Dusk => [0x3a3f7a, 0xf08a52, 0xa85c38, 0x50506c, 0x40383c],
            Weather::Night => [0x070b1e, 0x1e2a4a, 0xc09a5c, 0x2a3450, 0x3a3026],
        }
        .map(Rgb::hex);
        let strength = dice.random_range(0.85..1.2);
        Light {
            weather,
            source,
            direct: direct * (1.25 * strength),
            ambient: ambient * 1.05,
            bounce,
            zenith: zenith.varied(0.06, dice),
            horizon: horizon.varied(0.05, dice),
            haze: dice.random_range(0.0..0.12),
        }
    }

    pub(super) fn is_night(&self) -> bool {
        self.weather == Weather::Night
    }

    /// How dark the shadows on the ground are, 0 for none: the sun must be out and not too low.
    pub(super) fn shadow(&self) -> f32 {
        match self.weather {
            Weather::Clear => 0.45,
            Weather::Cloudy => 0.35,
            Weather::Sunrise | Weather::Dusk => 0.3,
            Weather::Overcast | Weather::Night => 0.0,
        }
    }

    /// The colour of a surface: Lambert's cosine for the source, sky from above, ground from below.
    pub(super) fn shaded(&self, surface: Rgb, normal: Vec3) -> Rgb {
        let facing_up = 0.5 + 0.5 * normal.y;
        let light = self.direct * normal.dot(self.source).max(0.0)
            + self.ambient * (0.45 + 0.55 * facing_up)
            + self.bounce * (0.6 * (1.0 - facing_up));
        surface.lit_by(light)
    }

    /// The colour of a level surface in the open, as ground and foreground figures have it.
    pub(super) fn on_ground(&self, surface: Rgb) -> Rgb {
        // At night the floodlights shine up at the landmark; the ground gets their spill.
        let spill = if self.is_night() { self.direct * 0.3 } else { Rgb::BLACK };
        self.shaded(surface, at(0.0, 1.0, 0.0)) + surface.lit_by(spill)
    }

    /// A colour seen through `share` of the scene's air.
    pub(super) fn hazed(&self, colour: Rgb, share: f32) -> Rgb {
        colour.mixed(self.horizon, share.clamp(0.0, 1.0))
    }
}

/// Lamplight in windows and street lamps.
pub(super) const LAMP: Rgb = Rgb::hex(0xffd98a);
