//! The socket of a review: on loopback alone, with a secret in its addresses.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::desk::{Bell, Desk, bell};
use super::routes::{Secret, router};
use crate::server::next_connection;

/// Why a review is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReviewServeError {
    /// The port cannot be listened on.
    #[error("127.0.0.1:{port}: cannot listen here; choose another --port, or leave it out")]
    Bind {
        /// The port.
        port: u16,
        /// What the operating system says.
        source: io::Error,
    },
    /// The system gives no runtime for connections, or no signals.
    #[error("the review cannot be served")]
    System(#[from] io::Error),
}

/// Browsers open some six connections to a host; more than these wait.
const CONNECTIONS: usize = 64;
/// Time for a request's headers; also how long an idle connection is kept.
const HEADERS: Duration = Duration::from_secs(30);
/// Threads that carry bytes.
const THREADS: usize = 2;

/// A review's server with an open socket.
///
/// Other users of this machine reach its port as well, and so do other pages in the person's browser: every address of the
/// review begins with a secret that is drawn anew for each server, hosts and origins are checked, and nothing is allowed to
/// frame or read its pages.
pub struct ReviewServer {
    listener: std::net::TcpListener,
    address: SocketAddr,
    secret: String,
}

impl ReviewServer {
    /// Opens the socket on 127.0.0.1; the system chooses the port where it is 0.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn bind(port: u16) -> Result<Self, ReviewServeError> {
        let bound = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        });
        let (listener, address) = bound.map_err(|source| ReviewServeError::Bind { port, source })?;
        Ok(Self { listener, address, secret: format!("{:032x}", rand::random::<u128>()) })
    }

    /// The address of the page. Whoever knows it may decide.
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.secret)
    }

    /// Answers until Ctrl-C or SIGTERM. The desk stays on this thread.
    ///
    /// # Errors
    /// When the system gives no threads or signals.
    pub fn run(self, desk: &mut Desk<'_>) -> Result<(), ReviewServeError> {
        let runtime = runtime()?;
        let stop = {
            let _inside = runtime.enter();
            crate::serve::stop_signal()?
        };
        self.serve(&runtime, desk, stop)
    }

    /// Answers until `stop` is done.
    ///
    /// # Errors
    /// As [`ReviewServer::run`].
    pub fn run_until(
        self,
        desk: &mut Desk<'_>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ReviewServeError> {
        self.serve(&runtime()?, desk, stop)
    }

    fn serve(
        self,
        runtime: &tokio::runtime::Runtime,
        desk: &mut Desk<'_>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ReviewServeError> {
        let (bell, questions) = bell();
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(self.listener)?
        };
        let secret = Secret::new(&self.secret, self.address);
        runtime.spawn(async move {
            accept(&listener, bell.clone(), secret, stop).await;
            bell.stop();
        });
        questions.answer(desk);
        Ok(())
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()
}

/// Takes connections until `stop` is done. Decisions that were sent before are stored: the desk answers in turn.
async fn accept(listener: &TcpListener, bell: Bell, secret: Secret, stop: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(router(bell, secret));
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = pin!(stop);
    loop {
        let next = pin!(next_connection(listener, &connections));
        let (stream, permit) = match select(next, stop.as_mut()).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(_) => return,
        };
        let service = service.clone();
        tokio::spawn(async move {
            drop(stream.set_nodelay(true));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS)
                .serve_connection(TokioIo::new(stream), service);
            // A browser that breaks off is its own matter.
            drop(connection.await);
            drop(permit);
        });
    }
}
