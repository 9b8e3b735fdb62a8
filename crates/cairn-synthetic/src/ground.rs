//! The ground: grass, sand, paving, earth, snow, and water that mirrors what stands behind it.

use super::canvas::Canvas;
use super::colour::Rgb;
use super::dice::Dice;
use super::light::Light;
use super::noise::{fractal_noise, smooth_step, value_noise};
use super::space::{Camera, Vec3};
use rand::RngExt;

#[derive(Clone, Copy, Debug)]
enum Surface {
    Grass,
    Sand,
    Paving,
    Earth,
    Snow,
}

/// What the landmark stands on and what lies before it.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    surface: Surface,
    colour: Rgb,
    /// The other colour of a mottled surface; the joints of paving.
    accent: Rgb,
    seed: u32,
    /// Where the land ends and water begins; water fills everything nearer to the camera.
    shore: Option<f32>,
    /// A path that winds from the camera to the landmark: its width, and how far it swings.
    path: Option<[f32; 2]>,
}

impl Ground {
    /// Land alone, or land with water in front: before the landmark's foot, which reaches to `front`, or all
    /// around it if it `spans_water`. `size` is the landmark's.
    pub(super) fn picked(size: f32, front: f32, spans_water: bool, dice: &mut Dice) -> Ground {
        let (surface, colour, accent) = match dice.random_range(0..5) {
            0 => (Surface::Grass, 0x6f9a45, 0x4a7434),
            1 => (Surface::Sand, 0xd9bf8c, 0xc0a06c),
            2 => (Surface::Paving, 0xb4aea4, 0x7d7870),
            3 => (Surface::Earth, 0x9a7a56, 0x74664a),
            _ => (Surface::Snow, 0xeef2f6, 0xcfd8e2),
        };
        let water = dice.random_bool(0.35);
        let reach = dice.random_range(0.08..0.5);
        let shore = if spans_water { -size * (0.5 + 3.0 * reach) } else { front + size * reach };
        let path = (!water && dice.random_bool(0.4))
            .then(|| [size * dice.random_range(0.04..0.12), size * dice.random_range(-0.6..0.6)]);
        Ground {
            surface,
            colour: Rgb::hex(colour).varied(0.08, dice),
            accent: Rgb::hex(accent).varied(0.08, dice),
            seed: dice.random(),
            shore: water.then_some(shore),
            path,
        }
    }

    /// Whether a place on the ground is under water.
    pub(super) fn is_water(&self, place: Vec3) -> bool {
        self.shore.is_some_and(|shore| place.z > shore + self.shore_wander(place.x))
    }

    /// Whether there is any water, and so a reflection to paint.
    pub(super) fn has_water(&self) -> bool {
        self.shore.is_some()
    }

    /// The shore is not a straight line.
    fn shore_wander(&self, x: f32) -> f32 {
        (value_noise(self.seed, x * 0.15, 0.0) - 0.5) * 2.5
    }

    /// Paints everything below the horizon. `reflection` is the scene as a mirror on the ground shows it.
    pub(super) fn paint(
        &self,
        canvas: &mut Canvas,
        camera: &Camera,
        light: &Light,
        reflection: Option<&Canvas>,
    ) {
        let bottom = canvas.height() as f32;
        canvas.repaint(camera.horizon, bottom, |pixel, sky| {
            let Some(place) = camera.ground_at(pixel) else { return sky };
            let depth = camera.depth(place);
            let far = smooth_step(camera.distance * 1.5, camera.distance * 14.0, depth);
            if let Some(mirror) = reflection.filter(|_| self.is_water(place)) {
                // Ripples displace the mirror image, less the farther away they are.
                let near = (pixel.y - camera.horizon) / bottom;
                let (x, z) = (place.x / camera.eye, place.z / camera.eye);
                let swell = fractal_noise(self.seed, x * 1.5, z * 6.0, 3) - 0.5;
                let shift = swell * near * bottom * 0.14;
                let image = mirror.colour_at((pixel.x + shift) as i32, (pixel.y + shift * 0.6) as i32);
                let deep = light.on_ground(Rgb::hex(0x27495a));
                let grazing = 0.82 - 0.5 * near;
                return deep.mixed(image, grazing) + Rgb::WHITE * (swell * 0.1);
            }
            light.hazed(light.on_ground(self.texture(place, depth, camera)), far * 0.7)
        });
    }

    fn texture(&self, place: Vec3, depth: f32, camera: &Camera) -> Rgb {
        // The pattern keeps the same size in the picture whatever the height of the eye, and fades where it
        // would be finer than a pixel.
        let (x, z) = (place.x / camera.eye, place.z / camera.eye);
        let footprint = depth * depth / (camera.focal * camera.eye * camera.eye);
        let visible = |frequency: f32| 1.0 / (1.0 + footprint * frequency * frequency * 0.6);
        let mottled = |frequency: f32| {
            0.5 + (fractal_noise(self.seed, x * frequency, z * frequency, 3) - 0.5) * visible(frequency)
        };
        let ground = match self.surface {
            Surface::Grass => self.colour.mixed(self.accent, mottled(3.0) * 0.7 + mottled(0.7) * 0.6 - 0.15),
            Surface::Earth => self.colour.mixed(self.accent, smooth_step(0.35, 0.65, mottled(1.6))),
            Surface::Snow => self.colour.mixed(self.accent, smooth_step(0.3, 0.8, mottled(0.9))),
            Surface::Sand => {
                let wave = ((z * 9.0 + 3.0 * fractal_noise(self.seed, x, z, 2)) * 2.0).sin() * visible(4.0);
                self.colour.mixed(self.accent, 0.4 + 0.3 * wave + (mottled(1.0) - 0.5))
            }
            Surface::Paving => {
                let (column, row) = (x * 2.2, z * 2.2);
                let tile = self.colour
                    * (0.88 + 0.24 * value_noise(self.seed, column.floor() * 7.3, row.floor() * 5.1));
                let edge = |along: f32| (along - along.round()).abs();
                let joint = edge(column).min(edge(row)) < 0.045;
                if joint { tile.mixed(self.accent, visible(2.2)) } else { tile }
            }
        };
        match self.path {
            Some([width, swing]) => {
                let along = (place.z / camera.distance).clamp(0.0, 1.0);
                let away = (place.x - swing * (along * 4.0).sin()).abs();
                let trodden = self.accent.mixed(Rgb::hex(0xd8c8a8), 0.65);
                ground.mixed(trodden, 1.0 - smooth_step(width * 0.8, width, away))
            }
            None => ground,
        }
    }
}
