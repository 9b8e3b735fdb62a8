//! The made-up landmarks themselves: one builder a kind, each with proportions of its own choosing.

mod arch_bridge;
mod built;
mod castle;
mod columned_temple;
mod dome;
mod lattice_tower;
mod leaning_tower;
mod lighthouse;
mod pagoda;
mod pyramid;
mod stone_circle;
mod suspension_bridge;
mod windmill;

use super::solid::Shape;

/// A landmark in the world, its foot around the origin.
#[derive(Clone, Debug)]
pub(super) struct Landmark {
    /// What must be in the picture.
    pub(super) body: Shape,
    /// What belongs to it but may run out of the picture: the road that a bridge carries.
    pub(super) surroundings: Shape,
    /// Whether water may run through beneath it.
    pub(super) spans_water: bool,
}

impl Landmark {
    /// One that stands alone on land.
    fn standing(body: Shape) -> Landmark {
        Landmark { body, surroundings: Shape::Beside(Vec::new()), spans_water: false }
    }
}
