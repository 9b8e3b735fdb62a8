//! Colours to mix with, and what the made-up landmarks are made of.

use super::dice::Dice;
use rand::RngExt;
use std::ops::{Add, Mul};

/// A colour as three shares of display white, not bounded: light may be brighter than the photo can show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rgb(pub(super) [f32; 3]);

impl Rgb {
    pub(super) const BLACK: Rgb = Rgb([0.0; 3]);
    pub(super) const WHITE: Rgb = Rgb([1.0; 3]);

    /// A colour written as in a style sheet: `0xRRGGBB`.
    pub(super) const fn hex(code: u32) -> Rgb {
        Rgb([
            ((code >> 16) & 255) as f32 / 255.0,
            ((code >> 8) & 255) as f32 / 255.0,
            (code & 255) as f32 / 255.0,
        ])
    }

    /// `share` of `other`, the rest of this.
    pub(super) fn mixed(self, other: Rgb, share: f32) -> Rgb {
        self * (1.0 - share) + other * share
    }

    /// Channel by channel, as a surface colours the light that falls on it.
    pub(super) fn lit_by(self, light: Rgb) -> Rgb {
        Rgb(std::array::from_fn(|channel| self.0[channel] * light.0[channel]))
    }

    /// A little lighter or darker, warmer or cooler: no two stones are alike.
    pub(super) fn varied(self, amount: f32, dice: &mut Dice) -> Rgb {
        let lightness = dice.random_range(-amount..=amount);
        let warmth = dice.random_range(-amount..=amount) * 0.4;
        let [red, green, blue] = self.0;
        Rgb([red + lightness + warmth, green + lightness, blue + lightness - warmth])
    }

    /// What the photo stores.
    pub(super) fn to_bytes(self) -> [u8; 3] {
        self.0.map(|share| (share.clamp(0.0, 1.0) * 255.0).round() as u8)
    }
}

impl Add for Rgb {
    type Output = Rgb;
    fn add(self, other: Rgb) -> Rgb {
        Rgb(std::array::from_fn(|channel| self.0[channel] + other.0[channel]))
    }
}

impl Mul<f32> for Rgb {
    type Output = Rgb;
    fn mul(self, factor: f32) -> Rgb {
        Rgb(self.0.map(|share| share * factor))
    }
}

/// The colours one landmark is built in.
///
/// Every kind of landmark is built in every one of these, so that a network cannot learn the kinds by colour.
#[derive(Clone, Debug)]
pub(super) struct Palette {
    pub(super) wall: Rgb,
    pub(super) trim: Rgb,
    pub(super) roof: Rgb,
    /// Windows by day, and the inside of doors and arches.
    pub(super) hollow: Rgb,
}

const WALLS: [u32; 14] = [
    0xd9b985, // sandstone
    0xe9dcc0, // limestone
    0xf1eee6, // marble, whitewash
    0xb9b4aa, // granite
    0x8d8a86, // basalt
    0xa85a42, // brick
    0xc98a63, // terracotta
    0xcf9f9a, // rose granite
    0x8b5a3c, // timber, rust
    0x6f7d86, // grey steel
    0x9fb2ae, // weathered copper
    0xd8a441, // ochre
    0x7f8f6b, // mossy stone
    0xb8484a, // signal red
];

const ROOFS: [u32; 9] =
    [0xa6492f, 0x4d5a68, 0x3f6f63, 0xc9a13c, 0x6b4a3a, 0x8d8f92, 0x2f4e7a, 0xd0c8b6, 0x7c3a3a];

impl Palette {
    pub(super) fn picked(dice: &mut Dice) -> Palette {
        let wall = Rgb::hex(WALLS[dice.random_range(0..WALLS.len())]).varied(0.07, dice);
        let trim = match dice.random_range(0..4) {
            0 => Rgb::hex(WALLS[dice.random_range(0..WALLS.len())]),
            1 => wall.mixed(Rgb::BLACK, 0.25),
            _ => wall.mixed(Rgb::WHITE, 0.3),
        };
        let roof = Rgb::hex(ROOFS[dice.random_range(0..ROOFS.len())]).varied(0.06, dice);
        let hollow = wall.mixed(Rgb::hex(0x1c1f28), 0.82);
        Palette { wall, trim: trim.varied(0.03, dice), roof, hollow }
    }
}
