//! What goes wrong with a store, in words without secrets; and whether it is the fault of one file or of the store.

use std::error::Error as _;
use std::io;

use crate::address::Address;

/// Codes of stores that say `forbidden` or `not found` of more than one file.
const OF_STORE: [&str; 12] = [
    "AuthenticationFailed",
    "AuthorizationHeaderMalformed",
    "ContainerNotFound",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "NoSuchBucket",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "AccountIsDisabled",
    "InvalidAuthenticationInfo",
];

/// Whether a fault is that of one file: it is missing, forbidden, or has a name that cannot be. All else is the store's, and
/// may pass.
pub(crate) fn is_of_file(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, InvalidInput, NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | PermissionDenied | InvalidInput | FileTooLarge)
}

/// The error of an answer. It holds neither queries of URLs nor what a server says beyond its code.
pub(super) fn io_error(error: object_store::Error, address: &Address) -> io::Error {
    use object_store::Error as Fault;
    let whole = chain(&error);
    let code = code(&whole);
    let kind = match (&error, status(&whole)) {
        _ if code.is_some_and(|code| OF_STORE.contains(&code)) => io::ErrorKind::Other,
        (Fault::NotFound { .. }, _) => io::ErrorKind::NotFound,
        (Fault::PermissionDenied { .. }, _) => io::ErrorKind::PermissionDenied,
        (Fault::InvalidPath { .. }, _) => io::ErrorKind::InvalidInput,
        (Fault::NotSupported { .. } | Fault::NotImplemented { .. }, _) => io::ErrorKind::Unsupported,
        (Fault::Unauthenticated { .. }, _) if address.scheme.is_web() => io::ErrorKind::PermissionDenied,
        // What another start of the same request would not change. (Early, too many, a time-out of the server's: these pass.)
        (_, Some(status)) if address.scheme.is_web() && (400..500).contains(&status) => match status {
            408 | 425 | 429 => io::ErrorKind::Other,
            _ => io::ErrorKind::InvalidInput,
        },
        _ => io::ErrorKind::Other,
    };
    if matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) {
        return kind.into();
    }
    io::Error::new(kind, words(&error, &whole, code))
}

fn words(error: &object_store::Error, whole: &str, code: Option<&str>) -> String {
    let advice = if whole.contains("169.254.169.254") || whole.contains("metadata.google.internal") {
        "; no credentials are in the environment, and this is no machine of the store's own: set them (for S3 \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or AWS_SKIP_SIGNATURE=true for a public bucket"
    } else {
        ""
    };
    let said = match (status(whole), code) {
        (Some(status), Some(code)) => format!("the store answers {status} ({code})"),
        (Some(status), None) => format!("the store answers {status}"),
        (None, _) if matches!(error, object_store::Error::Precondition { .. }) => {
            "has changed while it was read".to_owned()
        }
        (None, _) => without_queries(&deepest(error)),
    };
    format!("{said}{advice}")
}

/// What an error and its causes say, together.
fn chain(error: &object_store::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        said.push('\n');
        said.push_str(&next.to_string());
        cause = next.source();
    }
    said
}

/// What the last cause of an error says.
fn deepest(error: &object_store::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        said = next.to_string();
        cause = next.source();
    }
    said
}

/// The status of an answer, which the client has in its words alone.
fn status(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("non-2xx status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The code in the XML of an answer.
fn code(said: &str) -> Option<&str> {
    let (_, rest) = said.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    (!code.is_empty() && code.len() < 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then_some(code)
}

/// A message without what follows the question marks of its URLs, where signatures are.
fn without_queries(message: &str) -> String {
    let mut kept = String::new();
    let mut rest = message;
    while let Some((before, url)) = rest.split_once("://") {
        let end = url.find(|c: char| c.is_whitespace() || "\"'<>()".contains(c)).unwrap_or(url.len());
        let (url, after) = url.split_at(end);
        let bare = url.split('?').next().unwrap_or_default();
        kept.push_str(before);
        kept.push_str("://");
        kept.push_str(bare.rsplit_once('@').map_or(bare, |(_, host)| host));
        rest = after;
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: &str, body: &str) -> object_store::Error {
        let said = format!("Server returned non-2xx status code: {status}: {body}");
        object_store::Error::Generic { store: "S3", source: said.into() }
    }

    #[test]
    fn a_file_is_at_fault_for_itself_and_a_store_for_all_files() {
        let [web, s3] =
            ["https://example.org/a.jpg", "s3://bucket/a.jpg"].map(|text| Address::parse(text).unwrap());
        let missing =
            |body: &str| object_store::Error::NotFound { path: "a".to_owned(), source: body.into() };
        for (error, address, of_file) in [
            (missing(""), &s3, true),
            (missing("<Code>NoSuchBucket</Code>"), &s3, false),
            (answered("410 Gone", ""), &web, true),
            (answered("429 Too Many Requests", ""), &web, false),
            (answered("503 Service Unavailable", ""), &web, false),
            (answered("400 Bad Request", "<Code>ExpiredToken</Code>"), &s3, false),
            (answered("500 Internal Server Error", ""), &s3, false),
        ] {
            let error = io_error(error, address);
            assert_eq!(is_of_file(&error), of_file, "{error}");
        }
    }

    #[test]
    fn what_is_said_holds_no_secret() {
        let address = Address::parse("s3://bucket/a.jpg").unwrap();
        let error = io_error(answered("503 Slow Down", "<Code>SlowDown</Code><Key>secret</Key>"), &address);
        assert_eq!(error.to_string(), "the store answers 503 (SlowDown)");
        assert_eq!(
            without_queries("at https://me:secret@b.org/a?sig=secret (x), then http://c?d e"),
            "at https://b.org/a (x), then http://c e"
        );
    }
}
