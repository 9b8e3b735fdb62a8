//! A map of the world in the page itself.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::outlines::LAND;

/// A dot on the map.
#[derive(Clone, Debug)]
pub(super) struct Dot {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    pub(super) name: String,
    pub(super) photos: usize,
}

/// Degrees that the map shows, north and south.
const NORTH: f64 = 84.0;
const SOUTH: f64 = -58.0;

/// Units of the drawing for each degree.
const SCALE: f64 = 3.0;

/// The map with a dot for each landmark, as large as it has photos; a click leads to its photos.
pub(super) fn map(dots: &[Dot]) -> Markup {
    let (width, height) = (360.0 * SCALE, (NORTH - SOUTH) * SCALE);
    html! {
        svg class="map" viewBox=(format!("0 0 {width} {height}")) role="img" aria-label="Map of the landmarks" {
            rect class="sea" width=(width) height=(height) {}
            path class="grid" d=(grid()) {}
            path class="land" d=(land()) {}
            @for dot in dots {
                (PreEscaped(format!("<a href=\"#{}\">", anchor(&dot.name))))
                circle class="dot" cx=(number(x(dot.longitude))) cy=(number(y(dot.latitude))) r=(number(radius(dot.photos))) {
                    title { (dot.name) ": " (dot.photos) @if dot.photos == 1 { " photo" } @else { " photos" } }
                }
                (PreEscaped("</a>"))
            }
        }
    }
}

/// The name of a landmark's place on the page.
pub(super) fn anchor(name: &str) -> String {
    let letter = |c: char| if c.is_alphanumeric() { c } else { '-' };
    format!("landmark-{}", name.chars().map(letter).collect::<String>())
}

fn x(longitude: f64) -> f64 {
    (longitude + 180.0) * SCALE
}

fn y(latitude: f64) -> f64 {
    (NORTH - latitude.clamp(SOUTH, NORTH)) * SCALE
}

/// The area of a dot grows with the number of its photos.
fn radius(photos: usize) -> f64 {
    (3.5 + 1.2 * (photos as f64).sqrt()).min(16.0)
}

fn number(number: f64) -> String {
    format!("{number:.1}")
}

fn land() -> String {
    let mut path = String::new();
    for piece in LAND {
        for (index, (longitude, latitude)) in piece.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            let (x, y) = (x(f64::from(*longitude)), y(f64::from(*latitude)));
            // Writing into a string cannot fail.
            let _ = write!(path, "{command}{x:.0} {y:.0}");
        }
        path.push('Z');
    }
    path
}

/// Every thirty degrees.
fn grid() -> String {
    let mut path = String::new();
    for step in -5..=5 {
        let longitude = x(f64::from(step) * 30.0);
        let _ = write!(path, "M{longitude:.0} 0V{:.0}", (NORTH - SOUTH) * SCALE);
    }
    for latitude in [-30.0, 0.0, 30.0, 60.0] {
        let _ = write!(path, "M0 {:.0}H{:.0}", y(latitude), 360.0 * SCALE);
    }
    path
}
