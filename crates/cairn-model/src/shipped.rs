//! The model that comes with cairn: 56 landmarks, for photos as people take them. `models/README.md` is its card.

use crate::{Model, ModelError};

/// The content of its file, a bundle.
pub const BUNDLE: &[u8] = include_bytes!("../models/landmarks.safetensors");

/// Opens it.
///
/// # Errors
/// As [`Model::open`]; never of a build that was tested.
pub fn open() -> Result<Model, ModelError> {
    Model::from_bytes(BUNDLE, "the model that comes with cairn")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_places::Gazetteer;

    #[test]
    fn it_is_small_and_calibrated_and_each_of_its_landmarks_has_a_place() {
        assert!(BUNDLE.len() <= 8_000_000, "{} bytes", BUNDLE.len());
        let model = open().unwrap();
        assert!(model.info().rejection.unwrap().sure.is_some(), "it knows when it is sure");
        assert!(model.info().learning.is_some(), "it can learn");
        assert!(model.info().provenance.is_of_training(), "cairn trained it");
        let places = Gazetteer::builtin();
        for (_, class) in model.classes().iter() {
            assert!(places.find(&class.folder).is_some(), "{}", class.folder);
        }
    }
}
