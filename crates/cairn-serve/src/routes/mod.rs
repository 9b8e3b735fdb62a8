//! What is served at which path.

mod health;
mod predict;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodRouter, get, post};

use crate::state::AppState;

/// A path that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// By this method.
    pub method: Method,
    /// The pattern, such as `/v1/model`.
    pub path: &'static str,
    /// Whether it is served without a key.
    pub open: bool,
}

/// Routes, and a list of them: every one is in the list, so that a test can hold it against the documentation.
#[derive(Default)]
pub struct Routes {
    router: Router<AppState>,
    listed: Vec<Listed>,
}

impl Routes {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// `handler` answers GET of `path`, with a key if the server has keys.
    #[must_use]
    pub fn get<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::GET, path, false, get(handler))
    }

    /// `handler` answers POST of `path`, with a key if the server has keys.
    #[must_use]
    pub fn post<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::POST, path, false, post(handler))
    }

    /// `handler` answers GET of `path` to everybody.
    #[must_use]
    pub fn get_open<H: Handler<T, AppState>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.add(Method::GET, path, true, get(handler))
    }

    fn add(mut self, method: Method, path: &'static str, open: bool, route: MethodRouter<AppState>) -> Self {
        self.router = self.router.route(path, route);
        self.listed.push(Listed { method, path, open });
        self
    }

    /// Both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.listed.extend(other.listed);
        self
    }

    /// All of them.
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }

    pub(crate) fn into_router(self) -> Router<AppState> {
        self.router
    }
}

/// All routes of a server like this.
pub(crate) fn all(page: bool) -> Routes {
    let native = health::routes().merge(predict::routes());
    let all = native.merge(crate::compatible::routes());
    if page { all.merge(crate::page::routes()) } else { all }
}
