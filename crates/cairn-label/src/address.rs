//! Addresses of stores, such as `s3://bucket/photos/a.jpg`: they are told from paths, and never shown with a secret.

use std::fmt;
use std::path::PathBuf;

/// What keeps the files of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scheme {
    /// Amazon S3, and what speaks as it does.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
    /// A web server.
    Http,
    /// The same, encrypted.
    Https,
    /// This machine.
    File,
}

impl Scheme {
    const ALL: [(&'static str, Self); 7] = [
        ("s3", Self::S3),
        ("s3a", Self::S3),
        ("gs", Self::Google),
        ("az", Self::Azure),
        ("http", Self::Http),
        ("https", Self::Https),
        ("file", Self::File),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Google => "gs",
            Self::Azure => "az",
            Self::Http => "http",
            Self::Https => "https",
            Self::File => "file",
        }
    }

    /// Whether files are read there by their URLs, and neither listed nor written.
    pub(crate) fn is_web(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }
}

/// The address of a file, or of all files whose names begin alike.
///
/// What it shows, `Debug` included, is without the query of a signed URL.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    pub(crate) scheme: Scheme,
    /// The bucket, the container, or the host with its port; empty of a file on this machine.
    pub(crate) place: String,
    /// What follows it, without the slash before; of a web address as it is sent, else as it is.
    pub(crate) path: String,
    /// Of a web address, with its question mark.
    query: String,
}

/// Why a text is no address that can be used. It holds no secret of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown}: {reason}")]
pub struct AddressError {
    /// What can be shown of the text.
    pub shown: String,
    /// What is wrong with it, and what to do.
    pub reason: String,
}

/// Whether this is an address, such as `s3://bucket/photos`, and no path.
pub(crate) fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        // A letter alone is a drive of Windows.
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}

impl Address {
    /// The address of this text.
    ///
    /// # Errors
    /// Of a scheme that is not known, without a bucket, and with a key or a password in it.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let known = Scheme::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(scheme));
        let Some(&(_, kind)) = known else {
            let reason =
                "no store that cairn knows; it knows s3://, gs://, az://, https://, http:// and file://";
            return Err(AddressError { shown: format!("{scheme}://"), reason: reason.to_owned() });
        };
        match kind {
            Scheme::File => Self::of_file(rest),
            Scheme::Http | Scheme::Https => Self::of_web(kind, rest),
            _ => Self::of_bucket(kind, rest),
        }
    }

    fn of_file(rest: &str) -> Result<Self, AddressError> {
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        match path.strip_prefix('/') {
            Some(path) => Ok(Self {
                scheme: Scheme::File,
                place: String::new(),
                path: percent_decoded(path),
                query: String::new(),
            }),
            None => Err(AddressError {
                shown: format!("file://{rest}"),
                reason: "names a file of another machine; file addresses begin with file:///".to_owned(),
            }),
        }
    }

    fn of_web(scheme: Scheme, rest: &str) -> Result<Self, AddressError> {
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = place.rsplit_once(':').map_or("", |(_, port)| port.trim_end_matches(']'));
        // The port of an IPv6 host ends such an address only behind its bracket.
        if place.contains('@') || !place.starts_with('[') && !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Self::has_secret(scheme));
        }
        if place.is_empty() {
            let reason = "names no host".to_owned();
            return Err(AddressError { shown: format!("{}://", scheme.name()), reason });
        }
        Ok(Self { scheme, place: place.to_owned(), path: path.to_owned(), query: query.to_owned() })
    }

    fn of_bucket(scheme: Scheme, rest: &str) -> Result<Self, AddressError> {
        let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-._$".contains(c));
        // A secret may hold slashes, so that what is before the first of them is no bucket.
        let is_signed = path.split_once('?').is_some_and(|(_, query)| is_signature(query));
        if !is_name(place) || is_signed {
            return Err(Self::has_secret(scheme));
        }
        if place.is_empty() {
            let reason = "names no bucket".to_owned();
            return Err(AddressError { shown: format!("{}://", scheme.name()), reason });
        }
        Ok(Self { scheme, place: place.to_owned(), path: path.to_owned(), query: String::new() })
    }

    fn has_secret(scheme: Scheme) -> AddressError {
        AddressError {
            shown: format!("{}://...", scheme.name()),
            reason: "has no plain name of a bucket or host; keys and passwords belong in environment variables, not in \
                     addresses"
                .to_owned(),
        }
    }

    /// The path on this machine, of a `file://`.
    pub(crate) fn local_path(&self) -> Option<PathBuf> {
        let is_drive = self.path.as_bytes().get(1) == Some(&b':') && cfg!(windows);
        let path = || if is_drive { self.path.clone() } else { format!("/{}", self.path) };
        (self.scheme == Scheme::File).then(|| path().into())
    }

    /// The URL of a web address, with its query.
    #[cfg_attr(not(feature = "cloud"), expect(dead_code, reason = "nothing is reached"))]
    pub(crate) fn url(&self) -> String {
        format!("{}://{}/{}{}", self.scheme.name(), self.place, self.path, self.query)
    }

    /// Whether its query lets those in who know it.
    pub(crate) fn is_signed(&self) -> bool {
        is_signature(self.query.trim_start_matches('?'))
    }

    /// What is behind its last slash.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The address of what holds it.
    pub(crate) fn parent(&self) -> Self {
        let path = self.path.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
        Self { path, query: String::new(), ..self.clone() }
    }

    /// The address of another file in the same store.
    pub(crate) fn with_path(&self, path: impl Into<String>) -> Self {
        Self { path: path.into(), query: String::new(), ..self.clone() }
    }

    /// The address of a file that is named from here on, such as `b/c.jpg` or `../d.jpg`.
    ///
    /// # Errors
    /// When it leads out of the store.
    pub(crate) fn join(&self, relative: &str) -> Result<Self, AddressError> {
        let relative = if self.scheme.is_web() { percent_encoded(relative) } else { relative.to_owned() };
        let mut parts: Vec<&str> = self.path.split('/').filter(|part| !part.is_empty()).collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." if parts.pop().is_none() => {
                    return Err(AddressError {
                        shown: format!("{self}/{relative}"),
                        reason: "leads out of the store".to_owned(),
                    });
                }
                ".." => {}
                part => parts.push(part),
            }
        }
        Ok(self.with_path(parts.join("/")))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = if self.is_signed() { "" } else { &self.query };
        write!(f, "{}://{}/{}{query}", self.scheme.name(), self.place, self.path)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Whether a query holds a signature, a key or a token.
fn is_signature(query: &str) -> bool {
    const NAMES: [&str; 14] = [
        "sig",
        "signature",
        "awsaccesskeyid",
        "googleaccessid",
        "key-pair-id",
        "policy",
        "token",
        "access_token",
        "auth",
        "key",
        "apikey",
        "api_key",
        "password",
        "secret",
    ];
    query.split(['&', ';']).any(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
        name.starts_with("x-amz-") || name.starts_with("x-goog-") || NAMES.contains(&name.as_str())
    })
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let digits = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &others[2..];
            }
            _ => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(byte.into());
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        for address in ["s3://bucket/a", "https://example.org/a.jpg", "abfss://x@y/z", "gs://b"] {
            assert!(is_address(address), "{address}");
        }
        for path in ["a/b.jpg", "C://photos", "odd name://x", "a:b", "/s3:/x", ""] {
            assert!(!is_address(path), "{path}");
        }
    }

    #[test]
    fn an_address_is_a_store_and_a_name_in_it() {
        for (text, shown) in [
            ("s3://bucket/a b/c?d.jpg", "s3://bucket/a b/c?d.jpg"),
            ("S3A://bucket", "s3://bucket/"),
            ("az://container/x/", "az://container/x/"),
            ("https://example.org:8080/a.jpg?id=5#part", "https://example.org:8080/a.jpg?id=5"),
            ("http://[::1]:80/a.jpg", "http://[::1]:80/a.jpg"),
            ("https://b.example.org/a.jpg?id=5&X-Amz-Signature=abc", "https://b.example.org/a.jpg"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
        let signed = Address::parse("https://b.example.org/a.jpg?sig=abc").unwrap();
        assert_eq!(format!("{signed:?}"), "Address(https://b.example.org/a.jpg)");
        let local = Address::parse("file:///a%20b/c.csv").unwrap();
        assert_eq!(local.local_path().unwrap(), PathBuf::from("/a b/c.csv"));
    }

    #[test]
    fn what_holds_a_secret_is_refused_without_showing_it() {
        for text in [
            "s3://AKIA:secret@bucket/a.jpg",
            "s3://AKIA:sec/ret@bucket/a.jpg",
            "gs://secret@bucket/a",
            "az://container/a.jpg?sv=1&sig=secret",
            "https://me:secret@example.org/a.jpg",
            "https://me:sec/ret@example.org/a.jpg",
            "abfss://secret@account/a",
            "s3:///a.jpg",
            "http:///a.jpg",
            "file://host/a.jpg",
        ] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("sec/") && !error.contains("secret"), "{text}: {error}");
        }
    }

    #[test]
    fn names_in_a_list_start_at_its_folder() {
        let list = Address::parse("s3://bucket/lists/a.csv").unwrap();
        for (name, expected) in [
            ("x y.jpg", "s3://bucket/lists/x y.jpg"),
            ("../photos/./x.jpg", "s3://bucket/photos/x.jpg"),
            ("/x.jpg", "s3://bucket/lists/x.jpg"),
        ] {
            assert_eq!(list.parent().join(name).unwrap().to_string(), expected);
        }
        assert!(list.parent().join("../../x.jpg").is_err());
        let list = Address::parse("https://example.org/lists/a.csv?token=abc").unwrap();
        let photo = list.parent().join("ä b?.jpg").unwrap();
        assert_eq!(photo.to_string(), "https://example.org/lists/%C3%A4%20b%3F.jpg");
    }
}
