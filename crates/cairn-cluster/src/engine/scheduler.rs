//! The process that hands shards to executors.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::codec::LabelCodec;
use super::readiness::executors;
use crate::{ClusterError, SchedulerAddress, Stop};

/// How long executors may be gone, all of them, before the jobs fail that they had begun.
const ALL_GONE: Duration = Duration::from_secs(600);
/// How often a scheduler counts its executors.
const COUNT: Duration = Duration::from_secs(2);
/// How often whoever waits looks whether somebody wants an end.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// How a scheduler runs.
#[derive(Debug, Clone)]
pub struct SchedulerOptions {
    /// Where it listens; of port 0 any that is free.
    pub address: SocketAddr,
    /// The name by which executors reach it, where that is not the address.
    pub host: Option<String>,
    /// How long an executor may be silent before its shards are given to others.
    pub lost_after: Duration,
}

/// What a scheduler tells.
#[derive(Debug)]
pub enum SchedulerEvent {
    /// It listens.
    Ready(SchedulerAddress),
    /// So many executors are there now: one has come, gone, or is given up.
    Executors(usize),
}

/// Whom it tells.
type Tell<'a> = &'a (dyn Fn(SchedulerEvent) + Send + Sync);

/// Runs a scheduler until somebody wants an end.
///
/// # Errors
/// When its address is taken, or the engine fails.
pub fn run_scheduler(options: &SchedulerOptions, stop: &Stop, tell: Tell<'_>) -> Result<(), ClusterError> {
    let runtime = Builder::new_multi_thread().thread_name("scheduler").enable_all().build()?;
    let served = runtime.block_on(async {
        tokio::select! {
            served = serve(options, tell) => served,
            () = wanted(stop) => Ok(()),
        }
    });
    // Connections of clients and executors stay open as long as they want.
    runtime.shutdown_background();
    served
}

async fn serve(options: &SchedulerOptions, tell: Tell<'_>) -> Result<(), ClusterError> {
    let listen = |source| ClusterError::Listen { address: options.address.to_string(), source };
    let listener = TcpListener::bind(options.address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let host = options.host.clone().unwrap_or_else(|| host_of(address));
    let lost_after = options.lost_after.as_secs().max(2);
    let config = SchedulerConfig {
        external_host: host.clone(),
        bind_host: host_of(address),
        bind_port: address.port(),
        scheduling_policy: TaskSchedulingPolicy::PushStaged,
        executor_timeout_seconds: lost_after,
        expire_dead_executor_interval_seconds: (lost_after / 4).clamp(1, 15),
        no_executors_grace_period_seconds: ALL_GONE.as_secs().max(lost_after),
        override_physical_codec: Some(Arc::new(LabelCodec::default())),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await.map_err(engine)?;
    let server = create_scheduler::<LogicalPlanNode, PhysicalPlanNode>(cluster, Arc::new(config)).await;
    let server = server.map_err(engine)?;
    tell(SchedulerEvent::Ready(SchedulerAddress { host, port: address.port() }));
    tokio::select! {
        served = start_grpc_service_with_listener(listener, server) => served.map_err(engine),
        never = count(address, tell) => match never {},
    }
}

/// Tells how many executors there are whenever that changes.
async fn count(address: SocketAddr, tell: Tell<'_>) -> Infallible {
    let asked = SchedulerAddress { host: host_of(address), port: address.port() };
    let mut before = 0;
    loop {
        sleep(COUNT).await;
        let asked = asked.clone();
        let Ok(Some(now)) = spawn_blocking(move || executors(&asked)).await else { continue };
        if now != std::mem::replace(&mut before, now) {
            tell(SchedulerEvent::Executors(now));
        }
    }
}

/// Ends once somebody wants an end.
pub(super) async fn wanted(stop: &Stop) {
    while !stop() {
        sleep(LOOK).await;
    }
}

/// The host of an address as it stands before a port.
pub(super) fn host_of(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    }
}

pub(super) fn engine(error: BallistaError) -> ClusterError {
    ClusterError::Engine(error.to_string())
}
