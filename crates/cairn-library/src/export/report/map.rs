//! A map of the world in the page itself.

use std::fmt::Write;

use cairn_map::{HEIGHT, LAND, MapPoint, NORTH, WIDTH};
use maud::{Markup, PreEscaped, html};

/// A dot on the map.
#[derive(Clone, Debug)]
pub(super) struct Dot {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    pub(super) name: String,
    pub(super) photos: usize,
}

/// The map with a dot for each landmark, as large as it has photos; a click leads to its photos.
pub(super) fn map(dots: &[Dot]) -> Markup {
    html! {
        svg class="map" viewBox={ "0 " (NORTH) " " (WIDTH) " " (HEIGHT) } role="img" aria-label="Map of the landmarks" {
            rect class="sea" y=(NORTH) width=(WIDTH) height=(HEIGHT) {}
            path class="grid" d=(grid()) {}
            path class="land" d=(PreEscaped(LAND.trim_end())) {}
            @for dot in dots {
                @let point = MapPoint::of(dot.latitude, dot.longitude);
                (PreEscaped(format!("<a href=\"#{}\">", anchor(&dot.name))))
                circle class="dot" cx=(point.x) cy=(point.y) r=(number(radius(dot.photos))) {
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

/// The area of a dot grows with the number of its photos.
fn radius(photos: usize) -> f64 {
    (12.0 + 4.0 * (photos as f64).sqrt()).min(54.0)
}

fn number(number: f64) -> String {
    format!("{number:.1}")
}

/// Every thirty degrees.
fn grid() -> String {
    let mut path = String::new();
    for step in -5..=5 {
        let x = MapPoint::of(0.0, f64::from(step) * 30.0).x;
        // Writing into a string cannot fail.
        let _ = write!(path, "M{x:.0} {NORTH:.0}v{HEIGHT:.0}");
    }
    for latitude in [-30.0, 0.0, 30.0, 60.0] {
        let _ = write!(path, "M0 {:.0}h{WIDTH:.0}", MapPoint::of(latitude, 0.0).y);
    }
    path
}
