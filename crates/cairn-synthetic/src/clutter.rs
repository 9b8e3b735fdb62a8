//! What happens to stand around a landmark: trees, bushes, people, lamp posts, boats, birds.

use super::canvas::Canvas;
use super::colour::Rgb;
use super::dice::Dice;
use super::light::{LAMP, Light};
use super::space::Pixel;
use rand::RngExt;

/// A flat figure that faces the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    Broadleaf,
    Conifer,
    Poplar,
    Bush,
    Person,
    LampPost,
    Boat,
}

impl Figure {
    const ON_LAND: [Figure; 9] = [
        Figure::Broadleaf,
        Figure::Broadleaf,
        Figure::Conifer,
        Figure::Poplar,
        Figure::Bush,
        Figure::Bush,
        Figure::Person,
        Figure::Person,
        Figure::LampPost,
    ];

    pub(super) fn picked(dice: &mut Dice) -> Figure {
        Figure::ON_LAND[dice.random_range(0..Figure::ON_LAND.len())]
    }

    /// How tall one is, as a share of the landmark if both stand equally far away.
    pub(super) fn height(self, dice: &mut Dice) -> f32 {
        match self {
            Figure::Broadleaf | Figure::Conifer => dice.random_range(0.16..0.36),
            Figure::Poplar => dice.random_range(0.2..0.4),
            Figure::Bush => dice.random_range(0.06..0.12),
            Figure::Person => dice.random_range(0.08..0.12),
            Figure::LampPost => dice.random_range(0.2..0.28),
            Figure::Boat => dice.random_range(0.1..0.2),
        }
    }
}

/// Where a figure stands on the canvas, and how large it appears.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) foot: Pixel,
    pub(super) height: f32,
    /// Upside down, as water shows it.
    pub(super) mirrored: bool,
    /// The share of the horizon's colour that the air lays over it.
    pub(super) haze: f32,
}

/// Paints one figure.
pub(super) fn paint(canvas: &mut Canvas, figure: Figure, place: Standing, light: &Light, dice: &mut Dice) {
    let mut brush = Brush { canvas, place, light };
    if !place.mirrored && figure != Figure::Boat {
        brush.contact_shadow(figure);
    }
    match figure {
        Figure::Broadleaf => broadleaf(&mut brush, dice),
        Figure::Conifer => conifer(&mut brush, dice),
        Figure::Poplar => poplar(&mut brush, dice),
        Figure::Bush => bush(&mut brush, dice),
        Figure::Person => person(&mut brush, dice),
        Figure::LampPost => lamp_post(&mut brush),
        Figure::Boat => boat(&mut brush, dice),
    }
}

/// Paints in a figure's own measure: `x` from its middle, `y` up from its foot, its height is 1.
struct Brush<'a> {
    canvas: &'a mut Canvas,
    place: Standing,
    light: &'a Light,
}

impl Brush<'_> {
    fn pixel(&self, [x, y]: [f32; 2]) -> Pixel {
        let Standing { foot, height, mirrored, .. } = self.place;
        let up = if mirrored { height } else { -height };
        Pixel { x: foot.x + x * height, y: foot.y + y * up }
    }

    fn seen(&self, surface: Rgb) -> Rgb {
        self.light.hazed(self.light.on_ground(surface) * 0.85, self.place.haze)
    }

    fn polygon(&mut self, corners: &[[f32; 2]], surface: Rgb) {
        let outline: Vec<Pixel> = corners.iter().map(|&corner| self.pixel(corner)).collect();
        self.canvas.fill(&outline, self.seen(surface));
    }

    fn ellipse(&mut self, centre: [f32; 2], across: f32, up: f32, surface: Rgb) {
        let size = self.place.height;
        self.canvas.ellipse(self.pixel(centre), across * size, up * size, self.seen(surface));
    }

    fn line(&mut self, from: [f32; 2], to: [f32; 2], width: f32, surface: Rgb) {
        let (from, to) = (self.pixel(from), self.pixel(to));
        self.canvas.line(from, to, width * self.place.height, self.seen(surface));
    }

    /// The dark patch at its foot without which it would seem to float.
    fn contact_shadow(&mut self, figure: Figure) {
        let across = match figure {
            Figure::Broadleaf | Figure::Bush => 0.3,
            Figure::Conifer => 0.22,
            Figure::Poplar | Figure::Person => 0.12,
            Figure::LampPost | Figure::Boat => 0.05,
        };
        // Away from the sun, and longer the lower it stands.
        let away = -self.light.source.x.signum() * across * (1.0 - self.light.source.y.abs());
        let outline: Vec<Pixel> = (0..16)
            .map(|step| {
                let (sin, cos) = (step as f32 / 16.0 * std::f32::consts::TAU).sin_cos();
                self.pixel([away + across * cos, across * 0.16 * sin])
            })
            .collect();
        self.canvas.tint(&outline, self.light.ambient * 0.2, 0.2 + 0.4 * self.light.shadow());
    }

    /// A heap of leaves, darker below and away from the light.
    fn foliage(&mut self, centre: [f32; 2], reach: [f32; 2], leaves: Rgb, dice: &mut Dice) {
        let sunny = self.light.source.x.signum();
        let tufts = 22;
        for tuft in 0..tufts {
            let (x, y) = (dice.random_range(-1.0f32..1.0), dice.random_range(-1.0f32..1.0));
            let (x, y) = (x * (1.0 - 0.45 * y * y), y * (1.0 - 0.35 * x * x));
            // Later tufts lie on top: they are the sunny ones.
            let order = tuft as f32 / tufts as f32;
            let brightness = 0.62 + 0.5 * order * (0.6 + 0.25 * y + 0.25 * x * sunny);
            let radius = 0.42 - 0.2 * order;
            let spread = 1.0 - radius * 0.8;
            let middle = [
                centre[0] + (x * spread + 0.18 * sunny * order) * reach[0],
                centre[1] + (y * spread + 0.2 * order) * reach[1],
            ];
            self.ellipse(middle, radius * reach[0], radius * reach[1], leaves * brightness);
        }
    }
}

const BARK: Rgb = Rgb::hex(0x5a4433);

fn leaf_colour(dice: &mut Dice) -> Rgb {
    const LEAVES: [u32; 6] = [0x5f8a3a, 0x48763c, 0x7f9a48, 0x3f6a48, 0xc08a3a, 0xa85a34];
    // Autumn is the exception.
    let choice = if dice.random_bool(0.2) { LEAVES.len() } else { 4 };
    Rgb::hex(LEAVES[dice.random_range(0..choice)]).varied(0.06, dice)
}

fn broadleaf(brush: &mut Brush, dice: &mut Dice) {
    let leaves = leaf_colour(dice);
    brush.polygon(&[[-0.045, 0.0], [0.045, 0.0], [0.025, 0.5], [-0.025, 0.5]], BARK);
    brush.line([0.0, 0.3], [0.13, 0.5], 0.025, BARK);
    brush.line([0.0, 0.33], [-0.12, 0.52], 0.025, BARK);
    let wide = dice.random_range(0.26..0.42);
    brush.foliage([0.0, 0.64], [wide, 0.36], leaves, dice);
}

fn poplar(brush: &mut Brush, dice: &mut Dice) {
    let leaves = leaf_colour(dice) * 0.9;
    brush.polygon(&[[-0.02, 0.0], [0.02, 0.0], [0.02, 0.3], [-0.02, 0.3]], BARK);
    let wide = dice.random_range(0.09..0.14);
    brush.foliage([0.0, 0.54], [wide, 0.46], leaves, dice);
}

fn bush(brush: &mut Brush, dice: &mut Dice) {
    let leaves = leaf_colour(dice);
    let wide = dice.random_range(0.6..1.3);
    brush.foliage([0.0, 0.45], [wide, 0.55], leaves, dice);
}

fn conifer(brush: &mut Brush, dice: &mut Dice) {
    let leaves = Rgb::hex(0x37583c).varied(0.05, dice);
    let sunny = brush.light.source.x.signum();
    let wide = dice.random_range(0.2..0.3);
    brush.polygon(&[[-0.03, 0.0], [0.03, 0.0], [0.03, 0.2], [-0.03, 0.2]], BARK);
    for tier in 0..4 {
        let low = 0.12 + tier as f32 * 0.2;
        let (half, top) = (wide * (1.0 - tier as f32 * 0.21), (low + 0.36).min(1.0));
        brush.polygon(&[[-half, low], [half, low], [0.0, top]], leaves);
        brush.polygon(&[[sunny * half * 0.2, low + 0.02], [sunny * half, low], [0.0, top]], leaves * 1.25);
    }
}

fn person(brush: &mut Brush, dice: &mut Dice) {
    const CLOTHES: [u32; 8] =
        [0xb43c3c, 0x35548a, 0xd8b23c, 0x3f7a5a, 0x6a4a7a, 0xe0ddd4, 0x2e3238, 0xc86a94];
    let coat = Rgb::hex(CLOTHES[dice.random_range(0..CLOTHES.len())]);
    let legs = Rgb::hex(CLOTHES[dice.random_range(0..CLOTHES.len())]) * 0.6;
    let skin = Rgb::hex(0xe0b594) * dice.random_range(0.45..1.0);
    let stride = dice.random_range(0.02..0.1);
    brush.line([0.0, 0.48], [-stride, 0.03], 0.09, legs);
    brush.line([0.0, 0.48], [stride, 0.03], 0.09, legs);
    brush.polygon(&[[-0.1, 0.44], [0.1, 0.44], [0.13, 0.8], [0.06, 0.86], [-0.06, 0.86], [-0.13, 0.8]], coat);
    let swing = dice.random_range(0.02..0.1);
    brush.line([-0.12, 0.78], [-0.12 - swing, 0.46], 0.06, coat * 0.85);
    brush.line([0.12, 0.78], [0.12 + swing, 0.46], 0.06, coat * 0.85);
    brush.ellipse([0.0, 0.93], 0.065, 0.075, skin);
    if dice.random_bool(0.6) {
        brush.ellipse([0.0, 0.965], 0.068, 0.045, Rgb::hex(0x3a2a20) * dice.random_range(0.4..2.0));
    }
}

fn lamp_post(brush: &mut Brush) {
    let iron = Rgb::hex(0x33383c);
    brush.line([0.0, 0.0], [0.0, 0.86], 0.022, iron);
    brush.line([0.0, 0.0], [0.0, 0.12], 0.05, iron);
    brush.polygon(&[[-0.05, 0.98], [0.05, 0.98], [0.0, 1.03]], iron);
    if brush.light.is_night() {
        let lantern = brush.pixel([0.0, 0.92]);
        let size = brush.place.height;
        brush.canvas.ellipse(lantern, size * 0.05, size * 0.07, LAMP);
    } else {
        brush.polygon(&[[-0.03, 0.86], [0.03, 0.86], [0.05, 0.98], [-0.05, 0.98]], Rgb::hex(0xd8dcd8));
    }
}

fn boat(brush: &mut Brush, dice: &mut Dice) {
    const HULLS: [u32; 5] = [0x8a4a32, 0xf0efe8, 0x2f4e7a, 0xa83c3c, 0x3f6a5a];
    let hull = Rgb::hex(HULLS[dice.random_range(0..HULLS.len())]);
    let bow = if dice.random_bool(0.5) { 1.0 } else { -1.0 };
    if dice.random_bool(0.6) {
        let sail = Rgb::hex(if dice.random_bool(0.7) { 0xf2ede0 } else { 0xb4523c });
        brush.line([0.0, 0.1], [0.0, 1.0], 0.015, BARK);
        brush.polygon(&[[0.03 * bow, 0.2], [0.03 * bow, 0.97], [0.34 * bow, 0.2]], sail);
        brush.polygon(&[[-0.03 * bow, 0.24], [-0.03 * bow, 0.86], [-0.26 * bow, 0.24]], sail * 0.85);
    }
    brush.polygon(&[[-0.36 * bow, 0.0], [0.34 * bow, 0.0], [0.52 * bow, 0.17], [-0.4 * bow, 0.14]], hull);
    brush.polygon(
        &[[-0.39 * bow, 0.1], [0.47 * bow, 0.12], [0.52 * bow, 0.17], [-0.4 * bow, 0.14]],
        hull * 0.6,
    );
}

/// A few birds far off, or none.
pub(super) fn birds(canvas: &mut Canvas, horizon: f32, dice: &mut Dice) {
    if !dice.random_bool(0.2) {
        return;
    }
    let (width, height) = (canvas.width() as f32, canvas.height() as f32);
    let flock =
        Pixel { x: width * dice.random_range(0.1..0.9), y: horizon.max(8.0) * dice.random_range(0.15..0.6) };
    for _ in 0..dice.random_range(3..8) {
        let span = height * dice.random_range(0.006..0.014);
        let body = Pixel {
            x: flock.x + height * dice.random_range(-0.12..0.12),
            y: flock.y + height * dice.random_range(-0.06..0.06),
        };
        for side in [-1.0, 1.0] {
            let tip = Pixel { x: body.x + side * span, y: body.y - span * dice.random_range(0.3..0.7) };
            canvas.line(body, tip, height * 0.003, Rgb::hex(0x2a2c30));
        }
    }
}
