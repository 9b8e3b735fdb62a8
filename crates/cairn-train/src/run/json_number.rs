//! Numbers that JSON has no word for: what is not finite is written as `null`, and `null` is read as NaN.

use serde::{Deserialize, Deserializer};

/// A number, or NaN for `null`; for `#[serde(deserialize_with)]`.
pub(crate) fn or_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
