//! Routes, each with its path, its method and whether it wants a key.

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
    /// Those for everybody.
    pub(crate) open: Router<AppState>,
    /// Those that want a key if the server has keys.
    pub(crate) guarded: Router<AppState>,
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

    /// `handler` answers POST of `path`, and asks for a key by itself, if the server has keys: in its own form.
    #[must_use]
    pub fn post_asking<H: Handler<T, AppState>, T: 'static>(
        mut self,
        path: &'static str,
        handler: H,
    ) -> Self {
        self.open = self.open.route(path, post(handler));
        self.listed.push(Listed { method: Method::POST, path, open: false });
        self
    }

    fn add(mut self, method: Method, path: &'static str, open: bool, route: MethodRouter<AppState>) -> Self {
        let router = if open { &mut self.open } else { &mut self.guarded };
        *router = std::mem::take(router).route(path, route);
        self.listed.push(Listed { method, path, open });
        self
    }

    /// Both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.open = self.open.merge(other.open);
        self.guarded = self.guarded.merge(other.guarded);
        self.listed.extend(other.listed);
        self
    }

    /// All of them.
    pub fn listed(&self) -> &[Listed] {
        &self.listed
    }
}
