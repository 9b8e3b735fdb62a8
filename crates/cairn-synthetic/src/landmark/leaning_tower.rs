//! A tower that leans: round with galleries of arches, or square and plain.

use super::super::colour::Palette;
use super::super::solid::{Shape, frustum};
use super::super::space::at;
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let radius = dice.random_range(6.0..8.5);
    let height = radius * dice.random_range(4.2..6.5);
    let tower = if dice.random_bool(0.7) {
        round(radius, height, palette, dice)
    } else {
        square(radius * 0.85, height, palette, dice)
    };
    // In degrees about what gets a tower onto postcards, or rather more.
    let side = if dice.random_bool(0.5) { 1.0 } else { -1.0 };
    let lean: f32 = side * dice.random_range(7.0f32..15.0).to_radians();
    let turn = dice.random_range(-0.5..0.5);
    Landmark::standing(tower.turned(turn).mapped(&|point| {
        // Turned about the foot, sunk a little on the low side.
        let (sin, cos) = lean.sin_cos();
        at(point.x * cos + point.y * sin, (point.y * cos - point.x * sin).max(0.0), point.z)
    }))
}

fn round(radius: f32, height: f32, palette: &Palette, dice: &mut Dice) -> Shape {
    let storeys: u32 = dice.random_range(5..9);
    let tall = height / (storeys as f32 + 0.8);
    let arches = dice.random_range(16..25);
    let mut shapes = Vec::new();
    for storey in 0..storeys {
        let foot = tall * storey as f32;
        let drum = if storey == 0 { radius } else { radius * 0.93 };
        let mut wall = frustum(arches, [drum, drum], [foot, foot + tall * 0.86], palette.wall);
        for face in &mut wall[..arches as usize] {
            face.openings(1, 1, [0.62, if storey == 0 { 0.6 } else { 0.8 }], true, palette.hollow);
        }
        shapes.push(Shape::Solid(wall));
        shapes.push(Shape::Solid(frustum(
            arches,
            [radius * 1.04, radius * 1.04],
            [foot + tall * 0.86, foot + tall],
            palette.trim,
        )));
    }
    let foot = tall * storeys as f32;
    let mut belfry = frustum(14, [radius * 0.7, radius * 0.7], [foot, foot + tall * 0.8], palette.wall);
    for face in &mut belfry[..14] {
        face.openings(1, 1, [0.5, 0.7], true, palette.hollow);
    }
    shapes.push(Shape::Solid(belfry));
    Shape::Stacked(shapes)
}

fn square(half: f32, height: f32, palette: &Palette, dice: &mut Dice) -> Shape {
    let shaft = height * dice.random_range(0.78..0.9);
    let mut walls = frustum(4, [half, half * 0.94], [0.0, shaft], palette.wall);
    let rows = dice.random_range(4..8);
    for face in &mut walls[..4] {
        face.masonry(14, dice);
        face.bands(rows, 0.08, palette.trim);
        face.openings(dice.random_range(1..3), rows, [0.2, 0.4], true, palette.hollow);
    }
    let mut belfry = frustum(4, [half * 1.08, half * 1.08], [shaft, height], palette.wall);
    for face in &mut belfry[..4] {
        face.openings(3, 1, [0.6, 0.7], true, palette.hollow);
    }
    let mut shapes = vec![Shape::Solid(walls), Shape::Solid(belfry)];
    if dice.random_bool(0.5) {
        shapes.push(Shape::Solid(frustum(
            4,
            [half * 1.15, 0.0],
            [height, height + half * 0.8],
            palette.roof,
        )));
    }
    Shape::Stacked(shapes)
}
