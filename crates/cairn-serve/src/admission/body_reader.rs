//! Reading a body within limits of memory, length and time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;

use super::body_kind::BodyKind;
use super::memory::{MemoryPermit, MemoryPermits};
use crate::config::Limits;
use crate::error::{ApiError, ErrorType};
use crate::size::shown_size;

/// Bytes a second that an upload reaches on average, at least: a client that sends a byte now and then would hold its
/// memory for days.
const LEAST_RATE: u64 = 1 << 10;

/// Reads a body chunk by chunk. Its memory is taken before it is read: by its length if the client says it, else as it
/// comes.
pub(crate) struct BodyReader {
    body: Body,
    kind: BodyKind,
    limits: Arc<Limits>,
    memory: MemoryPermits,
    permit: SharedPermit,
    /// Whether the permit is for the whole.
    prepaid: bool,
    length: Option<u64>,
    read: u64,
    begun: Instant,
}

/// The memory of a body, shared by its reader and its photos.
#[derive(Debug, Clone)]
pub(crate) struct SharedPermit(Arc<Mutex<MemoryPermit>>);

impl SharedPermit {
    pub(crate) fn new(permit: MemoryPermit) -> Self {
        Self(Arc::new(Mutex::new(permit)))
    }

    fn add(&self, more: MemoryPermit) {
        self.lock().merge(more);
    }

    /// Bytes that are taken.
    fn bytes(&self) -> u64 {
        self.lock().bytes()
    }

    fn lock(&self) -> MutexGuard<'_, MemoryPermit> {
        // A number is never half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BodyReader {
    /// Takes memory for the body of a request.
    ///
    /// # Errors
    /// When it is too large, or there is no memory now.
    pub(crate) fn admit(
        body: Body,
        kind: BodyKind,
        limits: &Arc<Limits>,
        memory: &MemoryPermits,
    ) -> Result<Self, ApiError> {
        let length = body.size_hint().exact();
        check_length(length.unwrap_or(0), limits)?;
        let needed = kind.memory(length.unwrap_or(0));
        let permit = memory.try_take(needed).ok_or_else(|| no_memory(needed, memory, limits))?;
        Ok(Self {
            body,
            kind,
            limits: Arc::clone(limits),
            memory: memory.clone(),
            permit: SharedPermit::new(permit),
            prepaid: length.is_some(),
            length,
            read: 0,
            begun: Instant::now(),
        })
    }

    /// The memory of the body; it is taken until the last clone is dropped.
    pub(crate) fn permit(&self) -> SharedPermit {
        self.permit.clone()
    }

    /// How long the body is, if the client said so.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the client stops, is too slow, or sends more than the limits or the memory allow.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let frame = tokio::time::timeout(self.patience(), self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| self.too_slow())? else { return Ok(None) };
            let frame = frame.map_err(|error| {
                ApiError::validation(format!("the body ended before its time, or is malformed: {error}"))
            })?;
            // Trailers say nothing here.
            let Ok(bytes) = frame.into_data() else { continue };
            self.read += bytes.len() as u64;
            check_length(self.read, &self.limits)?;
            if !self.prepaid {
                // Vectors that grow hold up to twice of what is in them.
                let needed = 2 * self.kind.memory(bytes.len() as u64);
                let more = self.memory.try_take(needed);
                let none = || no_memory(self.permit.bytes() + needed, &self.memory, &self.limits);
                self.permit.add(more.ok_or_else(none)?);
            }
            return Ok(Some(bytes));
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// As [`BodyReader::chunk`].
    pub(crate) async fn whole(&mut self) -> Result<Vec<u8>, ApiError> {
        // Admitted before, so not more than --max-request.
        let mut whole = Vec::with_capacity(self.length.map_or(0, |length| length as usize));
        while let Some(chunk) = self.chunk().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }

    /// How long the next bytes may take: as an upload may pause, but not below the least rate of the whole.
    fn patience(&self) -> Duration {
        let all = self.limits.upload_idle + Duration::from_secs(self.read / LEAST_RATE);
        all.saturating_sub(self.begun.elapsed()).min(self.limits.upload_idle)
    }

    fn too_slow(&self) -> ApiError {
        ApiError::new(
            ErrorType::SlowUpload,
            format!(
                "the upload paused for more than {} s (--upload-idle), or was slower than {LEAST_RATE} bytes a second",
                self.limits.upload_idle.as_secs_f64()
            ),
        )
    }
}

fn check_length(length: u64, limits: &Limits) -> Result<(), ApiError> {
    if length <= limits.max_request {
        return Ok(());
    }
    Err(ApiError::too_large(format!(
        "the request is larger than {}, which is the limit (--max-request)",
        shown_size(limits.max_request)
    )))
}

/// Why a request that needs so many bytes in all gets no more: there are none now, or never so many.
fn no_memory(needed: u64, memory: &MemoryPermits, limits: &Limits) -> ApiError {
    if !memory.can_hold(needed) {
        return ApiError::too_large(format!(
            "this request needs {} of memory, and all together may have {} (--max-memory)",
            shown_size(needed),
            shown_size(limits.max_memory)
        ));
    }
    ApiError::overloaded(format!(
        "other requests take the {} that all may have together (--max-memory); try again",
        shown_size(limits.max_memory)
    ))
}
