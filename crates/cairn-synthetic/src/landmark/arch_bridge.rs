//! An arch bridge: a wall of stone with a row of arches, level or humped, and the road that runs on over it.

use super::super::colour::{Palette, Rgb};
use super::super::solid::{Face, Shape, cuboid};
use super::super::space::at;
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let arches = dice.random_range(2..6);
    let span = 14.0;
    let bridge = Bridge {
        arches,
        span,
        pier: span * dice.random_range(0.12..0.35),
        // Semicircular or flatter.
        rise: span / 2.0 * dice.random_range(0.7..1.0),
        springing: span * dice.random_range(0.1..0.6),
        crown: span * dice.random_range(0.1..0.22),
        hump: span * arches as f32 * if dice.random_bool(0.5) { dice.random_range(0.02..0.09) } else { 0.0 },
        half_width: span * dice.random_range(0.16..0.3),
    };
    let turn = dice.random_range(-0.5f32..0.5);
    Landmark {
        body: bridge.body(palette).turned(turn),
        surroundings: bridge.approaches(palette, dice).turned(turn),
        spans_water: true,
    }
}

struct Bridge {
    arches: u32,
    /// Width of one opening, and of the pier beside it.
    span: f32,
    pier: f32,
    /// From the springing line of the arches up to their highest point.
    rise: f32,
    /// Height of the springing line above the ground.
    springing: f32,
    /// Stone above the highest point of an arch.
    crown: f32,
    /// How much higher the road is in the middle than at the ends.
    hump: f32,
    half_width: f32,
}

const STEPS: u32 = 12;

impl Bridge {
    fn half_length(&self) -> f32 {
        (self.arches as f32 * (self.span + self.pier) + self.pier) / 2.0
    }

    /// Height of the road at a place along the bridge.
    fn road(&self, x: f32) -> f32 {
        let along = (x / self.half_length()).clamp(-1.0, 1.0);
        self.springing + self.rise + self.crown + self.hump * (1.0 - along * along)
    }

    /// The line of the underside from left to right, down to the ground at every pier.
    fn underside(&self) -> Vec<Vec<[f32; 2]>> {
        (0..self.arches)
            .map(|arch| {
                let left = -self.half_length() + self.pier + arch as f32 * (self.span + self.pier);
                let middle = left + self.span / 2.0;
                // Under a humped road the middle arches are the high ones.
                let rise = self.rise + self.road(middle) - self.road(self.half_length());
                let mut line = vec![[left, 0.0]];
                line.extend((0..=STEPS).map(|step| {
                    let (sin, cos) = (step as f32 / STEPS as f32 * std::f32::consts::PI).sin_cos();
                    [middle - self.span / 2.0 * cos, self.springing + rise * sin]
                }));
                line.push([left + self.span, 0.0]);
                line
            })
            .collect()
    }

    fn body(&self, palette: &Palette) -> Shape {
        let (half, deep) = (self.half_length(), self.half_width);
        let openings = self.underside();
        let mut faces = Vec::new();
        // First the insides of the arches, which the walls then frame.
        for line in &openings {
            for pair in line.windows(2) {
                let [[x0, y0], [x1, y1]] = [pair[0], pair[1]];
                let inside = [at(x0, y0, deep), at(x1, y1, deep), at(x1, y1, -deep), at(x0, y0, -deep)];
                faces.push(Face::new(inside, palette.wall * 0.72));
            }
        }
        let wall = |z: f32| {
            let mut outline = vec![at(-half, 0.0, z)];
            outline.extend(openings.iter().flatten().map(|&[x, y]| at(x, y, z)));
            outline.push(at(half, 0.0, z));
            outline.extend((0..=24).map(|step| {
                let x = half * (1.0 - step as f32 / 12.0);
                at(x, self.road(x), z)
            }));
            outline
        };
        let mut back = wall(-deep);
        back.reverse();
        faces.push(Face::new(back, palette.wall));
        faces.extend(self.parapet(-deep, palette));
        for step in 0..24 {
            let x = |step: u32| half * (step as f32 / 12.0 - 1.0);
            let (x0, x1) = (x(step), x(step + 1));
            let (y0, y1) = (self.road(x0), self.road(x1));
            let road = [at(x0, y0, deep), at(x1, y1, deep), at(x1, y1, -deep), at(x0, y0, -deep)];
            faces.push(Face::new(road, Rgb::hex(0x8a8680)));
        }
        faces.push(Face::new(wall(deep), palette.wall));
        faces.extend(openings.iter().flat_map(|line| self.voussoirs(line, palette)));
        faces.extend(self.parapet(deep, palette));
        Shape::Solid(faces)
    }

    /// The ring of stones around an opening.
    fn voussoirs(&self, line: &[[f32; 2]], palette: &Palette) -> Vec<Face> {
        let ring = self.crown * 0.45;
        let centre = [(line[0][0] + line[line.len() - 1][0]) / 2.0, self.springing];
        let z = self.half_width + 0.05;
        let outer = |[x, y]: [f32; 2]| {
            let away = [x - centre[0], y - centre[1]];
            let share = ring / away[0].hypot(away[1]).max(1e-3);
            at(x + away[0] * share, y + away[1] * share, z)
        };
        line[1..line.len() - 1]
            .windows(2)
            .map(|pair| {
                let inner = |[x, y]: [f32; 2]| at(x, y, z);
                let stone = [inner(pair[1]), inner(pair[0]), outer(pair[0]), outer(pair[1])];
                Face { two_sided: true, ..Face::new(stone, palette.trim) }
            })
            .collect()
    }

    /// A low wall along one edge of the road.
    fn parapet(&self, z: f32, palette: &Palette) -> Vec<Face> {
        let half = self.half_length();
        let rise = self.crown * 0.5;
        (0..24)
            .map(|step| {
                let (x0, x1) = (half * (step as f32 / 12.0 - 1.0), half * ((step + 1) as f32 / 12.0 - 1.0));
                let low = |x: f32| at(x, self.road(x), z);
                let high = |x: f32| at(x, self.road(x) + rise, z);
                Face { two_sided: true, ..Face::new([low(x0), low(x1), high(x1), high(x0)], palette.trim) }
            })
            .collect()
    }

    /// Walled banks that carry the road on to either side, out of the picture.
    fn approaches(&self, palette: &Palette, dice: &mut Dice) -> Shape {
        let (half, height) = (self.half_length(), self.road(self.half_length()));
        let length = half * 2.5;
        let mut bank = |side: f32| {
            let foot = at(side * (half + length / 2.0), 0.0, 0.0);
            let mut wall = cuboid(foot, at(length, height, 2.0 * self.half_width), palette.wall);
            for face in [0, 2] {
                wall[face].masonry(8, dice);
            }
            let parapet = at(length, self.crown * 0.5, 2.0 * self.half_width);
            let parapet = cuboid(foot + at(0.0, height, 0.0), parapet, palette.trim);
            Shape::Stacked(vec![Shape::Solid(wall), Shape::Solid(parapet)])
        };
        Shape::Beside(vec![bank(-1.0), bank(1.0)])
    }
}
