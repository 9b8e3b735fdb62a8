//! A circle of standing stones, some carrying lintels, some fallen.

use super::super::colour::Palette;
use super::super::solid::{Mark, Shape, cuboid};
use super::super::space::{Vec3, at};
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;
use std::f32::consts::TAU;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let count: u32 = dice.random_range(8..15);
    let radius = dice.random_range(11.0..15.0);
    let height = radius * dice.random_range(0.42..0.62);
    let broad = TAU * radius / count as f32 * dice.random_range(0.36..0.55);
    let with_lintels = dice.random_bool(0.75);
    let lintel_share = dice.random_range(0.4..0.9);
    let mut parts = Vec::new();
    let mut stood_before = false;
    let angle = |index: f32| index / count as f32 * TAU;
    for index in 0..count {
        let fallen = dice.random_bool(0.12);
        let place = around(radius, angle(index as f32));
        parts.push(if fallen {
            fallen_stone(height, broad, palette, dice).moved(place)
        } else {
            // Only stones of one height can carry lintels.
            let tall = if with_lintels { height } else { height * dice.random_range(0.7..1.15) };
            standing_stone(tall, broad, angle(index as f32), palette, dice).moved(place)
        });
        if stood_before && !fallen && with_lintels && dice.random_bool(lintel_share) {
            let middle = angle(index as f32 - 0.5);
            let reach = TAU * radius / count as f32 + broad * 0.8;
            let top = around(radius, middle) + at(0.0, height, 0.0);
            parts.push(lintel(reach, broad, middle, palette, dice).moved(top));
        }
        stood_before = !fallen;
    }
    if dice.random_bool(0.5) {
        parts.extend(trilithon(radius * 0.4, height * 1.25, broad * 1.2, palette, dice));
    }
    Landmark::standing(Shape::Beside(parts).turned(dice.random_range(0.0..TAU)))
}

fn around(radius: f32, angle: f32) -> Vec3 {
    at(radius * angle.sin(), 0.0, radius * angle.cos())
}

/// A rough block: its corners moved a little, narrower at the top.
fn block(size: Vec3, palette: &Palette, dice: &mut Dice) -> Shape {
    let colour = palette.wall.varied(0.05, dice);
    let mut faces = cuboid(at(0.0, 0.0, 0.0), size, colour);
    for face in &mut faces[..4] {
        let (x, y) = (dice.random_range(0.2..0.7), dice.random_range(0.2..0.7));
        let patch = vec![[x - 0.2, y - 0.1], [x + 0.15, y - 0.15], [x + 0.25, y + 0.12], [x - 0.1, y + 0.2]];
        face.marks.push(Mark { outline: patch, colour: colour * 0.86, glows: false });
    }
    let lean = [dice.random_range(-0.08..0.08), dice.random_range(0.0..0.2), dice.random_range(-0.08..0.08)];
    Shape::Solid(faces).mapped(&|point| {
        let up = point.y / size.y;
        let narrow = 1.0 - lean[1] * up;
        at(
            point.x * narrow + lean[0] * size.x * up,
            point.y * (1.0 + lean[2] * point.x / size.x),
            point.z * narrow,
        )
    })
}

fn standing_stone(height: f32, broad: f32, angle: f32, palette: &Palette, dice: &mut Dice) -> Shape {
    let size = at(broad * dice.random_range(0.85..1.15), height, broad * dice.random_range(0.45..0.65));
    block(size, palette, dice).turned(angle + dice.random_range(-0.12..0.12))
}

fn fallen_stone(height: f32, broad: f32, palette: &Palette, dice: &mut Dice) -> Shape {
    block(at(height * 0.9, broad * 0.5, broad), palette, dice).turned(dice.random_range(0.0..TAU))
}

fn lintel(reach: f32, broad: f32, angle: f32, palette: &Palette, dice: &mut Dice) -> Shape {
    block(at(reach * 0.96, broad * 0.5, broad * 0.6), palette, dice).turned(angle)
}

/// Two tall stones with a third across, inside the ring.
fn trilithon(radius: f32, height: f32, broad: f32, palette: &Palette, dice: &mut Dice) -> Vec<Shape> {
    let angle = dice.random_range(0.0..TAU);
    let place = around(radius, angle);
    let gap = at(broad * 0.75, 0.0, 0.0).turned(angle);
    vec![Shape::Stacked(vec![
        Shape::Beside(vec![
            standing_stone(height, broad, angle, palette, dice).moved(place + gap),
            standing_stone(height, broad, angle, palette, dice).moved(place - gap),
        ]),
        lintel(broad * 2.7, broad, angle, palette, dice).moved(place + at(0.0, height, 0.0)),
    ])]
}
