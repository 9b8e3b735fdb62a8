//! Values of a query string.

use std::collections::HashMap;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::Uri;

use crate::error::ApiError;

/// A query, or what is wrong with it.
pub(crate) fn checked<T>(query: Result<T, QueryRejection>) -> Result<T, ApiError> {
    query.map_err(|rejection| ApiError::validation(rejection.body_text()))
}

/// The last value of `name` in a query string, decoded.
pub(crate) fn value(query: Option<&str>, name: &str) -> Option<String> {
    let uri: Uri = format!("/?{}", query?).parse().ok()?;
    let Query(mut values) = Query::<HashMap<String, String>>::try_from_uri(&uri).ok()?;
    values.remove(name)
}
