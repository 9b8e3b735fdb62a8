//! `POST /v1/explain`: what spoke for a landmark.

use axum::extract::{Query, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::predict::cam_method;
use crate::accept::accepted;
use crate::engine::ExplainOptions;
use crate::error::ApiError;
use crate::photos::PredictOptions;
use crate::query::checked;
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::state::AppState;

pub(super) fn routes() -> Routes {
    Routes::new().post("/v1/explain", explain)
}

#[derive(Debug, Deserialize)]
struct ExplainQuery {
    class: Option<String>,
    method: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Png,
    Npy,
}

const FORMATS: [(&str, Format); 3] = [
    ("image/png", Format::Png),
    ("application/x-npy", Format::Npy),
    ("application/octet-stream", Format::Npy),
];

/// The landmark that the map is of: its class folder, percent-encoded.
const CLASS: HeaderName = HeaderName::from_static("x-cairn-class");

async fn explain(State(state): State<AppState>, request: Request) -> Result<Response, ApiError> {
    let Query(query) = checked(Query::<ExplainQuery>::try_from_uri(request.uri()))?;
    let format = accepted(request.headers(), &FORMATS)?;
    let method = query.method.as_deref().map(cam_method).transpose()?.unwrap_or_default();
    let class = query.class.filter(|class| !class.is_empty());
    if let Some(class) = &class {
        let served = state.served();
        served.model.class_named(class).map_err(|error| ApiError::validation(error.to_string()))?;
    }
    let photos = state.receive(request).await?.photos;
    let seen = PhotosSeen::of(&state, &photos);
    if photos.len() != 1 {
        return Err(ApiError::validation(format!(
            "{} photos; one is explained at a time (/v1/predict?explain=1 takes many)",
            photos.len()
        )));
    }
    let options =
        PredictOptions { explain: Some(ExplainOptions { class, method }), ..PredictOptions::default() };
    let predictions = state.predict(photos, &options).await?;
    let timing = predictions.server_timing();
    let output = predictions.into_only()?;
    let explanation = output.explanation.ok_or_else(|| ApiError::internal("a heat map was asked for"))?;
    let (content_type, bytes) = match format {
        Format::Png => ("image/png", explanation.png),
        Format::Npy => ("application/x-npy", explanation.map.to_npy().into()),
    };
    let mut response = ([(header::CONTENT_TYPE, content_type)], bytes).into_response();
    for (name, value) in [(CLASS, header_text(&explanation.class)), (super::predict::SERVER_TIMING, timing)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response.extensions_mut().insert(seen);
    Ok(response)
}

/// Text as a header may have it: what is not ASCII is percent-encoded.
fn header_text(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'%' | 0..=b' ' | 0x7f.. => format!("%{byte:02X}"),
        _ => char::from(byte).to_string(),
    };
    text.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_goes_into_a_header_whatever_its_letters() {
        assert_eq!(header_text("12.Eiffel_Tower"), "12.Eiffel_Tower");
        assert_eq!(header_text("Chichén Itzá%\n"), "Chich%C3%A9n%20Itz%C3%A1%25%0A");
        assert!(HeaderValue::from_str(&header_text("名所\r\nx: y")).is_ok());
    }
}
