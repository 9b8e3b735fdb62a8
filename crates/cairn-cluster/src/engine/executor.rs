//! The process that labels shards for a scheduler.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_executor::executor_server::TERMINATING;
use ballista_executor::health::ExecutorHealth;
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

use super::bench::Bench;
use super::codec::LabelCodec;
use super::scheduler::{LOOK, engine, host_of, wanted};
use super::stage::LabelEngine;
use crate::{ClusterError, Job, SchedulerAddress, ShardOutcome, Stop, Worker};

/// How often an executor tells the scheduler that it is there.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// After so many times without an answer it looks for a scheduler again.
const SILENT: u32 = 6;
/// How often it looks for one.
const LOOK_FOR_SCHEDULER: Duration = Duration::from_secs(1);
/// Ports that were free may be taken a moment later, by others that look for some at the same time.
const TRIES: u32 = 3;
/// How long a photo may take when somebody wants an end.
const LAST_PHOTO: Duration = Duration::from_secs(30);

/// How an executor runs.
#[derive(Debug, Clone)]
pub struct ExecutorOptions {
    /// Where its scheduler is.
    pub scheduler: SchedulerAddress,
    /// Where it listens.
    pub address: IpAddr,
    /// The name by which others reach it, where that is not the address from which it calls the scheduler.
    pub host: Option<String>,
    /// The first of two ports, below 65535; without, any that are free.
    pub port: Option<u16>,
}

/// What an executor tells.
#[derive(Debug)]
pub enum ExecutorEvent<'a> {
    /// Nobody answers at the scheduler's address; it is looked for until somebody does.
    Waiting,
    /// The scheduler knows it, and may give it shards.
    Ready,
    /// The scheduler no longer answers, or has given it up.
    Lost,
    /// What came of a shard.
    Shard {
        /// The output.
        out: &'a str,
        /// The outcome.
        outcome: &'a ShardOutcome,
    },
}

/// What a process of the engine comes to.
enum End {
    /// Somebody wants it.
    Wanted,
    /// The scheduler is gone.
    Lost,
}

/// Runs an executor until somebody wants an end. Whenever the scheduler is gone it waits for one at the same address.
///
/// # Errors
/// When its ports are taken, or the scheduler does not take it: it is of another version, or cannot reach it.
pub fn run_executor(
    options: &ExecutorOptions,
    worker: Worker,
    tell: Arc<dyn Fn(ExecutorEvent<'_>) + Send + Sync>,
) -> Result<(), ClusterError> {
    // Before it waits for anybody.
    ports(options)?;
    let outer = Arc::clone(&worker.stop);
    let of_engine = Arc::clone(&outer);
    // The engine ends a process of its own accord, too, and waits for its tasks.
    let stop: Stop = Arc::new(move || TERMINATING.load(Ordering::Relaxed) || of_engine());
    let told = Arc::clone(&tell);
    let watch =
        move |job: &Job, outcome: &ShardOutcome| told(ExecutorEvent::Shard { out: &job.out, outcome });
    let bench = Bench::start(Worker { stop, ..worker }, Box::new(watch))?;
    let (mut was_ready, mut tries) = (false, 0);
    while !outer() {
        let runtime = Builder::new_multi_thread().thread_name("executor").enable_all().build()?;
        let ended = runtime.block_on(serve(options, &bench, &outer, &mut was_ready, &*tell));
        // Of connections that others keep open, and of tasks whose scheduler is gone.
        runtime.shutdown_timeout(LAST_PHOTO);
        TERMINATING.store(false, Ordering::Relaxed);
        match ended {
            Ok(End::Wanted) => break,
            Ok(End::Lost) => {}
            // It has worked before: what is in the way now may pass.
            Err(_) if was_ready => std::thread::sleep(LOOK_FOR_SCHEDULER),
            Err(ClusterError::Engine(_)) if tries + 1 < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Finds the scheduler, and serves it as long as it is there.
async fn serve(
    options: &ExecutorOptions,
    bench: &Bench,
    stop: &Stop,
    was_ready: &mut bool,
    tell: &(dyn Fn(ExecutorEvent<'_>) + Send + Sync),
) -> Result<End, ClusterError> {
    tokio::select! {
        () = find(&options.scheduler, tell) => {}
        () = wanted(stop) => return Ok(End::Wanted),
    }
    let folder = tempfile::Builder::new().prefix("cairn-executor-").tempdir()?;
    let ports = ports(options)?;
    let health = ExecutorHealth::new();
    let config = ExecutorProcessConfig {
        bind_host: host_of(SocketAddr::new(options.address, 0)),
        external_host: options.host.clone(),
        port: ports[0],
        grpc_port: ports[1],
        scheduler_host: options.scheduler.host.clone(),
        scheduler_port: options.scheduler.port,
        // One task at a time: labelling uses all of the processor.
        vcores: 1,
        task_scheduling_policy: TaskSchedulingPolicy::PushStaged,
        work_dir: folder.path().to_str().map(str::to_owned),
        executor_heartbeat_interval_seconds: HEARTBEAT.as_secs(),
        // The engine's own operators are not used.
        memory_pool_size: Some(0),
        override_execution_engine: Some(Arc::new(LabelEngine::new())),
        override_physical_codec: Some(Arc::new(LabelCodec::with_bench(bench.clone()))),
        health: health.clone(),
        ..ExecutorProcessConfig::default()
    };
    let is_lost = async {
        while !health.is_ready() {
            sleep(LOOK).await;
        }
        *was_ready = true;
        tell(ExecutorEvent::Ready);
        let mut silent = Duration::ZERO;
        // The engine gives up after five heartbeats, and would wait for tasks that it has dropped.
        while silent < HEARTBEAT * SILENT {
            sleep(LOOK).await;
            silent = if health.is_ready() { Duration::ZERO } else { silent + LOOK };
        }
    };
    // The engine stops by itself at Ctrl-C and SIGTERM, and tells the scheduler.
    let at_last = async {
        wanted(stop).await;
        if health.is_ready() {
            sleep(LAST_PHOTO).await;
        }
    };
    let ended = tokio::select! {
        ended = start_executor_process(Arc::new(config)) => ended,
        () = is_lost => Ok(()),
        () = at_last => Ok(()),
    };
    if stop() {
        return Ok(End::Wanted);
    }
    ended.map_err(engine)?;
    tell(ExecutorEvent::Lost);
    Ok(End::Lost)
}

/// Waits until something answers at the scheduler's address.
async fn find(scheduler: &SchedulerAddress, tell: &(dyn Fn(ExecutorEvent<'_>) + Send + Sync)) {
    let mut is_told = false;
    loop {
        let connect = TcpStream::connect((scheduler.host.trim_matches(['[', ']']), scheduler.port));
        if matches!(timeout(LAST_PHOTO, connect).await, Ok(Ok(_))) {
            return;
        }
        if !std::mem::replace(&mut is_told, true) {
            tell(ExecutorEvent::Waiting);
        }
        sleep(LOOK_FOR_SCHEDULER).await;
    }
}

/// Two ports to listen on, which are free now: the engine cannot be given sockets.
fn ports(options: &ExecutorOptions) -> Result<[u16; 2], ClusterError> {
    let bound = |port| {
        let address = SocketAddr::new(options.address, port);
        let shown = if port == 0 { options.address.to_string() } else { address.to_string() };
        let listen = |source| ClusterError::Listen { address: shown.clone(), source };
        let socket = TcpListener::bind(address).map_err(listen)?;
        let port = socket.local_addr().map_err(listen)?.port();
        Ok::<_, ClusterError>((socket, port))
    };
    let wanted = options.port.map_or([0, 0], |first| [first, first + 1]);
    // Both are held until both are known.
    let [(_first, one), (_second, other)] = [bound(wanted[0])?, bound(wanted[1])?];
    Ok([one, other])
}
