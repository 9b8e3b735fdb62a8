//! A domed hall: a block with a portico, a drum, a dome that is round, pointed or onion-shaped, small domes beside.

use super::super::colour::{Palette, Rgb};
use super::super::solid::{Mark, Shape, cuboid, frustum, lathe};
use super::super::space::at;
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let radius = dice.random_range(9.0..13.0);
    let block = radius * dice.random_range(0.6..1.3);
    let half = radius * dice.random_range(1.1..1.5);
    let drum = radius * dice.random_range(0.25..0.7);
    let outline = Outline::picked(dice);
    let roof = if dice.random_bool(0.7) { palette.roof } else { palette.wall };

    let sides = if dice.random_bool(0.3) { 8 } else { 4 };
    let mut base = frustum(sides, [half, half], [0.0, block], palette.wall);
    let arched = dice.random_bool(0.6);
    let (columns, rows) = (if sides == 4 { dice.random_range(3..7) } else { 2 }, dice.random_range(1..3));
    for face in &mut base[..sides as usize] {
        face.masonry(8, dice);
        face.openings(columns, rows, [0.4, 0.55], arched, palette.hollow);
        let cornice = vec![[0.0, 0.93], [1.0, 0.93], [1.0, 1.0], [0.0, 1.0]];
        face.marks.push(Mark { outline: cornice, colour: palette.trim, glows: false });
    }
    let mut tambour = frustum(20, [radius, radius], [block, block + drum], palette.trim);
    for face in &mut tambour[..20] {
        face.openings(1, 1, [0.45, 0.6], true, palette.hollow);
    }
    let top = block + drum;
    let height = radius * outline.height();
    let mut storeys =
        vec![Shape::Solid(base), Shape::Solid(tambour), dome(radius * 1.04, top, height, outline, roof)];
    storeys.push(lantern(radius, top + height * 0.97, palette, roof, dice));

    let mut parts = vec![Shape::Stacked(storeys)];
    if dice.random_bool(0.5) {
        parts.extend(corner_turrets(half, block, radius, outline, palette, roof, dice));
    }
    Landmark::standing(Shape::Beside(parts).turned(dice.random_range(-0.75..0.75)))
}

/// The shape of a dome in profile.
#[derive(Clone, Copy)]
enum Outline {
    Round,
    Pointed,
    Onion,
}

impl Outline {
    fn picked(dice: &mut Dice) -> Outline {
        [Outline::Round, Outline::Round, Outline::Pointed, Outline::Onion][dice.random_range(0..4)]
    }

    /// Height as a share of the radius at the foot.
    fn height(self) -> f32 {
        match self {
            Outline::Round => 0.95,
            Outline::Pointed => 1.3,
            Outline::Onion => 1.6,
        }
    }

    /// Radius as a share of the foot's, at a share of the height.
    fn radius(self, up: f32) -> f32 {
        let round = (1.0 - up * up).max(0.0).sqrt();
        match self {
            Outline::Round => round,
            Outline::Pointed => (1.0 - up.powf(1.8)).max(0.0).powf(0.75),
            Outline::Onion => {
                (1.0 - up).powf(0.85) * (1.0 + 1.35 * (up * std::f32::consts::PI).sin().powf(1.3) * 0.7)
            }
        }
    }
}

fn dome(radius: f32, foot: f32, height: f32, outline: Outline, colour: Rgb) -> Shape {
    let steps = 9;
    let profile: Vec<[f32; 2]> = (0..=steps)
        .map(|step| {
            // Closer together towards the top, where the outline bends most.
            let up = (step as f32 / steps as f32 * std::f32::consts::FRAC_PI_2).sin();
            [radius * outline.radius(up).max(0.01), foot + height * up]
        })
        .collect();
    lathe(20, &profile, colour)
}

fn lantern(radius: f32, foot: f32, palette: &Palette, roof: Rgb, dice: &mut Dice) -> Shape {
    let slim = radius * dice.random_range(0.08..0.16);
    let tall = slim * dice.random_range(1.5..3.0);
    Shape::Stacked(vec![
        Shape::Solid(frustum(8, [slim, slim], [foot, foot + tall], palette.trim)),
        Shape::Solid(frustum(8, [slim * 1.3, 0.0], [foot + tall, foot + tall * 1.9], roof)),
    ])
}

/// Four turrets or minarets at the corners of the block.
fn corner_turrets(
    half: f32,
    block: f32,
    radius: f32,
    outline: Outline,
    palette: &Palette,
    roof: Rgb,
    dice: &mut Dice,
) -> Vec<Shape> {
    let slim = radius * dice.random_range(0.1..0.22);
    let tall = block * dice.random_range(1.0..1.3) + radius * dice.random_range(0.0..1.3);
    let away = half + slim * if dice.random_bool(0.5) { 0.5 } else { 4.0 };
    [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
        .map(|[x, z]| {
            let mut gallery =
                cuboid(at(0.0, tall * 0.9, 0.0), at(slim * 2.6, tall * 0.03, slim * 2.6), palette.trim);
            gallery.truncate(5);
            Shape::Stacked(vec![
                Shape::Solid(frustum(10, [slim, slim * 0.9], [0.0, tall * 0.9], palette.wall)),
                Shape::Solid(gallery),
                Shape::Solid(frustum(10, [slim * 0.85, slim * 0.85], [tall * 0.93, tall], palette.wall)),
                dome(slim * 1.05, tall, slim * 1.05 * outline.height(), outline, roof),
            ])
            .moved(at(x * away, 0.0, z * away))
        })
        .into()
}
