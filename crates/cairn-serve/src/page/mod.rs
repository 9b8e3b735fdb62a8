//! The page for people: photos in, cards out, with a script and without.

pub(crate) mod assets;
pub(crate) mod components;
mod docs_page;
mod photos_page;
mod thumbnail;

use std::collections::HashMap;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cairn_model::rows::RowOutcome;
use maud::{Markup, html};
use serde::Deserialize;

use crate::engine::{ExplainOptions, PhotoOutput};
use crate::error::{ApiError, ErrorType};
use crate::guard::check_key;
use crate::photos::{PhotoAnswer, PredictOptions, Predictions};
use crate::request_log::PhotosSeen;
use crate::routing::Routes;
use crate::state::AppState;
use components::card::{CardOptions, card};
use components::frame::CONTENT_POLICY;
use components::map;
use docs_page::docs_page;
use photos_page::{Answers, Offer, photos_page};

/// The routes of the documentation, and of what all pages load.
pub(crate) fn docs_routes() -> Routes {
    Routes::new().get_open("/docs", docs).get_open("/assets/{name}", asset)
}

/// The routes of the page for photos.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .get_open("/", empty_page)
        // A person who brings no key gets a page that asks for one.
        .post_asking("/photos", photos)
}

/// A page as browsers get it. Pages are never kept: another model may answer the next time.
pub(crate) fn page_response(status: StatusCode, page: Markup) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, HEADERS, page.into_string()).into_response()
}

/// The cards of photos alone, for programs that show them on pages of their own.
pub(crate) fn cards_response(predictions: &Predictions) -> Response {
    let options = |photo: &PhotoAnswer| CardOptions {
        id: format!("photo-{}", photo.index + 1),
        heat_map: photo.outcome.as_ref().ok().and_then(heat_map),
        error: photo.outcome.as_ref().err().map(|error| error.error_type.name()),
        ..CardOptions::default()
    };
    page_response(StatusCode::OK, cards(predictions, options))
}

/// What the address of the page, or of its form, may say.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    /// The key, where there is no script that could send it otherwise.
    key: Option<String>,
    /// The number of the first photo's card; given by the script, which wants the cards alone.
    card: Option<usize>,
    /// Whether the browser cannot show the photo.
    thumbnail: Option<String>,
}

fn offer(state: &AppState, query: &PageQuery) -> Offer {
    let config = state.config();
    Offer {
        needs_key: !config.keys.is_empty(),
        key: query.key.clone(),
        feedback: config.feedback.is_some(),
        most_photos: state.limits().max_photos,
    }
}

async fn empty_page(State(state): State<AppState>, Query(query): Query<PageQuery>) -> Response {
    page_response(StatusCode::OK, photos_page(&state.served(), &offer(&state, &query), Ok(None)))
}

async fn docs(State(state): State<AppState>) -> Response {
    page_response(StatusCode::OK, docs_page(&state))
}

async fn asset(Path(name): Path<String>) -> Response {
    let Some(asset) = assets::find(&name) else {
        return ApiError::new(ErrorType::NotFound, "no such file; reload the page").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, asset.content).into_response()
}

/// Photos by the page's form: the page with their cards, or for the script the cards alone.
async fn photos(State(state): State<AppState>, Query(query): Query<PageQuery>, request: Request) -> Response {
    match (answered(&state, &query, request).await, query.card) {
        (Ok((page, seen)), _) => {
            let mut response = page_response(StatusCode::OK, page);
            response.extensions_mut().insert(seen);
            response
        }
        (Err(error), Some(_)) => error.into_response(),
        (Err(error), None) => {
            let reason = match error.error_type {
                // What programs are told, where to put the key, is of no use here.
                ErrorType::Unauthorised => "The server needs a key that it knows. Give it above.",
                _ => &error.message,
            };
            let page = photos_page(&state.served(), &offer(&state, &query), Err(reason));
            let mut response = page_response(error.status(), page);
            if error.error_type == ErrorType::Unauthorised {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            response
        }
    }
}

async fn answered(
    state: &AppState,
    query: &PageQuery,
    request: Request,
) -> Result<(Markup, PhotosSeen), ApiError> {
    check_key(&state.config().keys, request.headers(), request.uri().query())?;
    let submission = state.receive(request).await?;
    let seen = PhotosSeen::of(state, &submission.photos);
    let explain = submission.fields.contains_key("explain").then(ExplainOptions::default);
    let bytes: Vec<Option<Bytes>> = submission.photos.iter().map(|photo| photo.bytes.clone().ok()).collect();
    // Their memory is taken until their small copies are made.
    let _memory: Vec<_> = submission.photos.iter().map(|photo| photo.memory.clone()).collect();
    let options = PredictOptions { explain, ..PredictOptions::default() };
    let predictions = state.predict(submission.photos, &options).await?;
    let from_script = query.card.is_some();
    if let Some(error) = predictions.error().filter(|error| error.is_of_server()) {
        return Err(error.clone());
    }
    let mut pictures = HashMap::new();
    if !from_script || query.thumbnail.is_some() {
        for (index, bytes) in bytes.into_iter().enumerate().filter_map(|(index, bytes)| Some((index, bytes?)))
        {
            if let Some(picture) = thumbnail::thumbnail(bytes).await {
                pictures.insert(index, picture);
            }
        }
    }
    let first = query.card.unwrap_or(1);
    let options = |photo: &PhotoAnswer| CardOptions {
        id: format!("photo-{}", first + photo.index),
        picture: pictures.get(&photo.index).cloned(),
        heat_map: photo.outcome.as_ref().ok().and_then(heat_map),
        explains: from_script,
        error: photo.outcome.as_ref().err().map(|error| error.error_type.name()),
        feedback: state.config().feedback.is_some(),
    };
    let cards = cards(&predictions, options);
    if from_script {
        return Ok((cards, seen));
    }
    let answers = answers(&predictions, cards);
    Ok((photos_page(&predictions.served, &offer(state, query), Ok(Some(answers))), seen))
}

fn heat_map(output: &PhotoOutput) -> Option<String> {
    output.explanation.as_ref().map(|explanation| thumbnail::data_url("image/png", &explanation.png))
}

/// A card for each photo.
fn cards(predictions: &Predictions, options: impl Fn(&PhotoAnswer) -> CardOptions) -> Markup {
    html! {
        @for photo in &predictions.photos { (card(&photo.row(&predictions.served), &options(photo))) }
    }
}

/// The cards with their marks on the map.
fn answers(predictions: &Predictions, cards: Markup) -> Answers<'_> {
    let rows: Vec<_> = predictions.photos.iter().map(|photo| photo.row(&predictions.served)).collect();
    let marks = html! {
        @for (number, row) in (1..).zip(&rows) {
            @if let (RowOutcome::Prediction(_), Some(landmark)) = (&row.outcome, row.landmark()) {
                @if let Some(place) = &landmark.place { (map::mark(place, &format!("photo-{number}"), &row.photo)) }
            }
        }
    };
    Answers { rows, cards, marks }
}
