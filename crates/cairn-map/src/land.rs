//! The outlines of land.

/// The land of the world as the data of one SVG path, in the units of [`MapPoint`](crate::MapPoint): Natural Earth's outlines,
/// which are in the public domain, without Antarctica. `land/land.py` writes them.
pub const LAND: &str = include_str!("../land/land.path");
