//! Degrees of latitude and longitude.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Degrees north of the equator in WGS 84, in `[-90, 90]`. Prints as `48.8584 N`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Latitude(f64);

/// Degrees east of Greenwich in WGS 84, in `[-180, 180]`. Prints as `2.2945 E`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Longitude(f64);

impl Latitude {
    /// The number of degrees, negative in the south.
    pub const fn degrees(self) -> f64 {
        self.0
    }
}

impl Longitude {
    /// The number of degrees, negative in the west.
    pub const fn degrees(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Latitude {
    type Error = String;

    fn try_from(degrees: f64) -> Result<Self, String> {
        if (-90.0..=90.0).contains(&degrees) {
            Ok(Self(degrees))
        } else {
            Err(format!("a latitude is a number of degrees from -90 (south) to 90 (north), not {degrees}"))
        }
    }
}

impl TryFrom<f64> for Longitude {
    type Error = String;

    fn try_from(degrees: f64) -> Result<Self, String> {
        if (-180.0..=180.0).contains(&degrees) {
            Ok(Self(degrees))
        } else {
            Err(format!("a longitude is a number of degrees from -180 (west) to 180 (east), not {degrees}"))
        }
    }
}

impl From<Latitude> for f64 {
    fn from(latitude: Latitude) -> f64 {
        latitude.0
    }
}

impl From<Longitude> for f64 {
    fn from(longitude: Longitude) -> f64 {
        longitude.0
    }
}

impl fmt::Display for Latitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4} {}", self.0.abs(), if self.0 < 0.0 { 'S' } else { 'N' })
    }
}

impl fmt::Display for Longitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4} {}", self.0.abs(), if self.0 < 0.0 { 'W' } else { 'E' })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_print_with_four_decimals_and_the_side_they_lie_on() {
        let latitude = |degrees| Latitude::try_from(degrees).unwrap().to_string();
        let longitude = |degrees| Longitude::try_from(degrees).unwrap().to_string();
        assert_eq!(latitude(48.8584), "48.8584 N");
        assert_eq!(latitude(-33.85), "33.8500 S");
        assert_eq!(longitude(2.2945), "2.2945 E");
        assert_eq!(longitude(-122.47861), "122.4786 W");
        assert_eq!((latitude(0.0), longitude(0.0)), ("0.0000 N".to_owned(), "0.0000 E".to_owned()));
    }

    #[test]
    fn degrees_that_are_nowhere_on_earth_are_refused() {
        for degrees in [90.1, -90.1, f64::NAN, f64::INFINITY] {
            assert!(Latitude::try_from(degrees).is_err(), "{degrees}");
        }
        for degrees in [180.1, -180.1, f64::NAN, f64::NEG_INFINITY] {
            assert!(Longitude::try_from(degrees).is_err(), "{degrees}");
        }
        assert!(Latitude::try_from(-90.0).is_ok() && Longitude::try_from(180.0).is_ok());
    }
}
