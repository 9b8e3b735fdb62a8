//! Names under which the server may be called, and pages that may write.

use axum::http::{HeaderMap, Uri, header};

use crate::config::ServeConfig;
use crate::error::{ApiError, ErrorType};

/// Loopback's own names.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether a request calls the server by a name that is its own.
///
/// A page of another site can have its name resolved to 127.0.0.1 and then read what a server on loopback answers (DNS
/// rebinding); the name in its requests is still the site's.
///
/// # Errors
/// When it calls it otherwise.
pub(crate) fn check_host(config: &ServeConfig, headers: &HeaderMap, uri: &Uri) -> Result<(), ApiError> {
    let on_loopback = config.address.ip().is_loopback();
    if !on_loopback && config.hosts.is_empty() {
        return Ok(());
    }
    let of_header = headers.get(header::HOST).map(|value| value.to_str().unwrap_or_default());
    // Every browser says it.
    let Some(host) = uri.authority().map(|authority| authority.as_str()).or(of_header) else { return Ok(()) };
    let name = without_port(host);
    let is = |known: &str| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(host);
    let own_address = config.address.ip().to_string();
    let known = LOOPBACK.iter().any(|known| is(known))
        || is(&own_address)
        || config.hosts.iter().any(|known| is(known));
    if known {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorType::Forbidden,
        "the server is not called by this name; a name that a proxy passes on is allowed by --host",
    ))
}

/// The name or address in a `Host` header.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a request that writes comes from a page of this server, of an allowed origin, or from a program.
///
/// # Errors
/// When it comes from a page of another site.
pub(crate) fn check_origin(config: &ServeConfig, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = text("origin");
    if origin.is_some_and(|origin| config.cors.iter().any(|allowed| allowed == origin)) {
        return Ok(());
    }
    let same = match (text("sec-fetch-site"), origin) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => origin.split_once("://").is_some_and(|(_, host)| Some(host) == text("host")),
        (None, None) => true,
    };
    if same {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorType::Forbidden,
        "a page of another site may not send corrections; allow its origin by --cors",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_server_on_loopback_is_called_by_its_own_names_alone() {
        let config = ServeConfig { hosts: vec!["photos.example.org".to_owned()], ..ServeConfig::default() };
        let check = |config: &ServeConfig, host| {
            check_host(config, &headers(&[("host", host)]), &Uri::from_static("/v1/predict"))
        };
        for host in
            ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:80", "[::1]", "photos.example.org"]
        {
            assert_eq!(check(&config, host), Ok(()), "{host}");
        }
        for host in
            ["evil.example.org", "evil.example.org:8080", "localhost.evil.org", "127.0.0.1.nip.io", ""]
        {
            assert_eq!(check(&config, host).unwrap_err().error_type, ErrorType::Forbidden, "{host}");
        }
        let rebound = Uri::from_static("http://evil.example.org/");
        assert!(check_host(&config, &headers(&[("host", "localhost")]), &rebound).is_err());
        assert_eq!(check_host(&config, &HeaderMap::new(), &Uri::from_static("/")), Ok(()), "HTTP/1.0");
        let open = ServeConfig { address: ([0, 0, 0, 0], 80).into(), ..ServeConfig::default() };
        assert_eq!(check(&open, "anything"), Ok(()));
        let named = ServeConfig { hosts: config.hosts, ..open };
        assert!(check(&named, "anything").is_err() && check(&named, "photos.example.org").is_ok());
    }

    #[test]
    fn pages_of_other_sites_may_not_write() {
        let config =
            ServeConfig { cors: vec!["https://app.example.org".to_owned()], ..ServeConfig::default() };
        let check = |pairs: &[_]| check_origin(&config, &headers(pairs)).is_ok();
        assert!(check(&[]), "a program");
        assert!(check(&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8080")]));
        assert!(check(&[("origin", "http://localhost:8080"), ("host", "localhost:8080")]));
        assert!(check(&[("origin", "https://app.example.org"), ("sec-fetch-site", "cross-site")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(!check(&[("sec-fetch-site", "same-site"), ("origin", "http://other.localhost")]));
        assert!(!check(&[("origin", "https://evil.example.org"), ("host", "localhost:8080")]));
        assert!(!check(&[("origin", "null"), ("host", "localhost:8080")]));
    }
}
