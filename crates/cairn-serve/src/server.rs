//! The socket: accepting connections, and stopping.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::router;
use crate::events::Event;
use crate::state::AppState;

/// What a connection's buffer grows to at most: a thousand connections take some 64 MiB.
const MOST_BUFFER: usize = 64 << 10;
/// How long to wait when the system has no more sockets.
const SHORT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// A server with an open socket.
pub struct Server {
    listener: TcpListener,
    state: AppState,
}

impl Server {
    /// Opens the socket of this configuration.
    ///
    /// # Errors
    /// When the address is taken, or not this machine's.
    pub async fn bind(state: AppState) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(state.config().address).await?, state })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` is done. Then it takes no more connections, and gives those that it has some time to be answered.
    /// The number of connections that were not.
    pub async fn run(self, stop: impl Future<Output = ()>) -> usize {
        let Self { listener, state } = self;
        let (connections, graceful) =
            (Arc::new(Semaphore::new(state.limits().connections)), GracefulShutdown::new());
        let service = TowerToHyperService::new(router(&state));
        state.set_ready(true);
        let mut stop = pin!(stop);
        loop {
            let next = pin!(next_connection(&listener, &connections));
            let (stream, permit) = match select(next, stop.as_mut()).await {
                Either::Left((accepted, _)) => accepted,
                Either::Right(_) => break,
            };
            tokio::spawn(answer(stream, permit, service.clone(), state.clone(), graceful.watcher()));
        }
        state.set_ready(false);
        state.observe(&Event::Stopping);
        drop(listener);
        // An idle connection is closed at once, but one that uploads slowly would keep the server for hours.
        let open = state.limits().connections - connections.available_permits();
        let ended = tokio::time::timeout(state.limits().shutdown, graceful.shutdown()).await;
        let left = state.limits().connections - connections.available_permits();
        let unanswered = if ended.is_ok() { 0 } else { left.min(open) };
        state.observe(&Event::Stopped { unanswered });
        unanswered
    }
}

/// The next connection, once there may be one more.
pub(crate) async fn next_connection(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(connections).acquire_owned().await else { continue };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            // A client that left at once is none; a process without free sockets waits for one.
            Err(error) if is_of_client(&error) => {}
            Err(_) => tokio::time::sleep(SHORT_OF_SOCKETS).await,
        }
    }
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Answers the requests of a connection.
async fn answer(
    stream: TcpStream,
    permit: OwnedSemaphorePermit,
    service: TowerToHyperService<axum::Router>,
    state: AppState,
    watcher: Watcher,
) {
    state.metrics().connected();
    // Answers are written whole: waiting for more to send gains nothing. It is a matter of speed alone.
    drop(stream.set_nodelay(true));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(state.limits().header_timeout)
        .max_buf_size(MOST_BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off is its own matter.
    drop(watcher.watch(connection).await);
    state.metrics().disconnected();
    drop(permit);
}
