//! The model that comes with cairn; `models/README.md` says what it is.

use anyhow::Result;
use cairn_model::Model;

#[cfg(feature = "shipped")]
const BUNDLE: &[u8] = include_bytes!("../../../models/landmarks.safetensors");

/// The model, out of the program itself.
pub(crate) fn open() -> Result<Model> {
    Ok(Model::from_bytes(bytes()?, "the model that comes with cairn")?)
}

/// Its file's content.
#[cfg(feature = "shipped")]
pub(crate) fn bytes() -> Result<&'static [u8]> {
    Ok(BUNDLE)
}

/// A program without it says how to go on.
#[cfg(not(feature = "shipped"))]
pub(crate) fn bytes() -> Result<&'static [u8]> {
    anyhow::bail!(
        "this cairn was built without a model of its own: name one (--model FILE, or FILE in the place of \
         `shipped`), or build cairn with the feature `shipped`"
    )
}

#[cfg(all(test, feature = "shipped"))]
mod tests {
    use super::*;
    use cairn_places::Gazetteer;

    #[test]
    fn it_is_small_and_calibrated_and_each_of_its_landmarks_has_a_place() {
        assert!(BUNDLE.len() <= 8_000_000, "{} bytes", BUNDLE.len());
        let model = open().unwrap();
        assert!(model.info().rejection.is_some(), "it tells landmarks from other photos");
        assert!(model.with_sure_threshold().is_ok(), "it knows when it is sure");
        let model = open().unwrap();
        assert!(model.info().learning.is_some(), "it can learn");
        assert!(model.info().provenance.is_of_training(), "cairn trained it");
        let places = Gazetteer::builtin();
        for (_, class) in model.classes().iter() {
            assert!(places.find(&class.folder).is_some(), "{}", class.folder);
        }
    }
}
