//! Photos in JSON.

use std::borrow::Cow;

use axum::body::Body;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::Submission;
use crate::admission::BodyKind;
use crate::error::ApiError;
use crate::photos::SubmittedPhoto;
use crate::state::AppState;

/// `{"photos": [...]}`
#[derive(Deserialize)]
struct Photos<'a> {
    #[serde(borrow)]
    photos: Vec<Photo<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Photo<'a> {
    name: Option<String>,
    /// Base64, also as a data URL.
    #[serde(borrow)]
    data: Option<Cow<'a, str>>,
    url: Option<String>,
}

pub(super) async fn receive(state: &AppState, body: Body) -> Result<Submission, ApiError> {
    let mut reader = state.read_body(body, BodyKind::Json)?;
    let bytes = reader.whole().await?;
    let memory = reader.permit();
    let sent: Photos<'_> = serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::validation(format!("the body is not JSON of photos: {error}")))?;
    state.check_count(sent.photos.len())?;
    let mut photos = Vec::with_capacity(sent.photos.len());
    for (index, photo) in sent.photos.into_iter().enumerate() {
        let name = photo.name.or_else(|| photo.url.clone());
        let mut memory = memory.clone();
        let bytes = match (&photo.data, &photo.url) {
            (Some(data), None) => decoded_base64(data).and_then(|bytes| {
                state.check_photo(bytes.len() as u64)?;
                Ok(bytes.into())
            }),
            (None, Some(url)) => state.fetch(url).await.map(|fetched| {
                memory = fetched.memory;
                fetched.bytes
            }),
            _ => Err(ApiError::validation("a photo has either `data` (base64) or `url`")),
        };
        photos.push(SubmittedPhoto {
            name: name.unwrap_or_else(|| format!("{}-{}", super::NAMELESS, index + 1)),
            bytes,
            memory: Some(memory),
        });
    }
    Ok(Submission { photos, ..Submission::default() })
}

/// Forgiving of padding, as clients differ.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Decodes base64 in the standard or the URL-safe alphabet, with or without padding, also as a data URL
/// (`data:image/jpeg;base64,...`) or broken into lines.
///
/// # Errors
/// When it is not base64.
pub fn decoded_base64(text: &str) -> Result<Vec<u8>, ApiError> {
    let text = match text.strip_prefix("data:") {
        None => text,
        Some(url) => url.split_once(";base64,").map(|(_, data)| data).ok_or_else(|| {
            ApiError::validation("a data URL holds its photo in base64: data:image/jpeg;base64,...")
        })?,
    };
    let text = text.trim();
    let text: Cow<'_, str> = if text.contains(['\n', '\r', ' ']) {
        text.chars().filter(|c| !c.is_ascii_whitespace()).collect::<String>().into()
    } else {
        text.into()
    };
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(text.as_bytes()).map_err(|error| ApiError::validation(format!("not base64: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_in_every_form_that_clients_send() {
        let bytes = [0xfb, 0xff, 0xfe, 1];
        for text in ["+//+AQ==", "+//+AQ", "-__-AQ", "data:image/png;base64,+//+AQ==", "+//\r\n+AQ==\n"] {
            assert_eq!(decoded_base64(text), Ok(bytes.to_vec()), "{text}");
        }
        for wrong in ["+//+A", "not base64!", "data:image/png,abc", "é"] {
            assert!(decoded_base64(wrong).is_err(), "{wrong}");
        }
        assert_eq!(decoded_base64(""), Ok(vec![]));
    }
}
