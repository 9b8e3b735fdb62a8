//! The world as a map that needs no other host: outlines of land, their projection, and GeoJSON.

pub mod geojson;
mod land;
mod projection;

pub use land::LAND;
pub use projection::{HEIGHT, MapPoint, NORTH, WIDTH};
