//! The routes, with what happens to every request before and after its route.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::FutureExt;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::admission::DrainedBody;
use crate::error::{ApiError, ErrorType};
use crate::guard::{check_host, check_key};
use crate::request_log::{REQUEST_ID, RequestLog};
use crate::routing::Routes;
use crate::state::AppState;

/// The route in metrics and logs of a path that is not served.
const NO_ROUTE: &str = "none";

/// All routes of a server, with or without its page.
pub fn routes(page: bool) -> Routes {
    let all = crate::routes::routes().merge(crate::compatible::routes()).merge(crate::page::docs_routes());
    if page { all.merge(crate::page::routes()) } else { all }
}

/// Everything that a server with this state answers, for a socket or a test.
pub fn router(state: &AppState) -> Router {
    let Routes { open, guarded, .. } = routes(state.config().page);
    let guarded = guarded.route_layer(from_fn_with_state(state.clone(), with_key));
    let routes = open
        .merge(guarded)
        .method_not_allowed_fallback(async || ApiError::new(ErrorType::Method, "not by this method"))
        .fallback(async || ApiError::new(ErrorType::NotFound, "nothing is served at this path; see /docs"));
    let base = state.config().base_path.as_str();
    let based = if base.is_empty() {
        routes
    } else {
        let to_page = format!("{base}/");
        Router::new()
            .route(base, get(async move || Redirect::permanent(&to_page)))
            .nest(&format!("{base}/"), routes)
            .fallback(async || ApiError::new(ErrorType::NotFound, "nothing is served at this path"))
    };
    let told = based.layer(from_fn_with_state(state.clone(), every_request)).with_state(state.clone());
    if state.config().cors.is_empty() { told } else { told.layer(cors(&state.config().cors)) }
}

/// What pages of these origins may do.
fn cors(origins: &[String]) -> CorsLayer {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::ACCEPT,
            header::AUTHORIZATION,
            HeaderName::from_static("x-api-key"),
        ])
        .expose_headers([HeaderName::from_static(REQUEST_ID), HeaderName::from_static("server-timing")])
}

/// What happens to every request: its host is checked, it is counted and told of, a panic becomes an answer.
async fn every_request(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str);
    let route = route.strip_prefix(state.config().base_path.as_str()).unwrap_or(route).to_owned();
    let log = RequestLog::new(state.clone(), request.headers(), request.method().clone(), route.clone());
    let counted = log.bytes();
    let request = DrainedBody::of(request, counted);
    let response = match check_host(state.config(), request.headers(), request.uri()) {
        Err(error) => error.into_response(),
        Ok(()) => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
            ApiError::internal("internal error: please report it, with the request").into_response()
        }),
    };
    let mut response = crate::compatible::shaped(&route, response).await;
    log.answered(&mut response);
    response
}

/// Lets those through that bring a key, or all where there is none.
async fn with_key(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match check_key(&state.config().keys, request.headers(), request.uri().query()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}
