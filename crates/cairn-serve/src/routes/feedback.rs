//! `POST /v1/feedback`: what a photo shows, by a person's word.

use axum::extract::{Request, State};
use axum::response::Response;

use crate::error::{ApiError, ErrorType};
use crate::feedback::{Corrected, Correction};
use crate::guard::check_origin;
use crate::json_answer::json_response;
use crate::photos::{PhotoAnswer, PredictOptions};
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::served_model::ServedModel;
use crate::state::AppState;
use crate::submission::Submission;

pub(super) fn routes() -> Routes {
    Routes::new().post("/v1/feedback", feedback)
}

/// A photo, and `class` (a class folder or a name; also called `name`), or `none=1` where it shows no landmark.
async fn feedback(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    if state.config().feedback.is_none() {
        return Err(ApiError::new(
            ErrorType::NotFound,
            "the server was started without a folder for corrections (--feedback)",
        ));
    }
    check_origin(state.config(), request.headers())?;
    let query = request.uri().query().map(str::to_owned);
    let mut submission = state.receive(request).await?;
    for field in ["class", "name", "none"] {
        if let Some(value) = crate::query::value(query.as_deref(), field) {
            submission.fields.entry(field.to_owned()).or_insert(value);
        }
    }
    let seen = PhotosSeen::of(&state, &submission.photos);
    let served = state.served();
    let correction = correction(&submission, &served)?;
    let [photo] = submission.photos.as_slice() else {
        return Err(ApiError::validation("one photo at a time is corrected"));
    };
    let bytes = photo.bytes.clone()?;
    // Only what can be read is worth keeping, and the list says what the model had said.
    let predictions = state.predict(submission.photos, &PredictOptions::default()).await?;
    let Some(PhotoAnswer { name, outcome, .. }) = predictions.photos.into_iter().next() else {
        return Err(ApiError::internal("a photo has an answer"));
    };
    let predicted = outcome?.prediction.named().map(|landmark| landmark.class.clone());
    let model = predictions.served.identity.digest.clone();
    let kept = state.keep(Corrected { bytes, name, correction, predicted, model }).await?;
    let mut response = json_response(&kept)?;
    response.extensions_mut().insert(seen);
    Ok(response)
}

/// What the fields say.
fn correction(submission: &Submission, served: &ServedModel) -> Result<Correction, ApiError> {
    let field = |name: &str| submission.fields.get(name).map(|value| value.trim()).filter(|v| !v.is_empty());
    if field("none").is_some_and(|value| value != "0" && value != "false") {
        return Ok(Correction::NoLandmark);
    }
    let Some(name) = field("class").or_else(|| field("name")) else {
        return Err(ApiError::validation(
            "say what the photo shows: class= a landmark's name or class folder, or none=1",
        ));
    };
    // What the model knows goes to its own folder, under whatever name people know it.
    if let Ok(class) = served.model.class_named(name)
        && let Some(class) = served.model.classes().get(class)
    {
        return Ok(Correction::Landmark(class.folder.clone()));
    }
    Correction::of_name(name).ok_or_else(|| ApiError::validation("a landmark's name has letters or digits"))
}
