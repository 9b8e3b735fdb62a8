//! What is left of a body when its request is answered without it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::EXPECT;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::runtime::Handle;

/// Bytes that are read and thrown away at most, and for how long.
const MOST_BYTES: usize = 16 << 20;
const MOST_TIME: Duration = Duration::from_secs(5);

/// A request's body that is read to its end even if its handler did not want it.
///
/// A client that is answered before it has sent its whole request may go on sending. If the server closed the connection
/// then, the client would see a reset instead of the answer.
#[derive(Debug)]
pub(crate) struct DrainedBody {
    /// `None` at its end.
    body: Option<Body>,
    /// Where its bytes are counted.
    bytes: Arc<AtomicU64>,
    drained: bool,
}

impl DrainedBody {
    /// The request with its body drained, whose bytes are counted in `bytes`.
    ///
    /// A client that asks first whether to send its body (`Expect`) has not sent it, and is not asked for it to be thrown
    /// away.
    pub(crate) fn of(request: Request, bytes: Arc<AtomicU64>) -> Request {
        let drained = !request.headers().contains_key(EXPECT);
        request.map(|body| Body::new(Self { body: Some(body), bytes, drained }))
    }
}

impl HttpBody for DrainedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
            }
            _ => self.body = None,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for DrainedBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| self.drained && !body.is_end_stream()) else {
            return;
        };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(MOST_TIME, discard(body)));
        }
    }
}

async fn discard(mut body: Body) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > MOST_BYTES {
            return;
        }
    }
}
