//! A lattice tower: four legs of open ironwork that sweep together towards the top.

use super::super::colour::{Palette, Rgb};
use super::super::solid::{Shape, cuboid};
use super::super::space::{Vec3, at};
use super::Landmark;
use crate::dice::Dice;
use rand::RngExt;

pub(super) fn build(palette: &Palette, dice: &mut Dice) -> Landmark {
    let height = 60.0;
    let tower = Ironwork {
        height,
        foot: height * dice.random_range(0.16..0.24),
        top: height * dice.random_range(0.012..0.03),
        sweep: dice.random_range(1.0..2.4),
        panels: dice.random_range(7..12),
        thickness: height * dice.random_range(0.01..0.015),
        colour: palette.wall.mixed(Rgb::BLACK, 0.25),
    };
    let mut storeys = Vec::new();
    let first_platform = dice.random_range(2..4);
    let second_platform = first_platform + dice.random_range(2..4);
    for panel in 0..tower.panels {
        storeys.push(tower.panel(panel, panel == 0));
        let after = panel + 1;
        if after == first_platform || after == second_platform || after == tower.panels {
            let level = tower.level(after);
            let half = tower.half(level) * 1.18 + height * 0.008;
            let size = at(2.0 * half, height * 0.018, 2.0 * half);
            storeys.push(Shape::Solid(cuboid(at(0.0, level, 0.0), size, tower.colour * 1.1)));
        }
    }
    let mast = height * dice.random_range(0.05..0.14);
    let (from, to) = (at(0.0, height * 1.018, 0.0), at(0.0, height + mast, 0.0));
    storeys.push(Shape::Beam { from, to, thickness: tower.thickness, colour: tower.colour });
    Landmark::standing(Shape::Stacked(storeys).turned(dice.random_range(-0.7..0.7)))
}

struct Ironwork {
    height: f32,
    /// Half the side of the square that it stands on, and of the one at its top.
    foot: f32,
    top: f32,
    /// 1 for straight legs, more for legs that sweep inwards.
    sweep: f32,
    panels: u32,
    thickness: f32,
    colour: Rgb,
}

impl Ironwork {
    /// The height at which a panel begins; the panels grow lower towards the top.
    fn level(&self, panel: u32) -> f32 {
        let share = panel as f32 / self.panels as f32;
        self.height * (1.0 - (1.0 - share).powf(1.25))
    }

    /// Half the side of the tower at a height.
    fn half(&self, level: f32) -> f32 {
        self.top + (self.foot - self.top) * (1.0 - level / self.height).max(0.0).powf(self.sweep)
    }

    /// The four sides of one panel; the lowest one stands open, with an arch between the legs.
    fn panel(&self, panel: u32, arched: bool) -> Shape {
        let side = self.side(self.level(panel), self.level(panel + 1), arched);
        let quarter = std::f32::consts::FRAC_PI_2;
        Shape::Beside((0..4).map(|turn| Shape::Beside(side.clone()).turned(turn as f32 * quarter)).collect())
    }

    /// The girders of the side that faces the camera.
    fn side(&self, low: f32, high: f32, arched: bool) -> Vec<Shape> {
        let corner = |along: f32, level: f32| at(along * self.half(level), level, self.half(level));
        let mut girders = vec![
            self.beam(corner(-1.0, low), corner(-1.0, high), 1.7),
            self.beam(corner(1.0, low), corner(1.0, high), 1.7),
            self.beam(corner(-1.0, high), corner(1.0, high), 1.0),
        ];
        if !arched {
            girders.push(self.beam(corner(-1.0, low), corner(1.0, high), 0.7));
            girders.push(self.beam(corner(1.0, low), corner(-1.0, high), 0.7));
            return girders;
        }
        // Each leg of the lowest panel is itself a narrow lattice, and an arch spans the gap.
        for side in [-1.0, 1.0] {
            girders.push(self.beam(corner(side * 0.55, low), corner(side * 0.6, high), 1.3));
            for rung in 0..3 {
                let level = |step: u32| low + (high - low) * step as f32 / 3.0;
                girders.push(self.beam(corner(side, level(rung)), corner(side * 0.57, level(rung + 1)), 0.7));
                girders.push(self.beam(corner(side * 0.57, level(rung)), corner(side, level(rung + 1)), 0.7));
            }
        }
        let crown = |step: u32| {
            let (sin, cos) = (step as f32 / 8.0 * std::f32::consts::PI).sin_cos();
            corner(-0.55 * cos, low + (high - low) * (0.35 + 0.55 * sin))
        };
        girders.extend((0..8).map(|step| self.beam(crown(step), crown(step + 1), 1.2)));
        girders
    }

    fn beam(&self, from: Vec3, to: Vec3, weight: f32) -> Shape {
        Shape::Beam { from, to, thickness: self.thickness * weight, colour: self.colour }
    }
}
