//! Keys that clients bring.

use std::fmt;

use axum::http::{HeaderMap, header};

use crate::error::{ApiError, ErrorType};

/// A key. It is kept as its hash, so that it is in no log, and comparing it takes the same time whatever is brought.
#[derive(Clone)]
pub struct Key(blake3::Hash);

impl Key {
    /// This key.
    pub fn new(key: &str) -> Self {
        Self(blake3::hash(key.as_bytes()))
    }

    /// Whether they are equal, in a time that does not tell how much of them is (blake3 promises it of its hashes).
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(...)")
    }
}

/// Whether a request brings one of `keys`: as `Authorization: Bearer`, `x-api-key`, `x-goog-api-key` or `?key=`.
///
/// # Errors
/// When it brings none, or another one.
pub(crate) fn check_key(keys: &[Key], headers: &HeaderMap, query: Option<&str>) -> Result<(), ApiError> {
    if keys.is_empty() {
        return Ok(());
    }
    let Some(brought) = brought(headers, query) else {
        return Err(unauthorised(
            "this server wants a key: Authorization: Bearer KEY, x-api-key: KEY or ?key=KEY",
        ));
    };
    let brought = Key::new(&brought);
    // All are compared, so that the time does not tell which of them it is.
    if keys.iter().fold(false, |known, key| known | key.is(&brought)) {
        Ok(())
    } else {
        Err(unauthorised("the server does not know this key"))
    }
}

fn brought(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let of_headers = bearer.or_else(|| text("x-api-key")).or_else(|| text("x-goog-api-key"));
    of_headers.map(str::to_owned).or_else(|| crate::query::value(query, "key"))
}

fn unauthorised(message: &str) -> ApiError {
    ApiError::new(ErrorType::Unauthorised, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_key_is_taken_from_every_place_where_clients_put_it_and_others_are_refused() {
        let keys = [Key::new("first"), Key::new("s&cond")];
        let check = |name: &'static str, value: &'static str, query| {
            let mut headers = HeaderMap::new();
            if !name.is_empty() {
                headers.insert(name, HeaderValue::from_static(value));
            }
            check_key(&keys, &headers, query)
        };
        assert_eq!(check("authorization", "Bearer first", None), Ok(()));
        assert_eq!(check("authorization", "bearer  s&cond", None), Ok(()));
        assert_eq!(check("x-api-key", "first", None), Ok(()));
        assert_eq!(check("x-goog-api-key", "first", None), Ok(()));
        assert_eq!(check("", "", Some("k=1&key=s%26cond")), Ok(()));
        for (name, value, query) in [
            ("", "", None),
            ("", "", Some("key=firs")),
            ("authorization", "Bearer firstt", None),
            ("authorization", "Basic first", None),
            ("x-api-key", "", None),
        ] {
            let error = check(name, value, query).unwrap_err();
            assert_eq!(error.error_type, ErrorType::Unauthorised, "{name} {value} {query:?}");
        }
        assert_eq!(check_key(&[], &HeaderMap::new(), None), Ok(()), "a server without keys");
        assert_eq!(format!("{:?}", keys[0]), "Key(...)");
    }
}
