//! What a server is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::guard::Key;

/// How a server answers, to whom, and within which limits.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Address and port to listen on.
    pub address: SocketAddr,
    /// Prefix of every path: empty, or `/cairn`.
    pub base_path: String,
    /// Names in `Host` headers that are served beside loopback's own.
    pub hosts: Vec<String>,
    /// Keys, of which every request must bring one; none: everybody is served.
    pub keys: Vec<Key>,
    /// Origins whose pages may call the API.
    pub cors: Vec<String>,
    /// Limits of requests and of the server.
    pub limits: Limits,
    /// Hosts from which photos are fetched by address.
    pub allow_urls: Vec<String>,
    /// Where corrections are kept.
    pub feedback: Option<PathBuf>,
    /// Bytes of corrections at most.
    pub max_feedback: u64,
    /// Photos, or their embeddings, that `/v1/similar` ranks.
    pub index: Option<PathBuf>,
    /// Whether the model's file is watched and opened again when it is replaced.
    pub reload: bool,
    /// Whether names of photos are logged.
    pub log_names: bool,
    /// Whether there is a page for people.
    pub page: bool,
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_path: String::new(),
            hosts: Vec::new(),
            keys: Vec::new(),
            cors: Vec::new(),
            limits: Limits::default(),
            allow_urls: Vec::new(),
            feedback: None,
            max_feedback: 4 << 30,
            index: None,
            reload: false,
            log_names: false,
            page: true,
        }
    }
}

/// Limits of requests and of the server.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a photo.
    pub max_photo: u64,
    /// Bytes of a request's body.
    pub max_request: u64,
    /// Photos of a request.
    pub max_photos: usize,
    /// Bytes of all bodies that are in memory at once.
    pub max_memory: u64,
    /// Photos that are accepted and not yet answered.
    pub queue: usize,
    /// Photos of one request that are worked on at once; its others wait, and those of other requests go before them.
    pub max_batch: usize,
    /// Threads that take photos from bytes to answers.
    pub workers: usize,
    /// From the end of an upload to its answer.
    pub deadline: Duration,
    /// The longest pause within an upload.
    pub upload_idle: Duration,
    /// Time for a request's headers; also how long an idle connection is kept.
    pub header_timeout: Duration,
    /// Connections that are open at once.
    pub connections: usize,
    /// How long a server that stops waits for answers.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_photo: 32 << 20,
            max_request: 256 << 20,
            max_photos: 64,
            max_memory: 512 << 20,
            queue: 256,
            max_batch: 16,
            workers: rayon::current_num_threads(),
            deadline: Duration::from_secs(30),
            upload_idle: Duration::from_secs(10),
            header_timeout: Duration::from_secs(30),
            connections: 4096,
            shutdown: Duration::from_secs(30),
        }
    }
}

/// Limits that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A limit of zero.
    #[error("{0} 0 serves nothing; give 1 at least")]
    Zero(&'static str),
    /// A list of so many photos would never be taken.
    #[error("--max-photos {photos} is more than --queue {queue}: a list of so many would never be taken")]
    MorePhotosThanQueue {
        /// Photos of a request.
        photos: usize,
        /// Places.
        queue: usize,
    },
    /// A body of the largest size would never fit.
    #[error(
        "--max-memory {memory} is less than a request of --max-request {request} needs as JSON ({needed} bytes)"
    )]
    LessMemoryThanRequest {
        /// Bytes of all bodies.
        memory: u64,
        /// Bytes of a request.
        request: u64,
        /// Bytes that it takes with its photos decoded from base64.
        needed: u64,
    },
    /// No origin of pages.
    #[error("--cors {0}: an origin is a scheme and a host, without a path: https://photos.example.org")]
    Origin(String),
    /// No prefix of paths.
    #[error("--base-path {0}: begin it with / and do not end it with one, such as /cairn")]
    BasePath(String),
}

impl ServeConfig {
    /// Whether the limits fit together.
    ///
    /// # Errors
    /// [`ConfigError`] says which do not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let Limits { max_photos, queue, max_batch, workers, connections, .. } = self.limits;
        for (flag, value) in [
            ("--max-photos", max_photos),
            ("--queue", queue),
            ("--max-batch", max_batch),
            ("--workers", workers),
            ("--connections", connections),
        ] {
            if value == 0 {
                return Err(ConfigError::Zero(flag));
            }
        }
        if max_photos > queue {
            return Err(ConfigError::MorePhotosThanQueue { photos: max_photos, queue });
        }
        let (memory, request) = (self.limits.max_memory, self.limits.max_request);
        let needed = crate::admission::BodyKind::Json.memory(request);
        if needed > memory {
            return Err(ConfigError::LessMemoryThanRequest { memory, request, needed });
        }
        if let Some(origin) = self.cors.iter().find(|origin| !is_origin(origin)) {
            return Err(ConfigError::Origin(origin.clone()));
        }
        let base = &self.base_path;
        let sound = base.is_empty()
            || base.starts_with('/')
                && !base.ends_with('/')
                && base.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.~".contains(c))
                && !base.contains("//");
        if sound { Ok(()) } else { Err(ConfigError::BasePath(base.clone())) }
    }
}

/// Whether a browser could send this as its `Origin`.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._:[]".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut ServeConfig)) -> Result<(), String> {
        let mut config = ServeConfig::default();
        change(&mut config);
        config.check().map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_fit_together_and_what_contradicts_itself_is_named() {
        assert_eq!(check(|_| {}), Ok(()));
        let wrong = |text: &str, change: fn(&mut ServeConfig)| {
            let error = check(change).unwrap_err();
            assert!(error.contains(text), "{text}: {error}");
        };
        wrong("--queue 0", |config| config.limits.queue = 0);
        wrong("--max-photos 64", |config| config.limits.queue = 63);
        wrong("--max-request", |config| config.limits.max_memory = 300 << 20);
        for origin in ["*", "photos.example.org", "https://photos.example.org/", "https://", "null"] {
            let error = check(|config| config.cors = vec![origin.to_owned()]);
            assert!(error.is_err(), "{origin}");
        }
        assert_eq!(check(|config| config.cors = vec!["http://[::1]:3000".to_owned()]), Ok(()));
        for base in ["cairn", "/cairn/", "/", "//cairn", "/a b", "/a?b"] {
            assert!(check(|config| config.base_path = base.to_owned()).is_err(), "{base}");
        }
        assert_eq!(check(|config| config.base_path = "/photos/cairn-1".to_owned()), Ok(()));
    }
}
