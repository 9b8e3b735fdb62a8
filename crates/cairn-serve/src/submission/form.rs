//! Photos in a form.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::stream;
use multer::{Field, Multipart};

use super::Submission;
use crate::admission::{BodyKind, BodyReader};
use crate::error::ApiError;
use crate::photos::SubmittedPhoto;
use crate::state::AppState;

/// Bytes of a field that is no photo, and how many of them a form has at most.
const FIELD_BYTES: u64 = 64 << 10;
const MOST_FIELDS: usize = 64;

/// Reads a form. Each of its files is a photo.
pub(super) async fn receive(
    state: &AppState,
    headers: &HeaderMap,
    body: Body,
) -> Result<Submission, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(content_type.unwrap_or_default())
        .map_err(|_| ApiError::validation("the type multipart/form-data names no boundary"))?;
    let reader = state.read_body(body, BodyKind::Bytes)?;
    let memory = reader.permit();
    let mut form = Multipart::new(chunks(reader), boundary);
    let mut submission = Submission::default();
    while let Some(field) = form.next_field().await.map_err(refusal)? {
        let file_name = field.file_name().map(str::to_owned);
        let name = field.name().unwrap_or_default().to_owned();
        let is_photo = file_name.is_some() || name == "photo" || name == "photos";
        if !is_photo {
            if submission.fields.len() >= MOST_FIELDS {
                return Err(ApiError::too_large(format!("a form of more than {MOST_FIELDS} fields")));
            }
            let value = read(field, |bytes| match bytes <= FIELD_BYTES {
                true => Ok(()),
                false => {
                    Err(ApiError::too_large(format!("field `{name}` is longer than {FIELD_BYTES} bytes")))
                }
            })
            .await?;
            submission.fields.insert(name, String::from_utf8_lossy(&value).into_owned());
            continue;
        }
        let bytes = read(field, |bytes| state.check_photo(bytes)).await?;
        // Browsers send an empty file where none was chosen.
        if bytes.is_empty() && file_name.as_deref().is_none_or(str::is_empty) {
            continue;
        }
        state.check_count(submission.photos.len() + 1)?;
        let name = file_name.filter(|name| !name.is_empty());
        submission.photos.push(SubmittedPhoto {
            name: name.unwrap_or_else(|| format!("{}-{}", super::NAMELESS, submission.photos.len() + 1)),
            bytes: Ok(bytes.into()),
            memory: Some(memory.clone()),
        });
    }
    Ok(submission)
}

/// The body as a stream that may end with an error.
fn chunks(reader: BodyReader) -> impl stream::Stream<Item = Result<bytes::Bytes, ApiError>> + Send + 'static {
    stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.chunk().await {
            Ok(Some(chunk)) => Some((Ok(chunk), Some(reader))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    })
}

/// A field's bytes, as long as `check` lets their number pass.
async fn read(
    mut field: Field<'_>,
    check: impl Fn(u64) -> Result<(), ApiError>,
) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(refusal)? {
        check((bytes.len() + chunk.len()) as u64)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What stopped the reader, or what is wrong with the form.
fn refusal(error: multer::Error) -> ApiError {
    if let multer::Error::StreamReadFailed(cause) = error {
        return match cause.downcast::<ApiError>() {
            Ok(refusal) => *refusal,
            Err(other) => ApiError::validation(other.to_string()),
        };
    }
    ApiError::validation(format!("malformed form: {error}"))
}
