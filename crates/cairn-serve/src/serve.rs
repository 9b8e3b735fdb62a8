//! A whole server: model, socket, signals.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cairn_model::Photo;

use crate::config::ServeConfig;
use crate::events::{Event, Observer};
use crate::serve_error::ServeError;
use crate::served_model::{ModelSource, OpenError, ServedModel, Stamp};
use crate::server::Server;
use crate::similar_index;
use crate::state::AppState;

/// Serves until Ctrl-C or SIGTERM. SIGHUP opens the model again.
///
/// # Errors
/// [`ServeError`], before anything is served.
pub fn serve(
    config: ServeConfig,
    source: Arc<dyn ModelSource>,
    observer: Arc<dyn Observer>,
) -> Result<(), ServeError> {
    config.check()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()
        .map_err(ServeError::System)?;
    let state = start(config, &*source, observer)?;
    runtime.block_on(run(state, source))
}

/// Threads that carry bytes: photos are looked at by others.
const RUNTIME_THREADS: usize = 2;

/// Opens the model, warms it up, and starts the threads that look at photos.
///
/// # Errors
/// When the model cannot be opened or the threads cannot be started.
pub fn start(
    config: ServeConfig,
    source: &dyn ModelSource,
    observer: Arc<dyn Observer>,
) -> Result<AppState, ServeError> {
    let served = open(source, config.index.as_deref()).map_err(ServeError::Open)?;
    AppState::new(config, served, observer)
}

/// Opens the model and looks at a photo, so that the first client waits no longer than others.
fn open(source: &dyn ModelSource, index: Option<&Path>) -> Result<ServedModel, OpenError> {
    let stamp = Stamp::of(source.path());
    let (model, identity) = source.open()?;
    let look = || model.output_of(&Photo::filled(640, 480, [128; 3]));
    catch_unwind(AssertUnwindSafe(look)).map_err(|_| "the model panics when it looks at a photo")?;
    let index = index.map(|index| similar_index::open(index, &model, &identity)).transpose()?;
    Ok(ServedModel { model, identity, index, stamp })
}

async fn run(state: AppState, source: Arc<dyn ModelSource>) -> Result<(), ServeError> {
    let address = state.config().address;
    // Before anybody is told of the server: until then a SIGHUP ends the process.
    let stop = signals::stop().map_err(ServeError::System)?;
    let hangups = signals::hangups().map_err(ServeError::System)?;
    let server = Server::bind(state.clone()).await.map_err(|source| ServeError::Bind { address, source })?;
    let served = state.served();
    state.observe(&Event::Listening {
        address: server.address().map_err(ServeError::System)?,
        base_path: &state.config().base_path,
        model: &served.identity,
    });
    let mut reloads = vec![tokio::spawn(reload_on_hangup(state.clone(), Arc::clone(&source), hangups))];
    if state.config().reload {
        reloads.push(tokio::spawn(reload_on_change(state, source, WATCH_EVERY)));
    }
    server.run(stop).await;
    reloads.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

/// How often the model's file is looked at.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Opens the model again at every hangup.
async fn reload_on_hangup(state: AppState, source: Arc<dyn ModelSource>, mut hangups: signals::Hangups) {
    loop {
        hangups.next().await;
        reload(&state, &source).await;
    }
}

/// Opens the model again when its file is replaced, which is looked for this often. A file that is being written changes
/// again, and a removed one may come back: neither ends the old model.
pub async fn reload_on_change(state: AppState, source: Arc<dyn ModelSource>, every: Duration) {
    // It may have been replaced since the model was opened.
    let mut seen = state.served().stamp;
    loop {
        tokio::time::sleep(every).await;
        let now = Stamp::of(source.path());
        if now.is_some() && now != seen {
            seen = now;
            reload(&state, &source).await;
        }
    }
}

/// Opens the model again. The old one goes on answering if that fails, and until it is done.
async fn reload(state: &AppState, source: &Arc<dyn ModelSource>) {
    let (opener, index) = (Arc::clone(source), state.config().index.clone());
    let opened = tokio::task::spawn_blocking(move || open(&*opener, index.as_deref())).await;
    let opened = opened.unwrap_or_else(|panic| Err(panic.to_string().into()));
    state.metrics().reloaded(opened.is_ok());
    match opened {
        Ok(served) => {
            state.replace_model(served);
            state.observe(&Event::Reloaded { model: &state.served().identity });
        }
        Err(error) => state.observe(&Event::ReloadFailed { error: error.to_string() }),
    }
}

/// Done at the first Ctrl-C or SIGTERM.
#[cfg(feature = "review")]
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    signals::stop()
}

/// Signals that stop a server, or have it open its model again.
mod signals {
    use std::future::Future;
    use std::io;

    #[cfg(unix)]
    pub(super) use self::unix::Hangups;
    #[cfg(unix)]
    pub(super) use self::unix::{hangups, stop};
    #[cfg(not(unix))]
    pub(super) use other::{Hangups, hangups, stop};

    #[cfg(unix)]
    mod unix {
        use super::{Future, io};
        use futures_util::future::select;
        use std::pin::pin;
        use tokio::signal::unix::{Signal, SignalKind, signal};

        /// SIGHUPs.
        pub(in super::super) struct Hangups(Signal);

        impl Hangups {
            pub(in super::super) async fn next(&mut self) {
                // `None` of a signal that can come no more: then it never comes.
                if self.0.recv().await.is_none() {
                    std::future::pending::<()>().await;
                }
            }
        }

        pub(in super::super) fn hangups() -> io::Result<Hangups> {
            Ok(Hangups(signal(SignalKind::hangup())?))
        }

        /// Done at the first Ctrl-C or SIGTERM.
        pub(in super::super) fn stop() -> io::Result<impl Future<Output = ()>> {
            let (mut interrupt, mut terminate) =
                (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            Ok(async move {
                select(pin!(interrupt.recv()), pin!(terminate.recv())).await;
            })
        }
    }

    #[cfg(not(unix))]
    mod other {
        use super::{Future, io};

        /// None come.
        pub(in super::super) struct Hangups;

        impl Hangups {
            pub(in super::super) async fn next(&mut self) {
                std::future::pending::<()>().await;
            }
        }

        pub(in super::super) fn hangups() -> io::Result<Hangups> {
            Ok(Hangups)
        }

        /// Done at the first Ctrl-C.
        pub(in super::super) fn stop() -> io::Result<impl Future<Output = ()>> {
            Ok(async {
                drop(tokio::signal::ctrl_c().await);
            })
        }
    }
}
