//! The drawn data set: photos of made-up landmarks, so that everything works with no downloads.
//!
//! Each photo is a little world of its own: a landmark is built from flat faces and beams with proportions of
//! its own, a camera is put somewhere in front of it, the faces are lit by the hour and the weather and painted
//! from the farthest to the nearest, things stand around and partly before it, and the picture goes through a
//! lens that is not perfect. Sky, ground, materials and clutter are drawn from the same lists for every kind,
//! so that only shape tells the kinds apart.

mod backdrop;
mod canvas;
mod clutter;
mod colour;
mod ground;
mod landmark;
mod lens;
mod light;
mod noise;
mod paint;
mod scene;
mod set;
mod sky;
mod solid;
mod space;

pub use set::{DrawnSet, DrawnSetError, Outcome};

use cairn_photo::Photo;
use chacha20::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::fmt;

/// What every choice in a photo is made with.
type Dice = ChaCha8Rng;

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

/// Draws the photo of one made-up landmark; `side` is its longer side in pixels.
///
/// It is landscape (4:3), portrait (3:4) or square. Kind and seed decide everything in it: the same ones give
/// the same pixels, on every machine whose sine and cosine round alike.
///
/// # Panics
/// If `side` is zero or so large that the picture does not fit in memory.
pub fn draw(kind: Kind, seed: u64, side: u32) -> Photo {
    assert!(side > 0, "a photo has at least one pixel");
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"cairn drawn photo").update(kind.name().as_bytes()).update(&seed.to_le_bytes());
    let mut dice = Dice::from_seed(hasher.finalize().into());
    let shorter = (side * 3).div_ceil(4);
    let (width, height) = match dice.random_range(0..5) {
        0..3 => (side, shorter),
        3 => (shorter, side),
        _ => (side, side),
    };
    scene::photograph(kind, width, height, &mut dice)
}
