//! An answer of a model, for the tests of all forms.

use cairn_model::{Landmark, Prediction, Probability};
use cairn_places::Gazetteer;

/// The Eiffel Tower with 0.75 and a mill whose place is not known with 0.25.
pub(crate) fn prediction(is_landmark: bool) -> Prediction {
    let probability = |number: f32| serde_json::from_value::<Probability>(number.into()).unwrap();
    let landmark = |name: &str, probability| Landmark {
        class: name.replace(' ', "_"),
        name: name.to_owned(),
        probability,
        place: Gazetteer::builtin().find(name).cloned(),
    };
    Prediction {
        is_landmark: Some(is_landmark),
        landmark_score: 0.5,
        landmarks: vec![landmark("Eiffel Tower", probability(0.75)), landmark("Our mill", probability(0.25))],
        ..Prediction::default()
    }
}
