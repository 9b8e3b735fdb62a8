//! Maps that need no other host: the land as one path, and marks on it.

use cairn_map::{HEIGHT, LAND, MapPoint, NORTH, WIDTH};
use cairn_model::rows::Camera;
use cairn_places::Place;
use maud::{Markup, PreEscaped, html};

/// What a map of a region shows.
const REGION: [f64; 2] = [800.0, 400.0];

/// Where a camera was, if it said so.
pub(crate) fn point_of_camera(camera: &Camera) -> Option<MapPoint> {
    Some(MapPoint::of(camera.latitude?, camera.longitude?))
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
