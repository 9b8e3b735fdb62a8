//! `cairn cluster`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use cairn_cluster::{
    ExecutorEvent, ExecutorOptions, SchedulerAddress, SchedulerEvent, SchedulerOptions, ShardOutcome, Stop,
    Worker, run_executor, run_scheduler,
};
use clap::{Args, Subcommand};

use crate::exit::Status;
use crate::log_lines;
use crate::model_source::ModelOption;
use crate::progress::say;
use crate::signals::stop_on_signals;
use crate::tally::counted;

/// Label lists on many machines (`cairn label --cluster`)
#[derive(Debug, Subcommand)]
pub(crate) enum Cluster {
    Scheduler(Scheduler),
    Executor(Executor),
}

impl Cluster {
    pub(crate) fn run(self) -> Result<Status> {
        match self {
            Self::Scheduler(scheduler) => scheduler.run(),
            Self::Executor(executor) => executor.run(),
        }
    }
}

/// Hand the shards of labellings to executors: one for a cluster
///
/// It needs little of a machine, and keeps nothing on its disk: when it ends, executors wait for another at its address, and the
/// same `cairn label` goes on. Only this machine is served unless --address says otherwise. Whoever reaches its port can have
/// executors read and write files: a cluster belongs in a network of its own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn cluster scheduler
  cairn cluster executor --scheduler df://127.0.0.1:50050
  cairn label photos.csv -o labels --cluster df://127.0.0.1:50050
  cairn cluster scheduler --address 10.0.0.5:50050    executors on other machines of the network")]
pub(crate) struct Scheduler {
    /// Address and port to listen on; another than loopback is for the network
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:50050")]
    address: SocketAddr,
    /// Name by which executors reach it [default: the address]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Seconds of silence after which an executor's shards are given to others
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(10..=86_400))]
    lost_after: u64,
    /// Say what the engine does, too
    #[arg(long)]
    verbose: bool,
}

impl Scheduler {
    fn run(self) -> Result<Status> {
        if self.host.is_none() && self.address.ip().is_unspecified() {
            bail!(
                "--address {} means every address of this machine; name by --host the one of executors",
                self.address
            );
        }
        if self.verbose {
            log_lines::show();
        }
        warn_of_network(self.address.ip());
        let options = SchedulerOptions {
            address: self.address,
            host: self.host,
            lost_after: Duration::from_secs(self.lost_after),
        };
        let tell = |event: SchedulerEvent| match event {
            SchedulerEvent::Ready(address) => say(format!("scheduler: {address}")),
            SchedulerEvent::Executors(count) => say(counted(count, "executor", "executors")),
        };
        run_scheduler(&options, &stop("the calls that are being answered")?, &tell)?;
        Ok(Status::Done)
    }
}

/// Label shards for a scheduler: one for a machine
///
/// It uses all of the machine for a shard at a time, and waits for its scheduler whenever that is gone. It reads lists and
/// photos, and writes labels, where `cairn label` says: at the same paths, or in stores with the credentials of its own
/// environment. Its model must be that of the labelling.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn cluster executor --scheduler df://127.0.0.1:50050
  cairn cluster executor --scheduler df://10.0.0.5:50050 --address 10.0.0.6 -m best.safetensors")]
pub(crate) struct Executor {
    /// The scheduler: df://HOST:PORT
    #[arg(long, value_name = "ADDRESS", default_value = "df://127.0.0.1:50050")]
    scheduler: SchedulerAddress,
    #[command(flatten)]
    model: ModelOption,
    /// Address to listen on, for the scheduler and for `cairn label`; another than loopback is for the network
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
    /// Name by which others reach it [default: the address from which it calls the scheduler]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// The first of two ports to listen on [default: two that are free]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65534))]
    port: Option<u16>,
    /// Say what the engine does, too
    #[arg(long)]
    verbose: bool,
}

impl Executor {
    fn run(self) -> Result<Status> {
        let (model, identity) = self.model.source.open_identified()?;
        if self.verbose {
            log_lines::show();
        }
        warn_of_network(self.address);
        let name = self.host.clone().unwrap_or_else(|| self.address.to_string());
        let name = format!("the executor on {name} (process {})", std::process::id());
        let labels = format!("labels with {} ({})", identity.name, identity.digest);
        let scheduler = self.scheduler.clone();
        let tell = move |event: ExecutorEvent<'_>| match event {
            ExecutorEvent::Waiting => say(format!("waiting for {scheduler}")),
            ExecutorEvent::Ready => say(format!("executor of {scheduler}: {labels}")),
            ExecutorEvent::Lost => say(format!("{scheduler} is gone")),
            ExecutorEvent::Shard { out, outcome } => say(shard_line(out, outcome)),
        };
        let options = ExecutorOptions {
            scheduler: self.scheduler,
            address: self.address,
            host: self.host,
            port: self.port,
        };
        let worker = Worker { name, model, identity, stop: stop("the photos that are being looked at")? };
        run_executor(&options, worker, Arc::new(tell))?;
        Ok(Status::Done)
    }
}

/// What is said of a shard.
fn shard_line(out: &str, outcome: &ShardOutcome) -> String {
    let what = match &outcome.done {
        Err(reason) => format!("failed: {reason}"),
        Ok(report) if !report.written => "was done before".to_owned(),
        Ok(report) => {
            let photos = counted(report.counts.photos as usize, "photo", "photos");
            match report.counts.bad {
                0 => photos,
                bad => format!("{photos}, {bad} could not be read"),
            }
        }
    };
    format!("{out}: shard {}: {what}", outcome.index)
}

fn stop(after: &'static str) -> Result<Stop> {
    let interrupt = stop_on_signals(after)?;
    Ok(Arc::new(move || interrupt.requested()))
}

fn warn_of_network(address: IpAddr) {
    if !address.is_loopback() {
        say(format!(
            "warning: whoever reaches {address} can have files read and written here; use it in a network of your own alone"
        ));
    }
}
