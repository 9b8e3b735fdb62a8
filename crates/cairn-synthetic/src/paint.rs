//! Painting shapes: what is farther away first, each face in the colour that the light gives it.

use super::canvas::Canvas;
use super::colour::Rgb;
use super::light::{LAMP, Light};
use super::solid::{Face, Shape};
use super::space::{Camera, Pixel, Vec3, at};

/// Paints shapes onto a canvas as one camera sees them in one light.
pub(super) struct Painter<'a> {
    pub(super) canvas: &'a mut Canvas,
    pub(super) camera: &'a Camera,
    pub(super) light: &'a Light,
}

impl Painter<'_> {
    /// Paints a shape over what is already there.
    pub(super) fn paint(&mut self, shape: &Shape) {
        match shape {
            Shape::Solid(faces) => faces.iter().for_each(|face| self.paint_face(face)),
            Shape::Beam { from, to, thickness, colour } => self.paint_beam(*from, *to, *thickness, *colour),
            Shape::Stacked(storeys) => {
                // Storeys below the eye hide those beneath them, storeys above it those over them.
                let eye = self.camera.position().y;
                let below = storeys.iter().take_while(|storey| storey.bounds()[1].y <= eye).count();
                storeys[..below].iter().for_each(|storey| self.paint(storey));
                storeys[below..].iter().rev().for_each(|storey| self.paint(storey));
            }
            Shape::Beside(shapes) => {
                let mut by_distance: Vec<(f32, &Shape)> =
                    shapes.iter().map(|shape| (self.distance(shape), shape)).collect();
                by_distance.sort_by(|a, b| b.0.total_cmp(&a.0));
                by_distance.into_iter().for_each(|(_, shape)| self.paint(shape));
            }
        }
    }

    /// How far the middle of a shape is from the eye, on the level.
    fn distance(&self, shape: &Shape) -> f32 {
        let [low, high] = shape.bounds();
        let away = low.towards(high, 0.5) - self.camera.position();
        at(away.x, 0.0, away.z).length()
    }

    fn paint_face(&mut self, face: &Face) {
        let normal = face.normal();
        let faces_us = normal.dot(self.camera.position() - face.corners[0]) > 0.0;
        if !faces_us && !face.two_sided {
            return;
        }
        let normal = if faces_us { normal } else { normal * -1.0 };
        let colour = self.seen(face.colour, normal);
        let outline = self.camera.project_polygon(&face.corners);
        self.canvas.fill_sealed(&outline, colour);
        for mark in &face.marks {
            let colour = if mark.glows && self.light.is_night() {
                mark.colour.mixed(LAMP, 0.75)
            } else {
                self.seen(mark.colour, normal)
            };
            let corners: Vec<Vec3> = mark.outline.iter().map(|&share| face.place(share)).collect();
            self.canvas.fill(&self.camera.project_polygon(&corners), colour);
        }
    }

    fn paint_beam(&mut self, from: Vec3, to: Vec3, thickness: f32, colour: Rgb) {
        let along = (to - from).unit();
        let to_eye = (self.camera.position() - from.towards(to, 0.5)).unit();
        // A round bar is lit as the side that it shows us.
        let side = to_eye - along * to_eye.dot(along);
        let colour = self.seen(colour, (side.unit() + self.light.source * 0.6).unit());
        if let [from_pixel, to_pixel] = self.camera.project_polygon(&[from, to])[..] {
            let width = thickness * self.camera.scale(from.towards(to, 0.5));
            self.canvas.line(from_pixel, to_pixel, width, colour);
        }
    }

    fn seen(&self, surface: Rgb, normal: Vec3) -> Rgb {
        self.light.hazed(self.light.shaded(surface, normal), self.light.haze)
    }

    /// Lays the shadow of a shape onto the ground.
    pub(super) fn paint_shadow(&mut self, shape: &Shape) {
        if self.light.shadow() > 0.0 {
            let mut outlines = Vec::new();
            self.collect_shadows(shape, &mut outlines);
            let dark = self.light.ambient * 0.25;
            self.canvas.tint_union(&outlines, dark, self.light.shadow());
        }
    }

    fn collect_shadows(&self, shape: &Shape, outlines: &mut Vec<Vec<Pixel>>) {
        let source = self.light.source;
        let fallen =
            |point: Vec3| at(point.x, 0.0, point.z) + at(source.x, 0.0, source.z) * (-point.y / source.y);
        match shape {
            Shape::Solid(faces) => {
                for face in faces {
                    // The faces towards the sun cast the whole shadow, and all run the same way round.
                    let towards_sun = face.normal().dot(source) > 0.0;
                    if towards_sun || face.two_sided {
                        let mut corners: Vec<Vec3> =
                            face.corners.iter().map(|&corner| fallen(corner)).collect();
                        if !towards_sun {
                            corners.reverse();
                        }
                        outlines.push(self.camera.project_polygon(&corners));
                    }
                }
            }
            Shape::Beam { from, to, thickness, .. } => {
                let (from, to) = (fallen(*from), fallen(*to));
                let along = (to - from).unit();
                let half = at(along.z, 0.0, -along.x) * (thickness / 2.0);
                outlines.push(self.camera.project_polygon(&[from + half, to + half, to - half, from - half]));
            }
            Shape::Stacked(shapes) | Shape::Beside(shapes) => {
                shapes.iter().for_each(|shape| self.collect_shadows(shape, outlines));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::solid::{cuboid, frustum};
    use super::*;
    use crate::dice::Dice;
    use rand::SeedableRng;

    /// The colour in the middle of a canvas that a shape at eye height is painted on, in white light.
    fn middle(shape: &Shape, eye: f32) -> Rgb {
        let mut light = Light::picked(&mut Dice::seed_from_u64(0));
        (light.direct, light.ambient, light.bounce, light.haze) =
            (Rgb::BLACK, Rgb::WHITE * 2.0, Rgb::WHITE, 0.0);
        let camera =
            Camera { eye, distance: 40.0, focal: 100.0, centre: 20.0, horizon: 20.0, mirrored: false };
        let mut canvas = Canvas::new(40, 40);
        Painter { canvas: &mut canvas, camera: &camera, light: &light }.paint(shape);
        canvas.colour_at(20, 20)
    }

    fn block(foot: Vec3, colour: Rgb) -> Shape {
        Shape::Solid(cuboid(foot, at(4.0, 4.0, 4.0), colour))
    }

    const RED: Rgb = Rgb([1.0, 0.0, 0.0]);
    const BLUE: Rgb = Rgb([0.0, 0.0, 1.0]);

    #[test]
    fn the_nearer_of_two_hides_the_farther_in_whatever_order_they_are_given() {
        let (near, far) = (block(at(0.0, 0.0, 8.0), RED), block(at(0.0, 0.0, -8.0), BLUE));
        for shapes in [vec![near.clone(), far.clone()], vec![far, near]] {
            let seen = middle(&Shape::Beside(shapes), 2.0);
            assert!(seen.0[0] > 0.5 && seen.0[2] < 0.1, "{seen:?}");
        }
    }

    #[test]
    fn wide_eaves_hide_the_storey_above_from_below_and_the_wall_beneath_from_above() {
        let wall = |low| Shape::Solid(frustum(4, [2.0, 2.0], [low, low + 4.0], BLUE));
        let eaves = |low| Shape::Solid(frustum(4, [6.0, 6.0], [low, low + 0.5], RED));
        // The line of sight at the eye's height passes through each of them in turn.
        let tower = Shape::Stacked(vec![wall(0.0), eaves(4.0), wall(4.5)]);
        assert!(middle(&tower, 2.0).0[2] > 0.5);
        assert!(middle(&tower, 4.25).0[0] > 0.5);
        assert!(middle(&tower, 6.0).0[2] > 0.5);
    }

    #[test]
    fn a_face_is_seen_from_the_outside_only_unless_it_is_a_sheet() {
        let away = vec![at(3.0, 0.0, 0.0), at(-3.0, 0.0, 0.0), at(-3.0, 4.0, 0.0), at(3.0, 4.0, 0.0)];
        let wall = Face::new(away, RED);
        let sheet = Face { two_sided: true, ..wall.clone() };
        assert_eq!(middle(&Shape::Solid(vec![wall]), 2.0), Rgb::BLACK);
        assert!(middle(&Shape::Solid(vec![sheet]), 2.0).0[0] > 0.5);
    }
}
