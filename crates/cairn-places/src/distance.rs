//! How far two points on the Earth are from each other.

use crate::{Latitude, Longitude, Place};

/// The Earth's mean radius in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0088;

impl Place {
    /// The distance in kilometres from this place to another point, along a great circle: the haversine formula on a
    /// sphere, right to half a percent.
    pub fn distance_km(&self, latitude: Latitude, longitude: Longitude) -> f64 {
        let [here, there] = [self.latitude, latitude].map(|latitude| latitude.degrees().to_radians());
        let east = (longitude.degrees() - self.longitude.degrees()).to_radians();
        let half = |angle: f64| (angle / 2.0).sin().powi(2);
        let haversine = half(there - here) + here.cos() * there.cos() * half(east);
        2.0 * EARTH_RADIUS_KM * haversine.clamp(0.0, 1.0).sqrt().asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Gazetteer;

    fn at(latitude: f64, longitude: f64) -> (Latitude, Longitude) {
        (Latitude::try_from(latitude).unwrap(), Longitude::try_from(longitude).unwrap())
    }

    #[test]
    fn distances_agree_with_published_ones_and_the_shortest_way_round_is_taken() {
        let place = |latitude: f64, longitude: f64| Place {
            latitude: Latitude::try_from(latitude).unwrap(),
            longitude: Longitude::try_from(longitude).unwrap(),
            ..Gazetteer::builtin().find("Eiffel Tower").unwrap().clone()
        };
        let quarter = EARTH_RADIUS_KM * std::f64::consts::FRAC_PI_2;
        for (from, to, expected) in [
            // From Nashville's airport to that of Los Angeles, the usual example of the formula: 2,886.4 km (radius 6,371).
            ((36.12, -86.67), (33.94, -118.40), 2886.45),
            ((0.0, 0.0), (90.0, 0.0), quarter),
            ((0.0, 0.0), (0.0, 180.0), 2.0 * quarter),
            // Across the date line.
            ((0.0, 179.5), (0.0, -179.5), quarter / 90.0),
            ((48.8584, 2.2945), (48.8584, 2.2945), 0.0),
        ] {
            let (latitude, longitude) = at(to.0, to.1);
            let found = place(from.0, from.1).distance_km(latitude, longitude);
            assert!((found - expected).abs() < 0.1, "{from:?} {to:?}: {found}, not {expected}");
        }
    }
}
