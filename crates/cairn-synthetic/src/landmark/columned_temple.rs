//! A temple with columns all around it, on steps, under a gable.

use super::super::colour::Palette;
use super::super::solid::{Face, Shape, cuboid, lathe};
use super::super::space::at;
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let across: u32 = dice.random_range(4..9);
    let along = across + dice.random_range(1..5);
    let column = dice.random_range(6.0..10.0);
    let spacing = column * dice.random_range(0.32..0.46);
    let (half_width, half_length) = ((across - 1) as f32 * spacing / 2.0, (along - 1) as f32 * spacing / 2.0);
    let thick = spacing * dice.random_range(0.2..0.28);
    let slab = |margin: f32, foot: f32, height: f32, colour| {
        let size = at(2.0 * (half_width + margin), height, 2.0 * (half_length + margin));
        Shape::Solid(cuboid(at(0.0, foot, 0.0), size, colour))
    };

    let mut storeys = Vec::new();
    let steps = dice.random_range(2..6);
    let step = column * 0.06;
    for index in 0..steps {
        let margin = spacing * 0.5 + (steps - index) as f32 * step * 1.4;
        storeys.push(slab(margin, index as f32 * step, step, palette.trim));
    }
    let floor = steps as f32 * step;
    let ruined = dice.random_bool(0.25);
    storeys.push(colonnade([across, along], spacing, thick, [floor, floor + column], ruined, palette, dice));
    let eaves = floor + column;
    let beam = column * dice.random_range(0.14..0.22);
    storeys.push(slab(thick * 1.2, eaves, beam * 0.5, palette.wall));
    storeys.push(slab(thick * 1.5, eaves + beam * 0.5, beam * 0.5, palette.trim));
    let gable = half_width * dice.random_range(0.25..0.42);
    storeys.push(roof(half_width + thick * 2.0, half_length + thick * 2.0, eaves + beam, gable, palette));
    Landmark::standing(Shape::Stacked(storeys).turned(dice.random_range(-0.95..0.95)))
}

/// The columns around the hall, and the hall itself unless the temple is a ruin.
fn colonnade(
    [across, along]: [u32; 2],
    spacing: f32,
    thick: f32,
    [foot, top]: [f32; 2],
    ruined: bool,
    palette: &Palette,
    dice: &mut Dice,
) -> Shape {
    let column = lathe(
        10,
        &[
            [thick * 1.25, foot],
            [thick * 1.2, foot + (top - foot) * 0.04],
            [thick, foot + (top - foot) * 0.05],
            [thick * 0.8, foot + (top - foot) * 0.92],
            [thick * 1.35, top],
        ],
        palette.wall,
    );
    let mut parts = Vec::new();
    for x in 0..across {
        for z in 0..along {
            if x == 0 || z == 0 || x == across - 1 || z == along - 1 {
                let place = at(
                    (x as f32 - (across - 1) as f32 / 2.0) * spacing,
                    0.0,
                    (z as f32 - (along - 1) as f32 / 2.0) * spacing,
                );
                parts.push(column.clone().moved(place));
            }
        }
    }
    if !ruined {
        let size = at((across - 2) as f32 * spacing * 0.85, top - foot, (along - 2) as f32 * spacing * 0.85);
        let mut hall = cuboid(at(0.0, foot, 0.0), size, palette.wall * 0.78);
        for face in [0, 2] {
            hall[face].opening([0.5, 0.4], [dice.random_range(0.12..0.2), 0.4], false, palette.hollow);
        }
        parts.push(Shape::Solid(hall));
    }
    Shape::Beside(parts)
}

/// A gable roof whose ridge runs along z.
fn roof(half_width: f32, half_length: f32, eaves: f32, height: f32, palette: &Palette) -> Shape {
    let corner = |x: f32, z: f32| at(x * half_width, eaves, z * half_length);
    let ridge = |z: f32| at(0.0, eaves + height, z * half_length);
    let pediment = |z: f32, share: f32| {
        let middle = at(0.0, eaves + height * 0.36, z * half_length * 1.001);
        [corner(-z, z), corner(z, z), ridge(z)].map(|place| middle.towards(place, share))
    };
    let mut faces = vec![
        Face::new([corner(1.0, 1.0), corner(1.0, -1.0), ridge(-1.0), ridge(1.0)], palette.roof),
        Face::new([corner(-1.0, -1.0), corner(-1.0, 1.0), ridge(1.0), ridge(-1.0)], palette.roof),
    ];
    for z in [-1.0, 1.0] {
        faces.push(Face::new(pediment(z, 1.0), palette.trim));
        faces.push(Face::new(pediment(z, 0.68), palette.wall * 0.7));
    }
    for face in &mut faces[..2] {
        face.bands(5, 0.18, palette.roof * 0.85);
    }
    Shape::Solid(faces)
}
