//! The little world that a photo is taken of, and the camera that takes it.
//!
//! Lengths are metres. `x` runs to the right, `y` up from the ground, `z` towards the camera; the landmark
//! stands at the origin.

use std::ops::{Add, Mul, Sub};

/// A place or a direction in the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Vec3 {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) z: f32,
}

/// Shorthand for a [`Vec3`]: the builders of landmarks write many of them.
pub(super) const fn at(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

impl Add for Vec3 {
    type Output = Vec3;
    fn add(self, other: Vec3) -> Vec3 {
        at(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl Sub for Vec3 {
    type Output = Vec3;
    fn sub(self, other: Vec3) -> Vec3 {
        at(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Vec3;
    fn mul(self, factor: f32) -> Vec3 {
        at(self.x * factor, self.y * factor, self.z * factor)
    }
}

impl Vec3 {
    pub(super) fn dot(self, other: Vec3) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub(super) fn cross(self, other: Vec3) -> Vec3 {
        at(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    pub(super) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// The same direction with length 1; the zero vector stays zero.
    pub(super) fn unit(self) -> Vec3 {
        self * (1.0 / self.length().max(1e-12))
    }

    /// The point `share` of the way from here to `other`.
    pub(super) fn towards(self, other: Vec3, share: f32) -> Vec3 {
        self + (other - self) * share
    }

    /// Turned about the vertical axis through the origin.
    pub(super) fn turned(self, radians: f32) -> Vec3 {
        let (sin, cos) = radians.sin_cos();
        at(self.x * cos + self.z * sin, self.y, self.z * cos - self.x * sin)
    }
}

/// A place on the canvas in pixels, `y` downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pixel {
    pub(super) x: f32,
    pub(super) y: f32,
}

/// A pinhole camera that looks along `-z`, held level: uprights stay upright, and the horizon lies at the
/// height of the eye.
#[derive(Clone, Debug)]
pub(super) struct Camera {
    /// Height of the eye above the ground.
    pub(super) eye: f32,
    /// From the eye to the landmark's foot, along `z`.
    pub(super) distance: f32,
    /// Pixels per unit of tangent.
    pub(super) focal: f32,
    /// Column of the canvas that the camera looks along.
    pub(super) centre: f32,
    /// Row of the horizon.
    pub(super) horizon: f32,
    /// Whether it sees the world's mirror image in still water at height 0.
    pub(super) mirrored: bool,
}

/// Nothing nearer than this is drawn.
const NEAR: f32 = 0.5;

impl Camera {
    /// The same camera looking at the reflection in still water.
    pub(super) fn mirrored(&self) -> Camera {
        Camera { mirrored: true, ..self.clone() }
    }

    /// Where the eye stands in the world, or seems to stand when it looks into the mirror.
    pub(super) fn position(&self) -> Vec3 {
        at(0.0, if self.mirrored { -self.eye } else { self.eye }, self.distance)
    }

    /// How far in front of the eye a place lies, along the line of sight.
    pub(super) fn depth(&self, place: Vec3) -> f32 {
        self.distance - place.z
    }

    /// Pixels per metre at a place in front of the eye.
    pub(super) fn scale(&self, place: Vec3) -> f32 {
        self.focal / self.depth(place).max(NEAR)
    }

    /// Where a place in front of the eye appears.
    pub(super) fn project(&self, place: Vec3) -> Pixel {
        let scale = self.scale(place);
        let height = if self.mirrored { -place.y } else { place.y };
        Pixel { x: self.centre + place.x * scale, y: self.horizon - (height - self.eye) * scale }
    }

    /// The outline of a polygon as it appears, cut off where it passes the eye.
    pub(super) fn project_polygon(&self, corners: &[Vec3]) -> Vec<Pixel> {
        if corners.iter().all(|&corner| self.depth(corner) >= NEAR) {
            return corners.iter().map(|&corner| self.project(corner)).collect();
        }
        let mut outline = Vec::with_capacity(corners.len() + 2);
        for (index, &from) in corners.iter().enumerate() {
            let to = corners[(index + 1) % corners.len()];
            let (here, there) = (self.depth(from) - NEAR, self.depth(to) - NEAR);
            if here >= 0.0 {
                outline.push(self.project(from));
            }
            if (here >= 0.0) != (there >= 0.0) {
                outline.push(self.project(from.towards(to, here / (here - there))));
            }
        }
        outline
    }

    /// The place on the ground that appears at a pixel below the horizon; `None` at the horizon and above.
    pub(super) fn ground_at(&self, pixel: Pixel) -> Option<Vec3> {
        let below = pixel.y - self.horizon;
        if below <= 0.25 {
            return None;
        }
        let depth = self.focal * self.eye / below;
        Some(at((pixel.x - self.centre) * depth / self.focal, 0.0, self.distance - depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Camera {
        Camera { eye: 5.0, distance: 60.0, focal: 300.0, centre: 80.0, horizon: 50.0, mirrored: false }
    }

    #[test]
    fn the_ground_seen_at_a_pixel_projects_back_onto_it() {
        for (x, y) in [(0.0, 60.0), (80.0, 51.0), (150.0, 119.0)] {
            let place = camera().ground_at(Pixel { x, y }).unwrap();
            let back = camera().project(place);
            assert!((back.x - x).abs() < 1e-2 && (back.y - y).abs() < 1e-2, "{back:?} is not {x}, {y}");
        }
        assert_eq!(camera().ground_at(Pixel { x: 80.0, y: 50.0 }), None);
    }

    #[test]
    fn what_is_as_high_as_the_eye_lies_on_the_horizon() {
        for z in [-500.0, 0.0, 40.0] {
            assert!((camera().project(at(3.0, 5.0, z)).y - 50.0).abs() < 1e-3);
        }
    }

    #[test]
    fn the_mirror_shows_things_as_far_below_the_water_as_they_are_above_it() {
        let above = camera().mirrored().project(at(4.0, 7.0, 1.0));
        let below = camera().project(at(4.0, -7.0, 1.0));
        assert_eq!(above, below);
    }

    #[test]
    fn a_road_that_runs_past_the_eye_is_cut_off_in_front_of_it() {
        let road = [at(-2.0, 0.0, -10.0), at(2.0, 0.0, -10.0), at(2.0, 0.0, 200.0), at(-2.0, 0.0, 200.0)];
        let seen = camera().project_polygon(&road);
        assert_eq!(seen.len(), 4);
        assert!(seen.iter().all(|corner| corner.y > 50.0 && corner.y.is_finite()), "{seen:?}");
        let behind = road.map(|corner| corner + at(0.0, 0.0, 300.0));
        assert!(camera().project_polygon(&behind).is_empty());
    }
}
