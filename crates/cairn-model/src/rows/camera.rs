//! What a photo's camera says of where and when it was taken, beside the landmark that was named.

use std::path::Path;

use cairn_photo::PhotoMetadata;
use cairn_places::{Latitude, Longitude};
use serde::Serialize;

use super::number::grouped;
use crate::Landmark;

/// From this distance in kilometres on, a camera contradicts the landmark that was named: mountains and national parks are
/// seen from far, and the point that stands for a large one may be far from its edge.
const CONTRADICTS_KM: f64 = 50.0;

/// Where, when and with which camera a photo was taken, as far as the photo says so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Camera {
    /// Degrees north.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// RFC 3339, without an offset where the camera knew none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Maker of the camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model of the camera.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Kilometres from the camera to the landmark that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance_km: Option<f64>,
}

impl Camera {
    /// What the photo at `path` says, measured against the landmark that it is taken to show, if any; `None` where it says
    /// nothing.
    pub fn of(path: &Path, landmark: Option<&Landmark>) -> Option<Self> {
        Self::from_metadata(PhotoMetadata::open(path), landmark)
    }

    /// The same of what was read of a photo.
    pub fn from_metadata(metadata: PhotoMetadata, landmark: Option<&Landmark>) -> Option<Self> {
        if metadata == PhotoMetadata::default() {
            return None;
        }
        let PhotoMetadata { position, taken, make, model, .. } = metadata;
        let [latitude, longitude] =
            [position.map(|position| position.latitude), position.map(|position| position.longitude)];
        let distance_km = || {
            let place = landmark?.place.as_ref()?;
            let (latitude, longitude) =
                (Latitude::try_from(latitude?).ok()?, Longitude::try_from(longitude?).ok()?);
            // No position is known to a metre.
            Some((place.distance_km(latitude, longitude) * 1e3).round() / 1e3)
        };
        let distance_km = distance_km();
        Some(Self {
            latitude,
            longitude,
            taken: taken.map(|taken| taken.to_string()),
            make,
            model,
            distance_km,
        })
    }

    /// Whether it was too far from the landmark to have taken a photo of it.
    pub fn contradicts(&self) -> bool {
        self.distance_km.is_some_and(|distance| distance > CONTRADICTS_KM)
    }

    /// `12.3 km`, `1,240 km`: the distance to the landmark for people.
    pub fn distance(&self) -> Option<String> {
        self.distance_km.map(|distance| match distance {
            ..10.0 => format!("{distance:.1} km"),
            _ => format!("{} km", grouped(distance.round() as usize)),
        })
    }

    /// `camera at 48.8500 N, 2.2900 E, 1.0 km from it`
    pub fn whereabouts(&self) -> Option<String> {
        let (latitude, longitude) =
            (Latitude::try_from(self.latitude?).ok()?, Longitude::try_from(self.longitude?).ok()?);
        let distance = self.distance().map(|distance| format!(", {distance} from it")).unwrap_or_default();
        Some(format!("camera at {latitude}, {longitude}{distance}"))
    }

    /// `taken 2019-07-14T15:04:05 by Apple iPhone 12`
    pub fn equipment(&self) -> Option<String> {
        let camera = match (&self.make, &self.model) {
            // Many makers write their name into the model, too.
            (Some(make), Some(model)) if !model.to_lowercase().starts_with(&make.to_lowercase()) => {
                Some(format!("{make} {model}"))
            }
            (make, model) => model.clone().or_else(|| make.clone()),
        };
        match (&self.taken, camera) {
            (Some(taken), Some(camera)) => Some(format!("taken {taken} by {camera}")),
            (Some(taken), None) => Some(format!("taken {taken}")),
            (None, camera) => camera.map(|camera| format!("taken by {camera}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Probability;
    use cairn_photo::GpsPosition;
    use cairn_places::Gazetteer;

    fn eiffel_tower() -> Landmark {
        Landmark {
            class: "12.Eiffel_Tower".to_owned(),
            name: "Eiffel Tower".to_owned(),
            probability: Probability::softmax(&[0.0], 1.0)[0],
            place: Gazetteer::builtin().find("Eiffel Tower").cloned(),
        }
    }

    fn camera_at(latitude: f64, longitude: f64) -> Camera {
        let metadata = PhotoMetadata {
            position: Some(GpsPosition { latitude, longitude }),
            make: Some("Canon".to_owned()),
            model: Some("Canon EOS 5D".to_owned()),
            ..PhotoMetadata::default()
        };
        Camera::from_metadata(metadata, Some(&eiffel_tower())).unwrap()
    }

    #[test]
    fn a_camera_far_from_the_landmark_contradicts_it_and_one_nearby_does_not() {
        let near = camera_at(48.8530, 2.2900);
        assert!(!near.contradicts(), "{near:?}");
        assert_eq!(near.whereabouts().unwrap(), "camera at 48.8530 N, 2.2900 E, 0.7 km from it");
        assert_eq!(near.equipment().unwrap(), "taken by Canon EOS 5D");
        let far = camera_at(36.0, -112.0);
        assert!(far.contradicts());
        assert_eq!(far.distance().unwrap(), "8,570 km");
        assert_eq!(camera_at(48.0, 2.29).distance().unwrap(), "95 km");
        assert!(far.distance_km.is_some_and(|distance| distance > 8000.0), "{far:?}");
    }

    #[test]
    fn a_photo_that_says_nothing_has_no_camera_and_one_without_a_position_no_distance() {
        assert_eq!(Camera::from_metadata(PhotoMetadata::default(), Some(&eiffel_tower())), None);
        let made = PhotoMetadata {
            make: Some("Apple".to_owned()),
            model: Some("iPhone 12".to_owned()),
            ..PhotoMetadata::default()
        };
        let camera = Camera::from_metadata(made, Some(&eiffel_tower())).unwrap();
        assert_eq!((camera.distance_km, camera.contradicts()), (None, false));
        assert_eq!(
            (camera.whereabouts(), camera.equipment().as_deref()),
            (None, Some("taken by Apple iPhone 12"))
        );
    }
}
