//! From a kind to one of its kind.

use super::{
    Landmark, arch_bridge, castle, columned_temple, dome, lattice_tower, leaning_tower, lighthouse, pagoda,
    pyramid, stone_circle, suspension_bridge, windmill,
};
use crate::colour::Palette;
use crate::dice::Dice;
use crate::kind::Kind;

impl Landmark {
    /// Builds one of a kind, with proportions by the dice.
    pub(crate) fn built(kind: Kind, palette: &Palette, dice: &mut Dice) -> Landmark {
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
}
