//! A pyramid: smooth or stepped, with or without smaller ones beside it.

use super::super::colour::{Palette, Rgb};
use super::super::solid::{Mark, Shape, frustum};
use super::super::space::at;
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let half = dice.random_range(32.0..44.0);
    let height = half * dice.random_range(0.95..1.5);
    let stepped = dice.random_bool(0.4);
    let steps = if stepped { dice.random_range(5..10) } else { 0 };
    let mut parts = vec![pyramid(half, height, steps, palette, dice)];
    for _ in 0..dice.random_range(0..3) {
        let share = dice.random_range(0.18..0.42);
        let side = if dice.random_bool(0.5) { 1.0 } else { -1.0 };
        let place = at(side * half * dice.random_range(1.25..1.7), 0.0, half * dice.random_range(-0.9..0.6));
        parts.push(pyramid(half * share, height * share, steps, palette, dice).moved(place));
    }
    let turn = dice.random_range(-0.8..0.8);
    Landmark::standing(Shape::Beside(parts).turned(turn))
}

fn pyramid(half: f32, height: f32, steps: u32, palette: &Palette, dice: &mut Dice) -> Shape {
    if steps == 0 { smooth(half, height, palette, dice) } else { stepped(half, height, steps, palette, dice) }
}

fn smooth(half: f32, height: f32, palette: &Palette, dice: &mut Dice) -> Shape {
    let cap = dice.random_range(0.0f32..0.3).max(0.02);
    let split = 1.0 - cap;
    let courses = dice.random_range(8..18);
    let joint = dice.random_range(0.84..0.94);
    let mut body = frustum(4, [half, half * cap], [0.0, height * split], palette.wall);
    for face in &mut body[..4] {
        face.masonry(courses, dice);
        face.bands(courses, 0.25, palette.wall * joint);
    }
    if dice.random_bool(0.5) {
        body[0].opening([0.5, 0.07], [0.03, 0.07], false, palette.hollow);
    }
    let tip = if dice.random_bool(0.5) { palette.trim } else { palette.wall };
    let tip = frustum(4, [half * cap, 0.0], [height * split, height], tip);
    Shape::Stacked(vec![Shape::Solid(body), Shape::Solid(tip)])
}

fn stepped(half: f32, height: f32, steps: u32, palette: &Palette, dice: &mut Dice) -> Shape {
    let mut storeys = Vec::new();
    for step in 0..steps {
        let (low, high) = (step as f32 / steps as f32, (step + 1) as f32 / steps as f32);
        let radius = half * (1.0 - 0.92 * low);
        let mut block = frustum(4, [radius, radius * 0.97], [height * low, height * high], palette.wall);
        for face in &mut block[..4] {
            face.masonry(2, dice);
            face.bands(1, 0.14, palette.wall * 0.8);
        }
        // A stair up the middle of the front.
        let tread = 0.09 * half / radius;
        let stair = [[0.5 - tread, 0.0], [0.5 + tread, 0.0], [0.5 + tread, 1.0], [0.5 - tread, 1.0]];
        block[0].marks.push(Mark {
            outline: stair.to_vec(),
            colour: palette.trim.mixed(Rgb::BLACK, 0.12),
            glows: false,
        });
        storeys.push(Shape::Solid(block));
    }
    Shape::Stacked(storeys)
}
