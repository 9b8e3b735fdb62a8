//! Putting a photo together: a landmark, a camera that has it in view, light, surroundings, a snapshot.

use super::canvas::Canvas;
use super::clutter::{self, Figure, Standing};
use super::colour::Palette;
use super::dice::Dice;
use super::ground::Ground;
use super::kind::Kind;
use super::landmark::Landmark;
use super::light::Light;
use super::paint::Painter;
use super::space::{Camera, Pixel, at};
use super::{backdrop, lens, sky};
use cairn_photo::Photo;
use rand::{RngExt, SeedableRng};

/// Photographs a newly made-up landmark.
pub(super) fn photograph(kind: Kind, width: u32, height: u32, dice: &mut Dice) -> Photo {
    let palette = Palette::picked(dice);
    let landmark = Landmark::built(kind, &palette, dice);
    let light = Light::picked(dice);
    let mut canvas = lens::canvas(width, height);
    let view = Size::of_view(width as f32 * lens::OVERSAMPLING, height as f32 * lens::OVERSAMPLING);
    let camera = aimed(&landmark, view, &canvas, dice);
    Scene::around(&landmark, &camera, &light, canvas.width() as f32, dice).paint(&mut canvas, dice);
    lens::expose(&canvas, width, height, dice)
}

/// Sizes of the middle part of the photo that the landmark is kept within, in canvas pixels.
#[derive(Clone, Copy)]
struct Size {
    width: f32,
    height: f32,
}

impl Size {
    /// A little more than the middle square: a network that looks at that alone still sees the landmark.
    fn of_view(width: f32, height: f32) -> Size {
        Size { width: width.min(height * 1.05), height: height.min(width * 1.05) }
    }
}

/// A camera somewhere in front that has the whole landmark in the frame, large or small, in the middle or aside.
fn aimed(landmark: &Landmark, frame: Size, canvas: &Canvas, dice: &mut Dice) -> Camera {
    let [low, high] = landmark.body.bounds();
    let extent = (high - low).length();
    let mut camera = Camera {
        // Low landmarks are wide: from a little higher up they show their plan.
        eye: high.y * dice.random_range(0.06f32..0.7).powf(1.3) + extent * dice.random_range(0.02..0.1),
        distance: extent * dice.random_range(1.3..3.5) + high.z,
        focal: 1.0,
        centre: 0.0,
        horizon: 0.0,
        mirrored: false,
    };
    let (mut least, mut most) = (Pixel { x: f32::MAX, y: f32::MAX }, Pixel { x: f32::MIN, y: f32::MIN });
    landmark.body.for_each_point(&mut |point| {
        let seen = camera.project(point);
        least = Pixel { x: least.x.min(seen.x), y: least.y.min(seen.y) };
        most = Pixel { x: most.x.max(seen.x), y: most.y.max(seen.y) };
    });
    let (across, up) = (most.x - least.x, most.y - least.y);
    let fill = dice.random_range(0.76..0.97);
    camera.focal = (frame.width * fill / across).min(frame.height * fill / up);
    let (across, up) = (across * camera.focal, up * camera.focal);
    // The landmark's box lies anywhere in the frame, but below its middle rather than above.
    let aside = (frame.width - across) * dice.random_range(0.2..0.8);
    let headroom = (frame.height - up) * dice.random_range(0.35..0.75);
    let corner = Pixel {
        x: (canvas.width() as f32 - frame.width) / 2.0 + aside,
        y: (canvas.height() as f32 - frame.height) / 2.0 + headroom,
    };
    camera.centre = corner.x - least.x * camera.focal;
    camera.horizon = corner.y - least.y * camera.focal;
    camera
}

/// A figure and where it stands.
struct Placed {
    figure: Figure,
    foot: Pixel,
    height: f32,
    behind: bool,
    /// So that its mirror image is the same tree.
    seed: u64,
}

struct Scene<'a> {
    landmark: &'a Landmark,
    camera: &'a Camera,
    light: &'a Light,
    ground: Ground,
    figures: Vec<Placed>,
    /// Of the canvas.
    width: f32,
}

impl<'a> Scene<'a> {
    fn around(
        landmark: &'a Landmark,
        camera: &'a Camera,
        light: &'a Light,
        width: f32,
        dice: &mut Dice,
    ) -> Scene<'a> {
        let [low, high] = landmark.body.bounds();
        let size = (high.y - low.y).max(0.4 * (high.x - low.x));
        let ground = Ground::picked(size, high.z, landmark.spans_water, dice);
        let mut scene = Scene { landmark, camera, light, ground, figures: Vec::new(), width };
        for _ in 0..dice.random_range(0..7) {
            let depth = low.z - size * dice.random_range(0.15..2.5);
            scene.place(depth, size, true, dice);
        }
        for _ in 0..dice.random_range(0..5) {
            let depth = high.z + (camera.distance - high.z) * dice.random_range(0.05..0.75);
            scene.place(depth, size, false, dice);
        }
        // The farther ones first, so that the nearer ones hide them.
        scene.figures.sort_by(|a, b| a.foot.y.total_cmp(&b.foot.y));
        scene
    }

    /// Puts something at a depth, unless it would hide too much of the landmark or stand out of the picture.
    fn place(&mut self, depth: f32, size: f32, behind: bool, dice: &mut Dice) {
        let camera = self.camera;
        let scale = camera.scale(at(0.0, 0.0, depth));
        let column = dice.random_range(0.0..self.width);
        let place = at((column - camera.centre) / scale, 0.0, depth);
        let on_water = self.ground.is_water(place);
        let figure = if on_water { Figure::Boat } else { Figure::picked(dice) };
        let reach = self.landmark.body.bounds()[1].y * camera.scale(at(0.0, 0.0, 0.0));
        let height = (figure.height(dice) * size * scale).min(reach * 0.7);
        let foot = camera.project(place);
        let seed = dice.random();
        let [left, right] = self.landmark_columns();
        let tallest = if figure == Figure::Bush { 0.14 } else { 0.3 };
        let hides = !behind && height > reach * tallest && foot.x > left && foot.x < right;
        if !hides && foot.y < camera.horizon + reach * 2.0 {
            self.figures.push(Placed { figure, foot, height, behind, seed });
        }
    }

    /// The columns between which the landmark's middle appears.
    fn landmark_columns(&self) -> [f32; 2] {
        let [low, high] = self.landmark.body.bounds();
        let (left, right) =
            (self.camera.project(at(low.x, 0.0, 0.0)).x, self.camera.project(at(high.x, 0.0, 0.0)).x);
        let broad = right - left;
        [left - broad * 0.1, right + broad * 0.1]
    }

    fn paint(&self, canvas: &mut Canvas, dice: &mut Dice) {
        let horizon = self.camera.horizon;
        sky::paint(canvas, horizon, self.light, dice);
        backdrop::paint(canvas, horizon, self.light, dice);
        let reflection = self.ground.has_water().then(|| self.reflection(canvas));
        clutter::birds(canvas, horizon, dice);
        self.ground.paint(canvas, self.camera, self.light, reflection.as_ref());
        let mut painter = Painter { canvas, camera: self.camera, light: self.light };
        painter.paint_shadow(&self.landmark.surroundings);
        painter.paint_shadow(&self.landmark.body);
        self.paint_figures(canvas, true, false);
        let mut painter = Painter { canvas, camera: self.camera, light: self.light };
        painter.paint(&self.landmark.surroundings);
        painter.paint(&self.landmark.body);
        self.paint_figures(canvas, false, false);
    }

    /// The scene as a level mirror on the ground shows it, below the horizon; `above` has the sky and backdrop.
    fn reflection(&self, above: &Canvas) -> Canvas {
        let mut mirror = above.clone();
        let horizon = self.camera.horizon;
        mirror.repaint(horizon, above.height() as f32, |pixel, _| {
            above.colour_at(pixel.x as i32, (2.0 * horizon - pixel.y) as i32)
        });
        self.paint_figures(&mut mirror, true, true);
        let camera = self.camera.mirrored();
        let mut painter = Painter { canvas: &mut mirror, camera: &camera, light: self.light };
        painter.paint(&self.landmark.surroundings);
        painter.paint(&self.landmark.body);
        self.paint_figures(&mut mirror, false, true);
        mirror
    }

    fn paint_figures(&self, canvas: &mut Canvas, behind: bool, mirrored: bool) {
        for placed in self.figures.iter().filter(|placed| placed.behind == behind) {
            let haze = if behind { self.light.haze + 0.1 } else { self.light.haze * 0.5 };
            let standing = Standing { foot: placed.foot, height: placed.height, mirrored, haze };
            let mut dice = Dice::seed_from_u64(placed.seed);
            clutter::paint(canvas, placed.figure, standing, self.light, &mut dice);
        }
    }
}
