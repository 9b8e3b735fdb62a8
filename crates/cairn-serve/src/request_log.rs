//! What is counted and told of each request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::Response;

use crate::error::Refusal;
use crate::events::{Event, RequestEvent};
use crate::photos::SubmittedPhoto;
use crate::state::AppState;

/// The header with a request's id.
pub(crate) const REQUEST_ID: &str = "x-request-id";
/// The id of a request that brings a longer one is made here.
const LONGEST_ID: usize = 128;
/// The status of a request whose client left before its answer, as nginx logs it.
const CLIENT_GONE: u16 = 499;

/// Photos that an answer is about, carried beside it.
#[derive(Debug, Clone)]
pub(crate) struct PhotosSeen {
    pub(crate) count: usize,
    pub(crate) names: Option<Vec<String>>,
}

impl PhotosSeen {
    /// These photos, with their names where the server is asked to log them.
    pub(crate) fn of(state: &AppState, photos: &[SubmittedPhoto]) -> Self {
        let names = || photos.iter().map(|photo| photo.name.clone()).collect();
        Self { count: photos.len(), names: state.config().log_names.then(names) }
    }
}

/// A request that is being answered; it is counted and told of when it is answered or dropped.
pub(crate) struct RequestLog {
    state: AppState,
    id: String,
    method: Method,
    route: String,
    /// Bytes of the body that were read.
    bytes: Arc<AtomicU64>,
    begun: Instant,
    told: bool,
}

impl RequestLog {
    pub(crate) fn new(state: AppState, headers: &HeaderMap, method: Method, route: String) -> Self {
        let id = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| is_sound(id));
        let id = id.map_or_else(new_id, str::to_owned);
        Self { state, id, method, route, bytes: Arc::default(), begun: Instant::now(), told: false }
    }

    /// Where bytes of the body are counted.
    pub(crate) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes)
    }

    /// The request is answered.
    pub(crate) fn answered(mut self, response: &mut Response) {
        // Sound ids are of characters that headers may have.
        if let Ok(id) = HeaderValue::from_str(&self.id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let refusal = response.extensions().get::<Refusal>().map(|refusal| refusal.0);
        if let Some(reason) = refusal {
            self.state.metrics().rejected(reason);
        }
        let seen = response.extensions_mut().remove::<PhotosSeen>();
        self.tell(response.status().as_u16(), refusal.map(|reason| reason.name()), seen);
    }

    fn tell(&mut self, status: u16, error_type: Option<&'static str>, seen: Option<PhotosSeen>) {
        self.told = true;
        let duration = self.begun.elapsed();
        self.state.metrics().answered(&self.route, status, duration);
        self.state.observe(&Event::Request(RequestEvent {
            id: &self.id,
            method: self.method.as_str(),
            route: &self.route,
            status,
            error_type,
            duration,
            bytes: self.bytes.load(Ordering::Relaxed),
            photos: seen.as_ref().map_or(0, |seen| seen.count),
            names: seen.and_then(|seen| seen.names),
        }));
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        if !self.told {
            self.tell(CLIENT_GONE, Some("client_gone"), None);
        }
    }
}

/// Whether an id can go into logs as it is.
fn is_sound(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte))
}

/// An id that no other request of this server has: its start and a count.
fn new_id() -> String {
    static START: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // Milliseconds fit for half a billion years.
        now.as_millis() as u64
    });
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{:x}-{:x}", *START, COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_clients_are_kept_unless_they_could_forge_a_line_of_the_log() {
        for id in ["7f3c-1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a/b:c=="] {
            assert!(is_sound(id), "{id}");
        }
        for id in ["", "a b", "a\"b", "é", &"x".repeat(200)] {
            assert!(!is_sound(id), "{id}");
        }
        assert_ne!(new_id(), new_id());
    }
}
