//! What the photos before and after say about a mark.

use super::FileId;
use super::words::words;

/// What the trip says about a landmark in a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// No photo with a known place is near enough in time.
    Unknown,
    /// The camera, or another one nearby, was there at about that time.
    Supported,
    /// The camera could have been there.
    Possible,
    /// Nothing travels so fast: the landmark is never marked unless a person confirms it.
    Impossible,
    /// The photo's own position is within sight of the landmark.
    InSight,
    /// The photo's own position is out of sight of the landmark: a wrong position, a replica, or a picture of a picture.
    Conflict,
}

words!(Verdict, "verdict of the context" {
    Unknown = "unknown",
    Supported = "supported",
    Possible = "possible",
    Impossible = "impossible",
    InSight = "in sight",
    Conflict = "conflict",
});

/// What the trip says about a landmark in a photo, and by which neighbour.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextRow {
    /// The photo.
    pub file: FileId,
    /// The landmark.
    pub landmark: String,
    /// The photo whose position decides.
    pub neighbour: Option<FileId>,
    /// Seconds between the two; negative where the neighbour is earlier.
    pub seconds: Option<i64>,
    /// From the neighbour, or the photo itself, to the landmark.
    pub distance_km: Option<f64>,
    /// The speed that it would take to have been at both.
    pub speed_kmh: Option<f64>,
    /// Other photos of the same trip that show the same landmark; a burst counts once.
    pub agreeing: u32,
    /// The sum of the log likelihood ratios of the two surest.
    pub agreement: f64,
    /// What follows.
    pub verdict: Verdict,
}
