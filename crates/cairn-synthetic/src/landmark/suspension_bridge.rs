//! A suspension bridge: two towers, two cables that hang between them, hangers, a slim deck.

use super::super::colour::{Palette, Rgb};
use super::super::solid::{Shape, cuboid};
use super::super::space::{Vec3, at};
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let bridge = Bridge {
        half_span: 45.0,
        side_span: dice.random_range(18.0..30.0),
        deck: dice.random_range(7.0..13.0),
        tower: dice.random_range(34.0..48.0),
        half_width: dice.random_range(3.5..5.5),
        hangers: dice.random_range(10..18),
        leg: dice.random_range(2.0..3.6),
        cable: dice.random_range(0.7..1.1),
    };
    let turn = dice.random_range(-0.5..0.5);
    let cable = if dice.random_bool(0.5) { palette.wall } else { palette.trim } * 0.85;
    let struts = dice.random_range(1..4);
    Landmark {
        body: bridge.body(struts, cable, palette).turned(turn),
        surroundings: bridge.approaches(palette).turned(turn),
        spans_water: true,
    }
}

struct Bridge {
    /// From the middle to a tower.
    half_span: f32,
    /// From a tower to the anchorage of its cables.
    side_span: f32,
    /// Height of the road.
    deck: f32,
    /// Height of the towers.
    tower: f32,
    half_width: f32,
    hangers: u32,
    /// Thickness of a tower's leg, and of a cable.
    leg: f32,
    cable: f32,
}

impl Bridge {
    /// Height of the cable over a place along the bridge: a parabola between the towers, straight beyond.
    fn cable(&self, x: f32) -> f32 {
        let low = self.deck + 1.5;
        let beyond = (x.abs() - self.half_span) / self.side_span;
        if beyond <= 0.0 {
            low + (self.tower - low) * (x / self.half_span).powi(2)
        } else {
            self.tower + (low - self.tower) * beyond.min(1.0)
        }
    }

    fn body(&self, struts: u32, cable: Rgb, palette: &Palette) -> Shape {
        let reach = self.half_span + self.side_span;
        let road = cuboid(
            at(0.0, self.deck - 1.6, 0.0),
            at(2.0 * reach, 1.6, 2.0 * self.half_width),
            palette.trim.mixed(Rgb::BLACK, 0.2),
        );
        // Seen from the side: the far cables, the towers around the road, the near cables.
        let side = |z: f32| Shape::Beside(self.cables(z, cable));
        let mut storeys = vec![Shape::Beside(self.piers(palette)), Shape::Solid(road)];
        let mut above = vec![side(-self.half_width), side(self.half_width)];
        above.extend(self.legs(palette));
        for strut in 0..struts {
            let up = self.deck + (self.tower - self.deck) * (strut + 1) as f32 / struts as f32;
            above.extend([-1.0, 1.0].map(|end| {
                let foot = at(end * self.half_span, up - self.leg, 0.0);
                Shape::Solid(cuboid(foot, at(self.leg * 0.8, self.leg, 2.0 * self.half_width), palette.wall))
            }));
        }
        storeys.push(Shape::Beside(above));
        Shape::Stacked(storeys)
    }

    fn leg_places(&self) -> [Vec3; 4] {
        [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]
            .map(|[end, side]| at(end * self.half_span, 0.0, side * self.half_width))
    }

    /// The towers below the road.
    fn piers(&self, palette: &Palette) -> Vec<Shape> {
        self.leg_places()
            .map(|foot| {
                Shape::Solid(cuboid(foot, at(self.leg * 1.3, self.deck - 1.6, self.leg * 1.2), palette.wall))
            })
            .into()
    }

    /// The towers above the road.
    fn legs(&self, palette: &Palette) -> Vec<Shape> {
        self.leg_places()
            .map(|foot| {
                let size = at(self.leg, self.tower - self.deck, self.leg);
                let mut faces = cuboid(foot + at(0.0, self.deck, 0.0), size, palette.wall);
                faces[0].bands(6, 0.15, palette.wall * 0.85);
                Shape::Solid(faces)
            })
            .into()
    }

    fn cables(&self, z: f32, colour: Rgb) -> Vec<Shape> {
        let reach = self.half_span + self.side_span;
        let mut beams = Vec::new();
        let steps = 40;
        let place = |step: u32| {
            let x = reach * (step as f32 / (steps / 2) as f32 - 1.0);
            at(x, self.cable(x), z)
        };
        for step in 0..steps {
            let (from, to) = (place(step), place(step + 1));
            beams.push(Shape::Beam { from, to, thickness: self.cable, colour });
        }
        let spacing = self.half_span / self.hangers as f32;
        let mut x = -reach + spacing;
        while x < reach {
            let (from, to) = (at(x, self.deck, z), at(x, self.cable(x), z));
            beams.push(Shape::Beam { from, to, thickness: self.cable * 0.4, colour });
            x += spacing;
        }
        beams
    }

    /// Anchor blocks, and the road on to either side, out of the picture.
    fn approaches(&self, palette: &Palette) -> Shape {
        let reach = self.half_span + self.side_span;
        let length = reach * 2.0;
        let bank = |side: f32| {
            let block = at(side * (reach + length / 2.0), 0.0, 0.0);
            let size = at(length, self.deck, 2.0 * self.half_width + 1.0);
            Shape::Solid(cuboid(block, size, palette.wall * 0.9))
        };
        Shape::Beside(vec![bank(-1.0), bank(1.0)])
    }
}
