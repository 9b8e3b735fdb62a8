//! The made-up landmarks themselves: one builder a kind, each with proportions of its own choosing.

mod arch_bridge;
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

use super::colour::Palette;
use super::solid::Shape;
use super::{Dice, Kind};

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
    /// Builds one of a kind, with proportions by the dice.
    pub(super) fn built(kind: Kind, palette: &Palette, dice: &mut Dice) -> Landmark {
        match kind {
            Kind::Pyramid => pyramid::build(palette, dice),
            Kind::LatticeTower => lattice_tower::build(palette, dice),
            Kind::ArchBridge => arch_bridge::build(palette, dice),
            Kind::Dome => dome::build(palette, dice),
            Kind::ColumnedTemple => columned_temple::build(palette, dice),
            Kind::StoneCircle => stone_circle::build(palette, dice),
            Kind::SuspensionBridge => suspension_bridge::build(palette, dice),
            Kind::LeaningTower => leaning_tower::build(palette, dice),
            Kind::Lighthouse => lighthouse::build(palette, dice),
            Kind::Castle => castle::build(palette, dice),
            Kind::Pagoda => pagoda::build(palette, dice),
            Kind::Windmill => windmill::build(palette, dice),
        }
    }

    /// One that stands alone on land.
    fn standing(body: Shape) -> Landmark {
        Landmark { body, surroundings: Shape::Beside(Vec::new()), spans_water: false }
    }
}
