//! What a photo's camera says of where and when, beside what the model says.

use cairn_model::rows::Camera;
use cairn_places::{Latitude, Longitude};
use maud::{Markup, html};

/// What the photo's EXIF data says, and whether that speaks against the landmark.
pub(crate) fn camera_facts(camera: &Camera) -> Markup {
    let position = camera.latitude.zip(camera.longitude).and_then(|(latitude, longitude)| {
        Some((Latitude::try_from(latitude).ok()?, Longitude::try_from(longitude).ok()?))
    });
    html! {
        section.camera aria-label="What the camera says" {
            h3 { "The camera says" }
            dl {
                @if let Some(taken) = &camera.taken {
                    div { dt { "Taken" } dd { time datetime=(taken) { (day_and_time(taken)) } } }
                }
                @if let Some(name) = name(camera) { div { dt { "Camera" } dd { (name) } } }
                @if let Some((latitude, longitude)) = position {
                    div { dt { "Position" } dd { (latitude) ", " (longitude) } }
                }
                @if let Some(distance) = camera.distance() {
                    div { dt { "Distance" } dd { (distance) " from the landmark" } }
                }
            }
            @if camera.contradicts() {
                p.contradiction { "The photo was taken too far away: one of the two is wrong." }
            }
        }
    }
}

/// `2019-07-14 15:04`, by the camera's clock.
fn day_and_time(taken: &str) -> String {
    let minutes = taken.get(..16).unwrap_or(taken);
    minutes.replace('T', " ")
}

/// Maker and model; many makers write their name into the model, too.
fn name(camera: &Camera) -> Option<String> {
    match (&camera.make, &camera.model) {
        (Some(make), Some(model)) if !model.to_lowercase().starts_with(&make.to_lowercase()) => {
            Some(format!("{make} {model}"))
        }
        (make, model) => model.clone().or_else(|| make.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(distance_km: Option<f64>) -> Camera {
        Camera {
            latitude: Some(48.853),
            longitude: Some(2.29),
            taken: Some("2019-07-14T15:04:05+02:00".to_owned()),
            make: Some("Canon".to_owned()),
            model: Some("Canon EOS 5D".to_owned()),
            distance_km,
        }
    }

    #[test]
    fn facts_stand_as_people_write_them() {
        let text = camera_facts(&camera(Some(0.7))).into_string();
        for part in
            [">2019-07-14 15:04<", ">Canon EOS 5D<", "48.8530 N, 2.2900 E", "0.7 km from the landmark"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("too far away"), "{text}");
    }

    #[test]
    fn a_camera_far_away_is_said_to_contradict() {
        assert!(camera_facts(&camera(Some(8570.0))).into_string().contains("too far away"));
    }

    #[test]
    fn what_is_not_known_is_not_there() {
        let text = camera_facts(&Camera { latitude: None, taken: None, ..camera(None) }).into_string();
        assert!(
            !text.contains("Position") && !text.contains("Taken") && !text.contains("Distance"),
            "{text}"
        );
    }
}
