//! The model that comes with cairn, if this program was built with it.

use anyhow::Result;
use cairn_model::Model;

/// The model, out of the program itself.
#[cfg(feature = "shipped")]
pub(crate) fn open() -> Result<Model> {
    Ok(cairn_model::shipped::open()?)
}

/// Its file's content.
#[cfg(feature = "shipped")]
pub(crate) fn bytes() -> Result<&'static [u8]> {
    Ok(cairn_model::shipped::BUNDLE)
}

/// A program without it says how to go on.
#[cfg(not(feature = "shipped"))]
pub(crate) fn open() -> Result<Model> {
    anyhow::bail!(
        "this cairn was built without a model of its own: name one (--model FILE, or FILE in the place of \
         `shipped`), or build cairn with the feature `shipped`"
    )
}

/// As [`open`].
#[cfg(not(feature = "shipped"))]
pub(crate) fn bytes() -> Result<&'static [u8]> {
    open().map(|_| &[] as &[u8])
}
