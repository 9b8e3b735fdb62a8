//! A castle: a square of walls with battlements, towers at the corners, a gate, a keep.

use super::super::colour::{Palette, Rgb};
use super::super::solid::{Face, Shape, cuboid, frustum};
use super::super::space::{Vec3, at};
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;
use std::f32::consts::{FRAC_PI_2, TAU};

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let half = dice.random_range(16.0..22.0);
    let wall = half * dice.random_range(0.4..0.6);
    let style = TowerStyle {
        radius: half * dice.random_range(0.17..0.27),
        sides: if dice.random_bool(0.6) { 14 } else { 4 },
        pointed: dice.random_bool(0.5),
    };
    let tower = wall * dice.random_range(1.3..1.8);
    let mut parts = Vec::new();
    for [x, z] in [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]] {
        parts.push(style.tower(style.radius, tower, palette, dice).moved(at(x * half, 0.0, z * half)));
    }
    for side in 0..4 {
        parts.push(curtain(half, wall, side == 0, palette, dice).turned(side as f32 * FRAC_PI_2));
    }
    let keep = tower * dice.random_range(1.15..1.6);
    let place = at(half * dice.random_range(-0.35..0.35), 0.0, half * dice.random_range(-0.4..0.1));
    parts.push(style.tower(half * dice.random_range(0.3..0.42), keep, palette, dice).moved(place));
    Landmark::standing(Shape::Beside(parts).turned(dice.random_range(-0.75..0.75)))
}

#[derive(Clone, Copy)]
struct TowerStyle {
    radius: f32,
    /// 4 for square towers.
    sides: u32,
    /// Under a pointed roof rather than open behind battlements.
    pointed: bool,
}

impl TowerStyle {
    fn tower(&self, radius: f32, height: f32, palette: &Palette, dice: &mut Dice) -> Shape {
        let sides = self.sides;
        let mut shaft = frustum(sides, [radius * 1.05, radius], [0.0, height * 0.85], palette.wall);
        let step = if sides == 4 { 1 } else { 3 };
        for face in shaft[..sides as usize].iter_mut().step_by(step) {
            let width = if sides == 4 { 0.16 } else { 0.45 };
            if sides == 4 {
                face.masonry(12, dice);
            }
            face.openings(1, 3, [width, 0.3], true, palette.hollow);
        }
        let crown = radius * 1.14;
        let head = frustum(sides, [crown, crown], [height * 0.85, height], palette.wall * 0.95);
        let mut storeys = vec![Shape::Solid(shaft), Shape::Solid(head)];
        if self.pointed {
            let rise = radius * dice.random_range(1.6..2.6);
            storeys.push(Shape::Solid(frustum(
                sides,
                [crown * 1.1, 0.02],
                [height, height + rise],
                palette.roof,
            )));
            storeys.push(flag(height + rise, radius, dice));
        } else {
            storeys.push(merlons(sides, crown, height, palette));
            if dice.random_bool(0.4) {
                storeys.push(flag(height + radius * 0.35, radius, dice));
            }
        }
        Shape::Stacked(storeys)
    }
}

/// The teeth of the battlements around a tower.
fn merlons(sides: u32, radius: f32, foot: f32, palette: &Palette) -> Shape {
    let size = at(radius * 0.36, radius * 0.34, radius * 0.2);
    let tooth = |place: Vec3, turn: f32| {
        Shape::Solid(cuboid(at(0.0, 0.0, 0.0), size, palette.wall)).turned(turn).moved(place)
    };
    let inner = radius * 0.9;
    let teeth = if sides == 4 {
        (0..12)
            .map(|index| {
                let (side, along) = ((index / 3) as f32 * FRAC_PI_2, (index % 3) as f32 - 1.0);
                tooth(at(along * inner, foot, inner).turned(side), side)
            })
            .collect()
    } else {
        (0..9)
            .map(|index| {
                let angle = index as f32 / 9.0 * TAU;
                tooth(at(0.0, foot, inner).turned(angle), angle)
            })
            .collect()
    };
    Shape::Beside(teeth)
}

/// The wall of one side, the front one with a gate.
fn curtain(half: f32, height: f32, gate: bool, palette: &Palette, dice: &mut Dice) -> Shape {
    let mut wall = cuboid(at(0.0, 0.0, half), at(2.0 * half, height, half * 0.14), palette.wall);
    for face in [0, 2] {
        wall[face].masonry(8, dice);
        wall[face].bands(4, 0.07, palette.wall * 0.88);
    }
    if gate {
        wall[0].opening([0.5, 0.36], [0.1, 0.36], true, palette.hollow);
    } else {
        wall[0].openings(5, 1, [0.06, 0.25], true, palette.hollow);
    }
    let tooth = half * 0.11;
    let teeth = (-7..=7)
        .map(|index| {
            let foot = at(index as f32 * half / 7.5, height, half + half * 0.04);
            Shape::Solid(cuboid(foot, at(tooth * 0.65, tooth * 0.8, half * 0.06), palette.wall))
        })
        .collect();
    Shape::Stacked(vec![Shape::Solid(wall), Shape::Beside(teeth)])
}

fn flag(foot: f32, radius: f32, dice: &mut Dice) -> Shape {
    const CLOTH: [u32; 5] = [0xc23b3b, 0x2f57a0, 0xe0b53a, 0x3a8a5a, 0xf0efe8];
    let cloth = Rgb::hex(CLOTH[dice.random_range(0..CLOTH.len())]);
    let top = foot + radius * 1.3;
    let wind = if dice.random_bool(0.5) { 1.0 } else { -1.0 } * radius;
    let corners = [at(0.0, top - radius * 0.5, 0.0), at(wind, top - radius * 0.3, 0.0), at(0.0, top, 0.0)];
    Shape::Beside(vec![
        Shape::Beam {
            from: at(0.0, foot, 0.0),
            to: at(0.0, top, 0.0),
            thickness: radius * 0.07,
            colour: Rgb::hex(0x4a4038),
        },
        Shape::Solid(vec![Face { two_sided: true, ..Face::new(corners, cloth) }]),
    ])
}
