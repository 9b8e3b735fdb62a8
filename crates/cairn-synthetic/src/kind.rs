//! The kinds of made-up landmarks.

use std::fmt;

/// A kind of made-up landmark: a class of the drawn data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Pyramid,
    LatticeTower,
    ArchBridge,
    Dome,
    ColumnedTemple,
    StoneCircle,
    SuspensionBridge,
    LeaningTower,
    Lighthouse,
    Castle,
    Pagoda,
    Windmill,
}

impl Kind {
    /// Every kind, in the order of their class folders.
    pub const ALL: [Kind; 12] = [
        Kind::Pyramid,
        Kind::LatticeTower,
        Kind::ArchBridge,
        Kind::Dome,
        Kind::ColumnedTemple,
        Kind::StoneCircle,
        Kind::SuspensionBridge,
        Kind::LeaningTower,
        Kind::Lighthouse,
        Kind::Castle,
        Kind::Pagoda,
        Kind::Windmill,
    ];

    /// The display name, such as "Lattice Tower".
    pub fn name(self) -> &'static str {
        match self {
            Kind::Pyramid => "Pyramid",
            Kind::LatticeTower => "Lattice Tower",
            Kind::ArchBridge => "Arch Bridge",
            Kind::Dome => "Dome",
            Kind::ColumnedTemple => "Columned Temple",
            Kind::StoneCircle => "Stone Circle",
            Kind::SuspensionBridge => "Suspension Bridge",
            Kind::LeaningTower => "Leaning Tower",
            Kind::Lighthouse => "Lighthouse",
            Kind::Castle => "Castle",
            Kind::Pagoda => "Pagoda",
            Kind::Windmill => "Windmill",
        }
    }

    /// The class folder, such as "01.Lattice_Tower".
    pub fn folder(self) -> String {
        format!("{:02}.{}", self as usize, self.name().replace(' ', "_"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
