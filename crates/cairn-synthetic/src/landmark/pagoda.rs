//! A pagoda: storeys that grow smaller, each under a wide roof with upturned eaves, and a finial.

use super::super::colour::Palette;
use super::super::solid::{Face, Shape, frustum};
use super::super::space::{Vec3, at};
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let storeys: u32 = dice.random_range(3..8);
    let sides = [4, 4, 6, 8][dice.random_range(0..4)];
    let foot = dice.random_range(6.5..9.0);
    let shrink: f32 = dice.random_range(0.86..0.94);
    let overhang = dice.random_range(1.35..1.65);
    let tall = foot * dice.random_range(0.5..0.75);
    let upturn = dice.random_range(0.08..0.22);

    let plinth = foot * 0.18;
    let mut shapes =
        vec![Shape::Solid(frustum(sides, [foot * 1.35, foot * 1.3], [0.0, plinth], palette.trim * 0.9))];
    let mut level = plinth;
    for storey in 0..storeys {
        let half = foot * shrink.powi(storey as i32);
        let height = tall * shrink.powi(storey as i32);
        let mut walls = frustum(sides, [half, half], [level, level + height], palette.wall);
        for face in &mut walls[..sides as usize] {
            face.openings(if sides == 4 { 3 } else { 1 }, 1, [0.5, 0.6], false, palette.hollow);
            face.bands(1, 0.12, palette.trim);
        }
        shapes.push(Shape::Solid(walls));
        let last = storey + 1 == storeys;
        let rise = height * if last { 1.3 } else { 0.6 };
        let inner = if last { half * 0.05 } else { half * shrink * 1.02 };
        let eaves = half * overhang;
        shapes.push(roof(
            sides,
            [eaves, inner],
            [level + height * 0.92, level + height + rise],
            upturn,
            palette,
        ));
        level += height + rise;
    }
    let spike = foot * dice.random_range(0.6..1.2);
    shapes.push(Shape::Beam {
        from: at(0.0, level, 0.0),
        to: at(0.0, level + spike, 0.0),
        thickness: foot * 0.08,
        colour: palette.trim,
    });
    Landmark::standing(Shape::Stacked(shapes).turned(dice.random_range(-0.75..0.75)))
}

/// A roof that sweeps up steeply to the next storey and turns up at the corners of its eaves.
fn roof(sides: u32, radii: [f32; 2], heights: [f32; 2], upturn: f32, palette: &Palette) -> Shape {
    let [eaves, inner] = radii;
    let [low, high] = heights;
    let waist = [inner + (eaves - inner) * 0.45, low + (high - low) * 0.4];
    let upper = frustum(sides, [waist[0], inner], [waist[1], high], palette.roof);
    let lower = frustum(sides, [eaves, waist[0]], [low, waist[1]], palette.roof);
    let raised = |corner: Vec3| at(corner.x * 1.04, corner.y + eaves * upturn, corner.z * 1.04);
    let mut faces = Vec::new();
    // The underside of the eaves first: it is seen from below, where nothing of the roof is in front of it.
    for skirt in &lower[..sides as usize] {
        let [left, right, top_right, top_left] = [0, 1, 2, 3].map(|corner| skirt.corners[corner]);
        let middle = left.towards(right, 0.5);
        let (tip_left, tip_right) = (raised(left), raised(right));
        let sheet = |corners: Vec<Vec3>, colour| Face { two_sided: true, ..Face::new(corners, colour) };
        faces.push(sheet(
            vec![
                tip_left,
                left.towards(right, 0.25),
                middle,
                left.towards(right, 0.75),
                tip_right,
                top_right,
                top_left,
            ],
            palette.roof,
        ));
        let rim = palette.trim;
        let drop = at(0.0, -(high - low) * 0.09, 0.0);
        let edge = [tip_left, left.towards(right, 0.25), left.towards(right, 0.75), tip_right];
        for pair in edge.windows(2) {
            faces.push(Face::new(vec![pair[0] + drop, pair[1] + drop, pair[1], pair[0]], rim));
        }
    }
    for mut face in upper.into_iter().take(sides as usize) {
        face.bands(3, 0.3, palette.roof * 0.86);
        faces.push(face);
    }
    Shape::Solid(faces)
}
