//! Who may ask a review, and what is answered.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use cairn_library::decisions::DecisionError;
use cairn_library::state::Decision;
use maud::Markup;

use super::desk::{Bell, Desk};
use super::form::{Do, Form, Part};
use super::pages;
use super::picture::{Size, jpeg, sign};
use crate::admission::DrainedBody;
use crate::config::ServeConfig;
use crate::guard::{Key, check_host, check_origin};
use crate::page::assets;
use crate::page::components::frame::CONTENT_POLICY;

/// Bytes of a form at most: a selection of a hundred thousand photos.
const MOST_BYTES: usize = 1 << 20;

/// What every address of a review begins with, and by which names its server is called.
#[derive(Clone)]
pub(super) struct Secret {
    key: Key,
    config: Arc<ServeConfig>,
}

impl Secret {
    pub(super) fn new(secret: &str, address: SocketAddr) -> Self {
        let config = ServeConfig { address, ..ServeConfig::default() };
        Self { key: Key::new(secret), config: config.into() }
    }

    /// Whether the address begins with it. The time that this takes tells nothing of it.
    fn begins(&self, uri: &Uri) -> bool {
        let first = uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
        self.key.is(&Key::new(first))
    }
}

/// All that a review answers.
pub(super) fn router(bell: Bell, secret: Secret) -> Router {
    Router::new()
        .route("/{secret}/", get(overview))
        .route("/{secret}/groups/{group}", get(group))
        .route("/{secret}/groups/{group}/photos/{photo}", get(photo))
        .route("/{secret}/groups/{group}/photos/{photo}/small.jpg", get(small))
        .route("/{secret}/decide", post(decide))
        .route("/{secret}/assets/{name}", get(asset))
        .fallback(async || Refusal::NotFound)
        .method_not_allowed_fallback(async || Refusal::NotFound)
        .layer(from_fn_with_state(secret, guarded))
        .with_state(bell)
}

/// What is said instead of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    /// Nothing there, or the address lacks the secret: which of the two is not told.
    NotFound,
    /// A page of another site, or another name of this machine.
    Forbidden(String),
    /// No form of these pages.
    Form,
    /// The decision is not on the disk.
    NotStored(String),
    /// The server stops.
    Stopping,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "Nothing is at this address. Open the address that `cairn library review` prints, as a whole.".to_owned(),
            ),
            Self::Forbidden(why) => (StatusCode::FORBIDDEN, why),
            Self::Form => (StatusCode::BAD_REQUEST, "This is no form of the review's pages.".to_owned()),
            Self::NotStored(why) => (StatusCode::INTERNAL_SERVER_ERROR, format!("This was not stored: {why}")),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "The review has ended.".to_owned()),
        };
        let headers = [
            (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        (status, headers, text).into_response()
    }
}

impl From<super::desk::Left> for Refusal {
    fn from(_: super::desk::Left) -> Self {
        Self::Stopping
    }
}

/// Every request: called by a name of this machine, with the secret, and if it decides, from the review's own pages.
async fn guarded(State(secret): State<Secret>, request: Request, next: Next) -> Response {
    // Nobody reads how many bytes came.
    let request = DrainedBody::of(request, Arc::default());
    let (headers, uri) = (request.headers(), request.uri());
    if let Err(error) = check_host(&secret.config, headers, uri) {
        return Refusal::Forbidden(error.message).into_response();
    }
    if !secret.begins(uri) {
        return Refusal::NotFound.into_response();
    }
    if request.method() == axum::http::Method::POST && check_origin(&secret.config, headers).is_err() {
        return Refusal::Forbidden("A page of another site may not decide.".to_owned()).into_response();
    }
    next.run(request).await
}

/// A page as browsers get it. It is never kept: it shows what holds now.
fn page(markup: Markup) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 7] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY)),
        // Forms of the page are told apart from those of other sites by their origin, which `no-referrer` would take away.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (HEADERS, markup.into_string()).into_response()
}

async fn overview(State(bell): State<Bell>) -> Result<Response, Refusal> {
    Ok(page(bell.ask(|desk| pages::overview(desk)).await?))
}

async fn group(
    State(bell): State<Bell>,
    Path((_, group)): Path<(String, usize)>,
    request: Request,
) -> Result<Response, Refusal> {
    let part = Part::of_query(request.uri().query());
    let shown = bell.ask(move |desk| pages::group(desk, group, part)).await?;
    shown.map(page).ok_or(Refusal::NotFound)
}

async fn photo(
    State(bell): State<Bell>,
    Path((_, group, photo)): Path<(String, usize, usize)>,
) -> Result<Response, Refusal> {
    let found = bell.ask(move |desk| desk.photo(group, photo).map(|(_, path)| path)).await?;
    let picture = jpeg(found.ok_or(Refusal::NotFound)?, Size::Large).await;
    let shown = bell.ask(move |desk| pages::photo(desk, group, photo, &picture)).await?;
    shown.map(page).ok_or(Refusal::NotFound)
}

async fn small(
    State(bell): State<Bell>,
    Path((_, group, photo)): Path<(String, usize, usize)>,
) -> Result<Response, Refusal> {
    let found = bell.ask(move |desk| desk.photo(group, photo).map(|(_, path)| path)).await?;
    let picture = jpeg(found.ok_or(Refusal::NotFound)?, Size::Small).await;
    let (media_type, kept, content) = match picture {
        // While the person looks; pages that come again show it at once.
        Ok(jpeg) => ("image/jpeg", "private, max-age=3600", Body::from(jpeg)),
        Err(reason) => ("image/svg+xml", "no-store", Body::from(sign(&reason))),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, kept),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    Ok((headers, content).into_response())
}

async fn asset(Path((_, name)): Path<(String, String)>) -> Result<Response, Refusal> {
    let asset = assets::find(&name).ok_or(Refusal::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, asset.content).into_response())
}

/// Stores what a form says, and leads back to the page that shows it.
async fn decide(State(bell): State<Bell>, request: Request) -> Result<Response, Refusal> {
    let body = to_bytes(request.into_body(), MOST_BYTES).await.map_err(|_| Refusal::Form)?;
    let form = Form::of(&body).ok_or(Refusal::Form)?;
    let decided = bell.ask(move |desk| decided(desk, &form)).await?;
    let to = decided.map_err(|error| Refusal::NotStored(chain(&error)))?;
    let location = HeaderValue::from_str(&to).map_err(|_| Refusal::Form)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}

/// Stores it. The address of the page to go on with, from `decide` on.
fn decided(desk: &mut Desk<'_>, form: &Form) -> Result<String, DecisionError> {
    let group = form.group;
    let undecided = |desk: &Desk<'_>| -> Vec<usize> {
        let of = desk.groups().get(group).map_or(&[][..], |of| &of.photos);
        (0..of.len()).filter(|&at| of[at].decision.is_none()).collect()
    };
    let (photos, decision): (Vec<usize>, Decision) = match form.what {
        Do::One(photo, decision) => (vec![photo], decision),
        Do::Selected(decision) => (form.photos.clone(), decision),
        Do::Undecided(decision) => (undecided(desk), decision),
        Do::NeverHere => {
            desk.review.never_here(group)?;
            return Ok(sheet(group, form.part, None));
        }
        Do::AllowHere => {
            desk.review.allow_here(group)?;
            return Ok(sheet(group, form.part, None));
        }
        Do::Nothing => return Ok(sheet(group, form.part, None)),
        Do::TakeBack => {
            let Some(step) = desk.review.take_back()? else { return Ok(sheet(group, form.part, None)) };
            let part = if step.group == group { form.part } else { Part::default() };
            return Ok(sheet(step.group, part, step.photos.first().copied()));
        }
    };
    desk.review.decide(group, &photos, decision)?;
    let next = photos.last().and_then(|&last| undecided(desk).into_iter().find(|&at| at > last));
    Ok(match (form.alone, next) {
        (true, Some(photo)) => format!("groups/{group}/photos/{photo}"),
        (true, None) => sheet(group, form.part, None),
        (false, next) => sheet(group, form.part, next),
    })
}

/// A group's page, at a photo. A script that follows the redirection does not see the fragment, so that the query says it, too.
fn sheet(group: usize, part: Part, photo: Option<usize>) -> String {
    let query = part.query();
    let Some(photo) = photo else { return format!("groups/{group}{query}") };
    let separator = if query.is_empty() { '?' } else { '&' };
    format!("groups/{group}{query}{separator}at={photo}#photo-{photo}")
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
