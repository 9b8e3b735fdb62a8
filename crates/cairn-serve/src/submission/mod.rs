//! From a request's body to photos: raw bytes, a form, or JSON.

mod form;
mod json;

use std::collections::HashMap;

use axum::extract::Request;
use axum::http::{HeaderMap, header};

pub use json::decoded_base64;

use crate::admission::BodyKind;
use crate::error::{ApiError, ErrorType};
use crate::photos::SubmittedPhoto;
use crate::state::AppState;

/// The name of a photo that was sent without one.
const NAMELESS: &str = "photo";

/// What a client sent: photos, and fields beside them.
#[derive(Debug, Default)]
pub struct Submission {
    /// The photos, in their order.
    pub photos: Vec<SubmittedPhoto>,
    /// Other fields of a form, or of the JSON object.
    pub fields: HashMap<String, String>,
}

/// How photos were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MediaType {
    Raw,
    Form,
    Json,
}

impl AppState {
    /// Reads the photos of a request: the body as it is (any `image/*`, or bytes), `multipart/form-data` whose files are
    /// photos, or JSON `{"photos": [{"name": "...", "data": "base64"}]}`.
    ///
    /// # Errors
    /// When it has no photos, is too large, or there is no memory for it now.
    pub async fn receive(&self, request: Request) -> Result<Submission, ApiError> {
        let (parts, body) = request.into_parts();
        let media_type = media_type(&parts.headers)?;
        let submission = match media_type {
            MediaType::Raw => self.receive_raw(crate::query::value(parts.uri.query(), "name"), body).await?,
            MediaType::Form => form::receive(self, &parts.headers, body).await?,
            MediaType::Json => json::receive(self, body).await?,
        };
        if submission.photos.is_empty() {
            return Err(ApiError::validation(
                "no photo in the request: send its bytes as the body, as a form's file, or as JSON",
            ));
        }
        Ok(submission)
    }

    async fn receive_raw(
        &self,
        name: Option<String>,
        body: axum::body::Body,
    ) -> Result<Submission, ApiError> {
        let mut reader = self.read_body(body, BodyKind::Bytes)?;
        self.check_photo(reader.length().unwrap_or(0))?;
        let bytes = reader.whole().await?;
        self.check_photo(bytes.len() as u64)?;
        if bytes.is_empty() {
            return Ok(Submission::default());
        }
        let photo = SubmittedPhoto {
            name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| NAMELESS.to_owned()),
            bytes: Ok(bytes.into()),
            memory: Some(reader.permit()),
        };
        Ok(Submission { photos: vec![photo], fields: HashMap::new() })
    }

    /// Whether a request may have so many photos.
    pub(crate) fn check_count(&self, photos: usize) -> Result<(), ApiError> {
        let most = self.limits().max_photos;
        if photos <= most {
            return Ok(());
        }
        Err(ApiError::too_large(format!(
            "more than {most} photos in a request, which is the limit (--max-photos)"
        )))
    }

    /// Whether a photo may have so many bytes.
    pub(crate) fn check_photo(&self, bytes: u64) -> Result<(), ApiError> {
        let most = self.limits().max_photo;
        if bytes <= most {
            return Ok(());
        }
        let most = crate::size::shown_size(most);
        Err(ApiError::too_large(format!("the photo is larger than {most}, which is the limit (--max-photo)")))
    }
}

/// What the headers say of the body.
fn media_type(headers: &HeaderMap) -> Result<MediaType, ApiError> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(MediaType::Raw) };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "" | "application/octet-stream" | "binary/octet-stream" => Ok(MediaType::Raw),
        // What curl says of --data-binary where nothing else is said.
        "application/x-www-form-urlencoded" => Ok(MediaType::Raw),
        "multipart/form-data" => Ok(MediaType::Form),
        "application/json" => Ok(MediaType::Json),
        image if image.starts_with("image/") => Ok(MediaType::Raw),
        other => Err(ApiError::new(
            ErrorType::Format,
            format!(
                "a body of type `{other}` holds no photos: send image/*, application/octet-stream, \
                 multipart/form-data or application/json"
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_body_says_how_photos_are_in_it() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, axum::http::HeaderValue::from_static(value));
            media_type(&headers)
        };
        assert_eq!(media_type(&HeaderMap::new()), Ok(MediaType::Raw));
        assert_eq!(of("image/jpeg"), Ok(MediaType::Raw));
        assert_eq!(of("Application/JSON; charset=utf-8"), Ok(MediaType::Json));
        assert_eq!(of("multipart/form-data; boundary=x"), Ok(MediaType::Form));
        assert_eq!(of("text/html").unwrap_err().error_type, ErrorType::Format);
    }
}
