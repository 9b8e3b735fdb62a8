//! What the server counts and measures, for Prometheus.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::error::ErrorType;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteStatus {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    name: String,
    network: String,
    hash: String,
}

/// What became of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PhotoOutcome {
    /// It shows a landmark.
    Landmark,
    /// It shows none.
    Other,
    /// It could not be read.
    Bad,
    /// Its client was gone, or the deadline passed.
    Dropped,
}

/// All metrics.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RouteStatus, Counter>,
    durations: Family<Route, Histogram>,
    photos: Family<Outcome, Counter>,
    photo_bytes: Histogram,
    decode: Histogram,
    queue: Histogram,
    inference: Histogram,
    request_photos: Histogram,
    queue_photos: Gauge,
    in_flight_bytes: Gauge,
    connections: Gauge,
    rejected: Family<Reason, Counter>,
    model_info: Family<ModelLabels, Gauge>,
    reloads: Family<Outcome, Counter>,
    resident_memory: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// From a millisecond to half a minute.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 16))
}

impl Metrics {
    pub(crate) fn new() -> Arc<Self> {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(durations),
            photos: Family::default(),
            photo_bytes: Histogram::new(exponential_buckets(4096.0, 4.0, 8)),
            decode: durations(),
            queue: durations(),
            inference: durations(),
            request_photos: Histogram::new(exponential_buckets(1.0, 2.0, 8)),
            queue_photos: Gauge::default(),
            in_flight_bytes: Gauge::default(),
            connections: Gauge::default(),
            rejected: Family::default(),
            model_info: Family::default(),
            reloads: Family::default(),
            resident_memory: Gauge::default(),
        };
        metrics.register();
        Arc::new(metrics)
    }

    fn register(&mut self) {
        let cairn = self.registry.sub_registry_with_prefix("cairn");
        cairn.register("requests", "Requests answered", self.requests.clone());
        cairn.register_with_unit(
            "request_duration",
            "From a request's headers to its answer",
            Unit::Seconds,
            self.durations.clone(),
        );
        cairn.register("photos", "Photos, by what became of them", self.photos.clone());
        cairn.register_with_unit("photo", "Size of photos", Unit::Bytes, self.photo_bytes.clone());
        let steps = [
            ("decode_duration", "From a photo's bytes to pixels", &self.decode),
            ("queue_duration", "From a photo's acceptance to a worker", &self.queue),
            ("inference_duration", "From a photo's pixels to its answer", &self.inference),
        ];
        for (name, help, histogram) in steps {
            cairn.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        }
        cairn.register("request_photos", "Photos of a request", self.request_photos.clone());
        cairn.register("queue_photos", "Photos accepted and not yet answered", self.queue_photos.clone());
        cairn.register_with_unit(
            "in_flight",
            "Memory taken by bodies",
            Unit::Bytes,
            self.in_flight_bytes.clone(),
        );
        cairn.register("connections", "Open connections", self.connections.clone());
        cairn.register("rejected", "Requests refused, by reason", self.rejected.clone());
        cairn.register("model_info", "The model that answers", self.model_info.clone());
        cairn.register("model_reloads", "Reloads of the model", self.reloads.clone());
        self.registry.register_with_unit(
            "process_resident_memory",
            "Resident memory of the process",
            Unit::Bytes,
            self.resident_memory.clone(),
        );
        let started = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        started.set(since.as_secs_f64());
        self.registry.register_with_unit(
            "process_start_time",
            "Start of the process since the Unix epoch",
            Unit::Seconds,
            started,
        );
        // Series that rates are made of begin at 0.
        for outcome in [PhotoOutcome::Landmark, PhotoOutcome::Other, PhotoOutcome::Bad, PhotoOutcome::Dropped]
        {
            drop(self.photos.get_or_create(&Outcome { outcome: outcome.name() }));
        }
        for outcome in ["success", "failure"] {
            drop(self.reloads.get_or_create(&Outcome { outcome }));
        }
        drop(self.rejected.get_or_create(&Reason { reason: ErrorType::Overloaded.name() }));
    }

    pub(crate) fn answered(&self, route: &str, status: u16, duration: Duration) {
        let route = route.to_owned();
        self.durations.get_or_create(&Route { route: route.clone() }).observe(duration.as_secs_f64());
        self.requests.get_or_create(&RouteStatus { route, status }).inc();
    }

    pub(crate) fn rejected(&self, reason: ErrorType) {
        self.rejected.get_or_create(&Reason { reason: reason.name() }).inc();
    }

    pub(crate) fn photos_of_request(&self, count: usize) {
        self.request_photos.observe(count as f64);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.photo_bytes.observe(bytes as f64);
    }

    pub(crate) fn photo(&self, outcome: PhotoOutcome) {
        self.photos.get_or_create(&Outcome { outcome: outcome.name() }).inc();
    }

    pub(crate) fn queued(&self, duration: Duration) {
        self.queue.observe(duration.as_secs_f64());
    }

    pub(crate) fn decoded(&self, duration: Duration) {
        self.decode.observe(duration.as_secs_f64());
    }

    pub(crate) fn inferred(&self, duration: Duration) {
        self.inference.observe(duration.as_secs_f64());
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(crate) fn reloaded(&self, success: bool) {
        let outcome = if success { "success" } else { "failure" };
        self.reloads.get_or_create(&Outcome { outcome }).inc();
    }

    /// Which model answers from now on.
    pub(crate) fn model(&self, name: &str, network: &str, hash: &str) {
        self.model_info.clear();
        let labels =
            ModelLabels { name: name.to_owned(), network: network.to_owned(), hash: hash.to_owned() };
        self.model_info.get_or_create(&labels).set(1);
    }

    /// All metrics in the text format of OpenMetrics, with what is so now.
    pub(crate) fn text(&self, queue_photos: usize, in_flight_bytes: u64) -> Result<String, fmt::Error> {
        self.queue_photos.set(i64::try_from(queue_photos).unwrap_or(i64::MAX));
        self.in_flight_bytes.set(i64::try_from(in_flight_bytes).unwrap_or(i64::MAX));
        if let Some(bytes) = resident_memory() {
            self.resident_memory.set(bytes);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl PhotoOutcome {
    fn name(self) -> &'static str {
        match self {
            Self::Landmark => "landmark",
            Self::Other => "other",
            Self::Bad => "bad",
            Self::Dropped => "dropped",
        }
    }
}

/// Bytes of this process in memory, where Linux tells.
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
