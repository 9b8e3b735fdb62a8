//! What landmarks are built from: flat faces and thin beams, put together into shapes that know in what order
//! they hide one another.

use super::colour::Rgb;
use super::dice::Dice;
use super::space::{Vec3, at};
use rand::RngExt;
use std::f32::consts::TAU;

/// A flat piece of surface.
#[derive(Clone, Debug)]
pub(super) struct Face {
    /// Counter-clockwise when seen from outside. A face with marks has four, beginning bottom left.
    pub(super) corners: Vec<Vec3>,
    pub(super) colour: Rgb,
    /// Painted onto it: windows, arches, courses of stone.
    pub(super) marks: Vec<Mark>,
    /// Seen from behind too, such as a sail or a flag.
    pub(super) two_sided: bool,
}

/// A patch painted onto a four-cornered face.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// Corners as shares of the face's width from the left and height from the bottom.
    pub(super) outline: Vec<[f32; 2]>,
    pub(super) colour: Rgb,
    /// Whether there is a lamp behind it at night.
    pub(super) glows: bool,
}

/// A shape: solids, and how they stand to one another.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// A convex body, or faces in an order in which none hides an earlier one wrongly.
    Solid(Vec<Face>),
    /// A thin straight bar, such as a girder or a cable.
    Beam { from: Vec3, to: Vec3, thickness: f32, colour: Rgb },
    /// One on top of the other, lowest first; each could be cut from the next by a level plane.
    Stacked(Vec<Shape>),
    /// Next to one another.
    Beside(Vec<Shape>),
}

impl Face {
    pub(super) fn new(corners: impl Into<Vec<Vec3>>, colour: Rgb) -> Face {
        Face { corners: corners.into(), colour, marks: Vec::new(), two_sided: false }
    }

    /// The outward normal, of length 1.
    pub(super) fn normal(&self) -> Vec3 {
        // Newell's sum over the edges: also right where two corners coincide, as at the tip of a pyramid.
        let mut sum = at(0.0, 0.0, 0.0);
        for (index, &from) in self.corners.iter().enumerate() {
            sum = sum + from.cross(self.corners[(index + 1) % self.corners.len()]);
        }
        sum.unit()
    }

    /// Where a share of the way right and up lies on a four-cornered face.
    pub(super) fn place(&self, [right, up]: [f32; 2]) -> Vec3 {
        let bottom = self.corners[0].towards(self.corners[1], right);
        let top = self.corners[3].towards(self.corners[2], right);
        bottom.towards(top, up)
    }

    /// Adds a grid of openings that fill `share` of their cells' width and height, round-headed or square.
    pub(super) fn openings(&mut self, columns: u32, rows: u32, share: [f32; 2], arched: bool, colour: Rgb) {
        for row in 0..rows {
            for column in 0..columns {
                let cell = [1.0 / columns as f32, 1.0 / rows as f32];
                let centre = [(column as f32 + 0.5) * cell[0], (row as f32 + 0.5) * cell[1]];
                let half = [cell[0] * share[0] / 2.0, cell[1] * share[1] / 2.0];
                self.opening(centre, half, arched, colour);
            }
        }
    }

    /// Adds one opening about `centre`.
    pub(super) fn opening(&mut self, centre: [f32; 2], half: [f32; 2], arched: bool, colour: Rgb) {
        let ([x, y], [right, up]) = (centre, half);
        let mut outline = vec![[x - right, y - up], [x + right, y - up]];
        if arched {
            outline.extend((0..=6).map(|step| {
                let (sin, cos) = (step as f32 / 12.0 * TAU).sin_cos();
                [x + right * cos, y + up * 0.4 + up * 0.6 * sin]
            }));
        } else {
            outline.extend([[x + right, y + up], [x - right, y + up]]);
        }
        self.marks.push(Mark { outline, colour, glows: true });
    }

    /// Adds single stones here and there, lighter or darker than the rest of the wall.
    pub(super) fn masonry(&mut self, courses: u32, dice: &mut Dice) {
        let rise = 1.0 / courses as f32;
        for course in 0..courses {
            for _ in 0..3 {
                let left = dice.random_range(0.0..0.9);
                let right = left + dice.random_range(0.4..1.2) * rise.min(0.08);
                let (low, high) = (course as f32 * rise, (course as f32 + 0.85) * rise);
                let outline = vec![[left, low], [right, low], [right, high], [left, high]];
                let colour = self.colour * dice.random_range(0.86..1.07);
                self.marks.push(Mark { outline, colour, glows: false });
            }
        }
    }

    /// Adds level bands, `rows` to the face's height, each `share` of its row.
    pub(super) fn bands(&mut self, rows: u32, share: f32, colour: Rgb) {
        for row in 0..rows {
            let (low, high) = (row as f32 / rows as f32, (row as f32 + share) / rows as f32);
            let outline = vec![[0.0, low], [1.0, low], [1.0, high], [0.0, high]];
            self.marks.push(Mark { outline, colour, glows: false });
        }
    }
}

/// The corners of a regular polygon at a height, counter-clockwise seen from above; with four sides and no turn
/// its first side faces the camera, and `radius` is half the side of that square.
fn ring(sides: u32, radius: f32, height: f32) -> Vec<Vec3> {
    // Few sides: the radius is that of the inscribed circle, so that a box is as wide as it says.
    let corner = radius / (TAU / 2.0 / sides as f32).cos();
    (0..sides)
        .map(|side| {
            let angle = (side as f32 - 0.5) / sides as f32 * TAU;
            at(corner * angle.sin(), height, corner * angle.cos())
        })
        .collect()
}

/// A body with a regular polygon for a ground plan, between two heights, with a radius at each.
///
/// Four sides make a box or pyramid, many a cylinder or cone. The side faces come first, the one towards the
/// camera before all, then the top.
pub(super) fn frustum(sides: u32, radii: [f32; 2], heights: [f32; 2], colour: Rgb) -> Vec<Face> {
    let (low, high) = (ring(sides, radii[0], heights[0]), ring(sides, radii[1], heights[1]));
    let mut faces: Vec<Face> = (0..sides as usize)
        .map(|side| {
            let next = (side + 1) % sides as usize;
            Face::new([low[side], low[next], high[next], high[side]], colour)
        })
        .collect();
    faces.push(Face::new(high, colour));
    faces.push(Face::new(low.into_iter().rev().collect::<Vec<_>>(), colour));
    faces
}

/// A box that stands on `foot` (the centre of its underside) with these sizes along x, y and z.
///
/// Faces: front, right, back, left, top, underside.
pub(super) fn cuboid(foot: Vec3, size: Vec3, colour: Rgb) -> Vec<Face> {
    frustum(4, [0.5, 0.5], [0.0, 1.0], colour)
        .into_iter()
        .map(|mut face| {
            for corner in &mut face.corners {
                *corner = foot + at(corner.x * size.x, corner.y * size.y, corner.z * size.z);
            }
            face
        })
        .collect()
}

/// A turned body: frustums stacked along a profile of (radius, height), lowest first.
pub(super) fn lathe(sides: u32, profile: &[[f32; 2]], colour: Rgb) -> Shape {
    Shape::Stacked(
        profile
            .windows(2)
            .map(|pair| {
                Shape::Solid(frustum(sides, [pair[0][0], pair[1][0]], [pair[0][1], pair[1][1]], colour))
            })
            .collect(),
    )
}

impl Shape {
    /// Every point moved by a rule that keeps flat faces flat, or nearly.
    pub(super) fn mapped(mut self, rule: &impl Fn(Vec3) -> Vec3) -> Shape {
        self.map_in_place(rule);
        self
    }

    fn map_in_place(&mut self, rule: &impl Fn(Vec3) -> Vec3) {
        match self {
            Shape::Solid(faces) => {
                for corner in faces.iter_mut().flat_map(|face| &mut face.corners) {
                    *corner = rule(*corner);
                }
            }
            Shape::Beam { from, to, .. } => {
                *from = rule(*from);
                *to = rule(*to);
            }
            Shape::Stacked(shapes) | Shape::Beside(shapes) => {
                shapes.iter_mut().for_each(|shape| shape.map_in_place(rule));
            }
        }
    }

    pub(super) fn moved(self, by: Vec3) -> Shape {
        self.mapped(&|point| point + by)
    }

    pub(super) fn turned(self, radians: f32) -> Shape {
        self.mapped(&|point| point.turned(radians))
    }

    /// Calls `visit` with every corner and end.
    pub(super) fn for_each_point(&self, visit: &mut impl FnMut(Vec3)) {
        match self {
            Shape::Solid(faces) => {
                faces.iter().flat_map(|face| &face.corners).for_each(|&corner| visit(corner));
            }
            Shape::Beam { from, to, .. } => {
                visit(*from);
                visit(*to);
            }
            Shape::Stacked(shapes) | Shape::Beside(shapes) => {
                shapes.iter().for_each(|shape| shape.for_each_point(visit));
            }
        }
    }

    /// The smallest level box around it: its least and greatest corner.
    pub(super) fn bounds(&self) -> [Vec3; 2] {
        let mut low = at(f32::MAX, f32::MAX, f32::MAX);
        let mut high = low * -1.0;
        self.for_each_point(&mut |point| {
            low = at(low.x.min(point.x), low.y.min(point.y), low.z.min(point.z));
            high = at(high.x.max(point.x), high.y.max(point.y), high.z.max(point.z));
        });
        [low, high]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faces_of_a_body_look_outwards() {
        for sides in [4, 8, 20] {
            let body = frustum(sides, [3.0, 1.0], [0.0, 2.0], Rgb::WHITE);
            let middle = at(0.0, 1.0, 0.0);
            for face in &body {
                assert!(face.normal().dot(face.corners[0] - middle) > 0.0, "{face:?}");
            }
        }
    }

    #[test]
    fn a_box_is_as_large_as_it_says_and_its_first_face_is_the_front() {
        let faces = cuboid(at(1.0, 2.0, 3.0), at(4.0, 6.0, 8.0), Rgb::WHITE);
        let front = faces[0].normal();
        assert!((front.z - 1.0).abs() < 1e-5, "{front:?}");
        let [low, high] = Shape::Solid(faces).bounds();
        assert!((low - at(-1.0, 2.0, -1.0)).length() < 1e-4, "{low:?}");
        assert!((high - at(3.0, 8.0, 7.0)).length() < 1e-4, "{high:?}");
    }

    #[test]
    fn a_mark_lies_on_its_face_even_where_the_face_ends_in_a_point() {
        let pyramid = frustum(4, [1.0, 0.0], [0.0, 1.0], Rgb::WHITE);
        let face = &pyramid[0];
        let off = (face.place([0.3, 0.6]) - face.corners[0]).dot(face.normal());
        assert!(off.abs() < 1e-5, "{off} off the face");
    }
}
