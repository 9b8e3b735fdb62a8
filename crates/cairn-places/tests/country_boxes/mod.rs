//! Boxes around countries.

use cairn_places::{Latitude, Longitude};

/// A box in degrees that holds a country, with its islands where they are part of the usual map.
pub(crate) struct CountryBox {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
}

impl CountryBox {
    /// Whether a point lies in the box.
    pub(crate) fn holds(&self, latitude: Latitude, longitude: Longitude) -> bool {
        (self.south..=self.north).contains(&latitude.degrees())
            && (self.west..=self.east).contains(&longitude.degrees())
    }
}

/// The extreme points of the countries that have a built-in place, rounded outward to half degrees; the codes are
/// those of ISO 3166-1. Far-off parts are left out: French Guiana, Svalbard, the Aleutian Islands beyond 180 degrees.
const BOXES: &[(&str, [f64; 4])] = &[
    //      south   west    north  east
    ("AE", [22.5, 51.0, 26.5, 56.5]),
    ("AT", [46.0, 9.5, 49.5, 17.5]),
    ("AU", [-44.0, 112.5, -9.0, 154.0]),
    ("BD", [20.5, 88.0, 27.0, 93.0]),
    ("BE", [49.0, 2.5, 52.0, 6.5]),
    ("BR", [-34.0, -74.0, 5.5, -34.5]),
    ("CA", [41.5, -141.5, 83.5, -52.5]),
    ("CH", [45.5, 5.5, 48.0, 10.5]),
    ("CN", [18.0, 73.0, 54.0, 135.5]),
    ("CZ", [48.5, 12.0, 51.5, 19.0]),
    ("DE", [47.0, 5.5, 55.5, 15.5]),
    ("EG", [21.5, 24.5, 32.0, 37.0]),
    ("ES", [35.5, -9.5, 44.0, 4.5]),
    ("FR", [41.0, -5.5, 51.5, 10.0]),
    ("GB", [49.5, -9.0, 61.0, 2.0]),
    ("GR", [34.5, 19.0, 42.0, 30.0]),
    ("IL", [29.0, 34.0, 33.5, 36.0]),
    ("IN", [6.5, 68.0, 36.0, 97.5]),
    ("IS", [63.0, -25.0, 67.0, -13.0]),
    ("IT", [35.0, 6.5, 47.5, 19.0]),
    ("JO", [29.0, 34.5, 33.5, 39.5]),
    ("JP", [24.0, 122.5, 46.0, 154.0]),
    ("KH", [9.5, 102.0, 15.0, 108.0]),
    ("KR", [33.0, 124.5, 39.0, 132.0]),
    ("LK", [5.5, 79.5, 10.0, 82.0]),
    ("MX", [14.5, -118.5, 33.0, -86.5]),
    ("MY", [0.5, 99.5, 7.5, 119.5]),
    ("NP", [26.0, 80.0, 30.5, 88.5]),
    ("PE", [-18.5, -81.5, 0.0, -68.5]),
    ("PK", [23.5, 60.5, 37.5, 78.0]),
    ("PL", [49.0, 14.0, 55.0, 24.5]),
    ("PS", [31.0, 34.0, 33.0, 36.0]),
    ("PT", [36.5, -10.0, 42.5, -6.0]),
    ("RU", [41.0, 19.5, 82.0, 180.0]),
    ("SE", [55.0, 10.5, 69.5, 24.5]),
    ("SI", [45.0, 13.0, 47.0, 17.0]),
    ("TR", [35.5, 25.5, 42.5, 45.0]),
    ("US", [18.5, -180.0, 71.5, -66.5]),
    ("VE", [0.5, -73.5, 12.5, -59.5]),
    ("VN", [8.0, 102.0, 23.5, 110.0]),
];

/// The box around the country of this code.
pub(crate) fn of(country_code: &str) -> Option<CountryBox> {
    let &(_, [south, west, north, east]) = BOXES.iter().find(|(code, _)| *code == country_code)?;
    Some(CountryBox { south, west, north, east })
}
