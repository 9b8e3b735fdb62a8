//! The native API, a file a route.

mod embed;
mod explain;
mod feedback;
mod health;
mod landmarks;
mod metrics;
mod openapi;
mod predict;

use crate::routing::Routes;

/// The routes of the native API.
pub(crate) fn routes() -> Routes {
    let native = [
        health::routes(),
        predict::routes(),
        explain::routes(),
        embed::routes(),
        feedback::routes(),
        landmarks::routes(),
        metrics::routes(),
        openapi::routes(),
    ];
    native.into_iter().fold(Routes::new(), Routes::merge)
}
