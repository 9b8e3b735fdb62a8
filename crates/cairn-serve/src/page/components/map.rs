//! Maps that need no other host: the land as one path, and marks on it.

use cairn_model::rows::Camera;
use cairn_places::Place;
use maud::{Markup, PreEscaped, html};

/// The outlines of land: `map/land.py` says where they come from.
const LAND: &str = include_str!("../../../map/land.path");

/// The map's width: tenths of a degree of longitude, from 180 W on.
const WIDTH: f64 = 3600.0;
/// What the map of the world shows: from 82 N to 57 S.
const NORTH: f64 = 215.0;
const HEIGHT: f64 = 1750.0;
/// What a map of a region shows.
const REGION: [f64; 2] = [800.0, 400.0];

/// A point of the map: east and south of 180 W, 90 N in tenths of a degree at the equator, by Miller's projection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MapPoint {
    /// To the east.
    pub x: f64,
    /// To the south.
    pub y: f64,
}

impl MapPoint {
    /// The point of these degrees north and east.
    pub(crate) fn of(latitude: f64, longitude: f64) -> Self {
        Self { x: tenth((longitude + 180.0) * 10.0), y: tenth((height(90.0) - height(latitude)) * 10.0) }
    }

    /// Where a place is.
    pub(crate) fn of_place(place: &Place) -> Self {
        Self::of(place.latitude.degrees(), place.longitude.degrees())
    }

    /// Where a camera was, if it said so.
    pub(crate) fn of_camera(camera: &Camera) -> Option<Self> {
        Some(Self::of(camera.latitude?, camera.longitude?))
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

/// The land, once a page, for all of the page's maps to use.
pub(crate) fn land() -> Markup {
    html! {
        svg.land-source width="0" height="0" aria-hidden="true" focusable="false" {
            defs { path id="land" d=(PreEscaped(LAND.trim_end())) {} }
        }
    }
}

/// The whole world with a faint dot for each of `known`, and an empty layer for what is found.
pub(crate) fn world<'a>(known: impl IntoIterator<Item = &'a Place>, found: &Markup) -> Markup {
    html! {
        svg.world viewBox={ "0 " (NORTH) " " (WIDTH) " " (HEIGHT) } preserveAspectRatio="xMidYMid meet"
            role="group" aria-label="Map of the world with the landmarks that were found" {
            use href="#land" class="land" {}
            g.known aria-hidden="true" {
                @for place in known {
                    @let point = MapPoint::of_place(place);
                    circle cx=(point.x) cy=(point.y) r="9" { title { (place.name) } }
                }
            }
            g.found id="found" { (found) }
        }
    }
}

/// A mark on the map of the world that leads to the card of a photo.
pub(crate) fn mark(place: &Place, card: &str, photo: &str) -> Markup {
    let MapPoint { x, y } = MapPoint::of_place(place);
    html! {
        a href={ "#" (card) } aria-label={ (place.name) ", " (photo) } { circle cx=(x) cy=(y) r="24" {} }
    }
}

/// The surroundings of a place, with the camera's position where that is known: a few thousand kilometres, so that a
/// reader sees which country it is in.
pub(crate) fn region(place: &Place, camera: Option<MapPoint>) -> Markup {
    let point = MapPoint::of_place(place);
    let [width, height] = REGION;
    let left = tenth(point.x - width / 2.0);
    let top = tenth((point.y - height / 2.0).clamp(NORTH, NORTH + HEIGHT - height));
    let label = format!("Map: {} in {}, {}", place.name, place.locality, place.country);
    // A view that reaches over 180 degrees sees the other side of the map, too.
    let turns = [(-WIDTH, left < 0.0), (0.0, true), (WIDTH, left + width > WIDTH)];
    let camera = camera.map(|camera| nearer(camera, point));
    let inside = |camera: &MapPoint| {
        (left..left + width).contains(&camera.x) && (top..top + height).contains(&camera.y)
    };
    html! {
        svg.region viewBox={ (left) " " (top) " " (width) " " (height) } role="img" aria-label=(label) {
            @for (turn, seen) in turns { @if seen { use href="#land" class="land" x=(turn) {} } }
            @if let Some(camera) = camera {
                line.between x1=(camera.x) y1=(camera.y) x2=(point.x) y2=(point.y) {}
                @if inside(&camera) { circle.taken cx=(camera.x) cy=(camera.y) r="9" {} }
            }
            circle.halo cx=(point.x) cy=(point.y) r="26" {}
            circle.spot cx=(point.x) cy=(point.y) r="11" {}
        }
    }
}

/// The same point on the turn around the Earth that is nearest to `other`.
fn nearer(point: MapPoint, other: MapPoint) -> MapPoint {
    MapPoint { x: point.x - WIDTH * ((point.x - other.x) / WIDTH).round(), ..point }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_places::{Gazetteer, Latitude, Longitude};

    fn place_at(latitude: f64, longitude: f64) -> Place {
        Place {
            latitude: Latitude::try_from(latitude).unwrap(),
            longitude: Longitude::try_from(longitude).unwrap(),
            ..Gazetteer::builtin().find("Eiffel Tower").unwrap().clone()
        }
    }

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

    #[test]
    fn a_region_near_180_degrees_shows_both_sides_and_the_shortest_way_to_the_camera() {
        let fiji = place_at(-17.8, 178.0);
        let camera = MapPoint::of(-17.8, -179.0);
        let text = region(&fiji, Some(camera)).into_string();
        assert_eq!(text.matches("<use").count(), 2, "{text}");
        assert!(text.contains("x1=\"3610\"") && text.contains("x2=\"3580\""), "{text}");
        assert_eq!(region(&place_at(48.9, 2.3), None).into_string().matches("<use").count(), 1);
    }

    #[test]
    fn a_mark_leads_to_its_card_by_a_name() {
        let text = mark(&place_at(48.9, 2.3), "photo-3", "a<b.jpg").into_string();
        assert!(text.contains("href=\"#photo-3\" aria-label=\"Eiffel Tower, a&lt;b.jpg\""), "{text}");
    }
}
