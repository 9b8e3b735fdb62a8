//! What a server tells whoever runs it. It prints nothing itself.

use std::net::SocketAddr;
use std::time::Duration;

use cairn_model::rows::ModelIdentity;
use serde::{Serialize, Serializer};

/// Hears of a server's events. It is called from many threads, and must not keep them waiting.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event<'a> {
    /// The server takes requests.
    Listening {
        /// Where.
        address: SocketAddr,
        /// The prefix of its paths.
        base_path: &'a str,
        /// The model that answers.
        model: &'a ModelIdentity,
    },
    /// A request was answered.
    Request(RequestEvent<'a>),
    /// Something that somebody should look at.
    Warning {
        /// What it is.
        message: String,
    },
    /// Another model answers from now on.
    Reloaded {
        /// The model.
        model: &'a ModelIdentity,
    },
    /// The model could not be opened again; the old one goes on answering.
    ReloadFailed {
        /// Why.
        error: String,
    },
    /// The server takes no more requests and finishes those that it has.
    Stopping,
    /// It has stopped.
    Stopped {
        /// Requests that were not answered in time.
        unanswered: usize,
    },
}

/// A request that was answered.
#[derive(Debug, Clone, Serialize)]
pub struct RequestEvent<'a> {
    /// Its id, as in `x-request-id`.
    pub id: &'a str,
    /// Its method.
    pub method: &'a str,
    /// The route that it took, never the path as it was sent.
    pub route: &'a str,
    /// Status of the answer.
    pub status: u16,
    /// The kind of the error, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<&'static str>,
    /// From its headers to its answer.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// Bytes of its body that were read.
    pub bytes: u64,
    /// How many photos it held.
    pub photos: usize,
    /// Their names, where the server is asked to log them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Tenths of a millisecond are enough.
    serializer.serialize_f64((duration.as_secs_f64() * 1e4).round() / 10.0)
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event<'_>) {}
}
