//! A lighthouse: a tapering tower, often striped, a gallery, a lantern under a cap, a keeper's house.

use super::super::colour::Palette;
use super::super::light::LAMP;
use super::super::solid::{Face, Shape, cuboid, frustum, lathe};
use super::super::space::{Vec3, at};
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let sides = if dice.random_bool(0.3) { 8 } else { 20 };
    let foot = dice.random_range(4.5..6.5);
    let top = foot * dice.random_range(0.5..0.72);
    let tall = foot * dice.random_range(4.2..6.5);
    let mut storeys =
        vec![Shape::Solid(frustum(sides, [foot * 1.2, foot * 1.15], [0.0, tall * 0.05], palette.trim))];
    storeys.extend(shaft(sides, [foot, top], [tall * 0.05, tall], palette, dice));
    let gallery = top * dice.random_range(1.35..1.6);
    storeys.push(Shape::Solid(frustum(sides, [top, gallery], [tall, tall * 1.03], palette.trim)));
    storeys.push(Shape::Solid(frustum(sides, [gallery, gallery], [tall * 1.03, tall * 1.045], palette.trim)));
    storeys.push(railing(gallery, tall * 1.045, tall * 0.05, palette));
    let glass = top * 0.62;
    let mut lantern = frustum(8, [glass, glass], [tall * 1.045, tall * 1.16], palette.hollow);
    for face in &mut lantern[..8] {
        face.openings(1, 1, [0.8, 0.8], false, palette.hollow.mixed(LAMP, 0.45));
    }
    storeys.push(Shape::Solid(lantern));
    let cap = glass * 1.25;
    let rise = cap * dice.random_range(0.8..1.3);
    let foot_of_cap = tall * 1.16;
    storeys.push(lathe(
        12,
        &[
            [cap, foot_of_cap],
            [cap * 0.75, foot_of_cap + rise * 0.45],
            [cap * 0.1, foot_of_cap + rise],
            [0.02, foot_of_cap + rise * 1.4],
        ],
        palette.roof,
    ));
    let mut parts = vec![Shape::Stacked(storeys)];
    if dice.random_bool(0.6) {
        let side = if dice.random_bool(0.5) { 1.0 } else { -1.0 };
        let place = at(side * foot * dice.random_range(2.2..3.0), 0.0, foot * dice.random_range(-0.8..0.8));
        parts.push(house(foot * 1.1, palette).turned(dice.random_range(-0.6..0.6)).moved(place));
    }
    Landmark::standing(Shape::Beside(parts))
}

/// The tower itself, plain or in stripes, with a few small windows.
fn shaft(sides: u32, radii: [f32; 2], heights: [f32; 2], palette: &Palette, dice: &mut Dice) -> Vec<Shape> {
    let stripes: u32 = if dice.random_bool(0.6) { dice.random_range(3..8) } else { 1 };
    let other = if dice.random_bool(0.5) { palette.roof } else { palette.trim };
    let between = |ends: [f32; 2], share: f32| ends[0] + (ends[1] - ends[0]) * share;
    (0..stripes)
        .map(|stripe| {
            let (low, high) = (stripe as f32 / stripes as f32, (stripe + 1) as f32 / stripes as f32);
            let colour = if stripe % 2 == 0 { palette.wall } else { other };
            let mut faces = frustum(
                sides,
                [between(radii, low), between(radii, high)],
                [between(heights, low), between(heights, high)],
                colour,
            );
            let windows = if stripes == 1 { 4 } else { 1 };
            faces[0].openings(1, windows, [0.4, if stripes == 1 { 0.25 } else { 0.4 }], true, palette.hollow);
            Shape::Solid(faces)
        })
        .collect()
}

fn railing(radius: f32, foot: f32, height: f32, palette: &Palette) -> Shape {
    let posts = 12;
    let place = |post: u32, up: f32| -> Vec3 {
        let (sin, cos) = (post as f32 / posts as f32 * std::f32::consts::TAU).sin_cos();
        at(radius * sin, foot + up, radius * cos)
    };
    let colour = palette.trim * 0.7;
    let thickness = radius * 0.07;
    Shape::Beside(
        (0..posts)
            .map(|post| {
                Shape::Beside(vec![
                    Shape::Beam { from: place(post, 0.0), to: place(post, height), thickness, colour },
                    Shape::Beam { from: place(post, height), to: place(post + 1, height), thickness, colour },
                ])
            })
            .collect(),
    )
}

fn house(half: f32, palette: &Palette) -> Shape {
    let mut walls = cuboid(at(0.0, 0.0, 0.0), at(2.0 * half, half, 1.5 * half), palette.wall);
    for face in &mut walls[..4] {
        face.openings(3, 1, [0.35, 0.5], false, palette.hollow);
    }
    let corner = |x: f32, z: f32| at(x * half * 1.1, half, z * half * 0.85);
    let ridge = |x: f32| at(x * half * 1.1, half * 1.7, 0.0);
    let roof = vec![
        Face::new([corner(-1.0, 1.0), corner(1.0, 1.0), ridge(1.0), ridge(-1.0)], palette.roof),
        Face::new([corner(1.0, -1.0), corner(-1.0, -1.0), ridge(-1.0), ridge(1.0)], palette.roof),
        Face::new([corner(1.0, 1.0), corner(1.0, -1.0), ridge(1.0)], palette.wall),
        Face::new([corner(-1.0, -1.0), corner(-1.0, 1.0), ridge(-1.0)], palette.wall),
    ];
    Shape::Stacked(vec![Shape::Solid(walls), Shape::Solid(roof)])
}
