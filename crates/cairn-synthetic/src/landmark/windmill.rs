//! A windmill: a tapering body with a cap, and four sails.

use super::super::colour::{Palette, Rgb};
use super::super::solid::{Face, Shape, cuboid, frustum, lathe};
use super::super::space::{Vec3, at};
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;
use std::f32::consts::TAU;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let sides = if dice.random_bool(0.5) { 8 } else { 18 };
    let foot = dice.random_range(5.5..7.5);
    let top = foot * dice.random_range(0.5..0.85);
    let tall = foot * dice.random_range(1.9..3.0);
    let mut body = frustum(sides, [foot, top], [0.0, tall], palette.wall);
    for face in body[..sides as usize].iter_mut().step_by(if sides == 8 { 1 } else { 3 }) {
        face.openings(1, 3, [if sides == 8 { 0.22 } else { 0.5 }, 0.3], false, palette.hollow);
    }
    body[0].opening([0.5, 0.12], [0.22, 0.12], true, palette.hollow);
    let mut storeys = vec![Shape::Solid(body)];
    if dice.random_bool(0.4) {
        let level = tall * 0.35;
        let reach = foot * 1.15;
        storeys = vec![
            Shape::Solid(frustum(sides, [foot, foot * 0.9], [0.0, level], palette.trim)),
            Shape::Solid(frustum(sides, [reach, reach], [level, level + tall * 0.03], palette.trim * 0.8)),
            Shape::Solid(frustum(sides, [foot * 0.82, top], [level + tall * 0.03, tall], palette.wall)),
        ];
    }
    let cap = top * dice.random_range(0.8..1.3);
    let outline = if dice.random_bool(0.5) {
        vec![
            [top * 1.12, tall],
            [top * 0.95, tall + cap * 0.4],
            [top * 0.5, tall + cap * 0.8],
            [0.05, tall + cap],
        ]
    } else {
        vec![[top * 1.15, tall], [0.05, tall + cap * 1.2]]
    };
    storeys.push(lathe(12, &outline, palette.roof));

    let hub = at(0.0, tall + cap * 0.3, top * 1.15);
    let sails = Sails {
        length: tall * dice.random_range(0.72..0.95),
        width: tall * dice.random_range(0.12..0.2),
        cloth: dice
            .random_bool(0.5)
            .then(|| if dice.random_bool(0.7) { Rgb::hex(0xefe6d2) } else { palette.roof }),
        wood: palette.trim.mixed(Rgb::hex(0x4a3626), 0.6),
    };
    // A quarter turn brings the sails back to where they were.
    let parts = vec![Shape::Stacked(storeys), sails.wheel(hub, top, dice.random_range(0.0..TAU / 4.0))];
    Landmark::standing(Shape::Beside(parts).turned(dice.random_range(-0.7..0.7)))
}

struct Sails {
    length: f32,
    width: f32,
    /// The colour of the cloth, if it is set.
    cloth: Option<Rgb>,
    wood: Rgb,
}

impl Sails {
    /// Four sails about a hub, and the axle behind it.
    fn wheel(&self, hub: Vec3, axle: f32, turn: f32) -> Shape {
        let mut parts = vec![Shape::Solid(cuboid(
            hub - at(0.0, self.width * 0.25, axle * 0.2),
            at(self.width * 0.5, self.width * 0.5, axle * 0.5),
            self.wood,
        ))];
        for quarter in 0..4 {
            let (sin, cos) = (turn + quarter as f32 / 4.0 * TAU).sin_cos();
            let place =
                |across: f32, out: f32| hub + at(out * cos - across * sin, out * sin + across * cos, 0.3);
            parts.push(Shape::Beside(self.sail(&place)));
        }
        Shape::Beside(parts)
    }

    /// One sail in its own measure: across its width, and out along its spar.
    fn sail(&self, place: &impl Fn(f32, f32) -> Vec3) -> Vec<Shape> {
        let (inner, outer, wide) = (self.length * 0.16, self.length, self.width);
        let beam = |from: Vec3, to: Vec3, weight: f32| Shape::Beam {
            from,
            to,
            thickness: self.width * weight,
            colour: self.wood,
        };
        let mut shapes = Vec::new();
        if let Some(cloth) = self.cloth {
            let corners = [place(0.0, inner), place(wide, inner), place(wide, outer), place(0.0, outer)];
            shapes.push(Shape::Solid(vec![Face { two_sided: true, ..Face::new(corners, cloth) }]));
        }
        shapes.push(beam(place(0.0, 0.0), place(0.0, outer), 0.16));
        shapes.push(beam(place(wide, inner), place(wide, outer), 0.09));
        let slats = 7;
        for slat in 0..=slats {
            let out = inner + (outer - inner) * slat as f32 / slats as f32;
            shapes.push(beam(place(0.0, out), place(wide, out), 0.07));
        }
        shapes
    }
}
