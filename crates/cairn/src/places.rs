//! The places that a model names landmarks by.

use std::path::Path;

use cairn_places::{Gazetteer, PlacesError};

/// The places of the user's file, if there is one, laid over those that come with cairn.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn merged_places(own: Option<&Path>) -> Result<Option<Gazetteer>, PlacesError> {
    let Some(own) = own else { return Ok(None) };
    let mut gazetteer = Gazetteer::builtin();
    gazetteer.merge(Gazetteer::read(own)?);
    Ok(Some(gazetteer))
}
