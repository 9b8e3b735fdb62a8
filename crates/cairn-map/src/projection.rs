//! The projection that the map is drawn in.

use cairn_places::Place;

/// The map's width: tenths of a degree of longitude, from 180 W on.
pub const WIDTH: f64 = 3600.0;
/// Where what is worth showing begins: 82 N.
pub const NORTH: f64 = 215.0;
/// From there to 57 S.
pub const HEIGHT: f64 = 1750.0;

/// A point of the map: east and south of 180 W, 90 N in tenths of a degree at the equator, by Miller's projection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapPoint {
    /// To the east.
    pub x: f64,
    /// To the south.
    pub y: f64,
}

impl MapPoint {
    /// The point of these degrees north and east.
    pub fn of(latitude: f64, longitude: f64) -> Self {
        Self { x: tenth((longitude + 180.0) * 10.0), y: tenth((height(90.0) - height(latitude)) * 10.0) }
    }

    /// Where a place is.
    pub fn of_place(place: &Place) -> Self {
        Self::of(place.latitude.degrees(), place.longitude.degrees())
    }
}

/// Miller's cylindrical projection (Miller 1942): Mercator's of four fifths of the latitude, stretched back.
fn height(latitude: f64) -> f64 {
    let angle = std::f64::consts::FRAC_PI_4 + 0.4 * latitude.to_radians();
    (1.25 * angle.tan().ln()).to_degrees()
}

/// Rounded to what can be seen.
fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LAND;

    /// Whether the point is on land: the even-odd rule over all outlines.
    fn is_land(point: MapPoint) -> bool {
        let mut inside = false;
        for ring in LAND.trim_end().trim_end_matches('z').split("z") {
            let points = points(ring);
            for (a, b) in points.iter().zip(points.iter().cycle().skip(1)) {
                let crosses = (a.1 > point.y) != (b.1 > point.y);
                if crosses && point.x < (b.0 - a.0) * (point.y - a.1) / (b.1 - a.1) + a.0 {
                    inside = !inside;
                }
            }
        }
        inside
    }

    /// The corners of an outline such as `M10,20l3-4 5,6`.
    fn points(ring: &str) -> Vec<(f64, f64)> {
        let (start, steps) = ring.trim_start_matches('M').split_once('l').unwrap();
        let numbers = |text: &str| -> Vec<f64> {
            let spaced = text.replace('-', " -").replace(',', " ");
            spaced.split_whitespace().map(|number| number.parse().unwrap()).collect()
        };
        let start = numbers(start);
        let mut points = vec![(start[0], start[1])];
        for step in numbers(steps).chunks_exact(2) {
            let (x, y) = points[points.len() - 1];
            points.push((x + step[0], y + step[1]));
        }
        points
    }

    #[test]
    fn cities_are_on_land_and_the_middles_of_oceans_are_not() {
        for (name, latitude, longitude, land) in [
            ("Madrid", 40.4, -3.7, true),
            ("Nairobi", -1.3, 36.8, true),
            ("Denver", 39.7, -105.0, true),
            ("Alice Springs", -23.7, 133.9, true),
            ("Brasilia", -15.8, -47.9, true),
            ("Ulan Bator", 47.9, 106.9, true),
            ("Anadyr, near 180 degrees", 64.7, 177.3, true),
            ("Atlantic", 30.0, -40.0, false),
            ("Pacific", 0.0, -150.0, false),
            ("Indian Ocean", -20.0, 80.0, false),
            ("Mediterranean", 34.0, 18.0, false),
        ] {
            assert_eq!(is_land(MapPoint::of(latitude, longitude)), land, "{name}");
        }
    }

    #[test]
    fn the_projection_is_millers() {
        // Snyder, Map Projections: A Working Manual (1987), p. 89: at 50 N y is 0.9536371 of the Earth's radius.
        let found = height(50.0).to_radians();
        assert!((found - 0.953_637_1).abs() < 1e-6, "{found}");
        assert_eq!(MapPoint::of(0.0, 0.0).x, WIDTH / 2.0);
    }
}
