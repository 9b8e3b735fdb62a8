//! `cairn serve`

use cairn_dataset::path_text;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cairn_dataset::escape::shown;
use cairn_model::rows::ModelIdentity;
use cairn_model::{Model, ModelOptions, NeighbourSearch, Threshold, bundle_path};
use cairn_nets::Precision;
use cairn_serve::{ByteSize, Event, Key, Limits, ModelSource as Opens, Observer, OpenError, ServeConfig};
use clap::{Args, ValueEnum, ValueHint};
use jiff::Timestamp;

use crate::exit::Status;
use crate::model_source::{ModelOption, ModelSource};
use crate::places::merged_places;
use crate::tta::Tta;

/// Name landmarks over HTTP: for photo services, and a page for people
///
/// The page is at the server's address, the description of the API at /docs. Answers are those of `cairn predict`.
///
/// Only this machine is served unless --address says otherwise. SIGHUP opens the model again; SIGTERM and Ctrl-C stop the
/// server when the requests that it has are answered.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn serve                                             this machine alone; open http://127.0.0.1:8080
  curl --data-binary @photo.jpg localhost:8080/v1/predict
  cairn serve --address 0.0.0.0:8080 --key-file keys.txt  everybody who has one of the keys
  cairn serve --feedback corrections/                     keep what people correct, for `cairn learn` and `cairn train`")]
pub(crate) struct Serve {
    #[command(flatten)]
    model: ModelOption,
    /// Address and port to listen on; another than loopback is for the network
    #[arg(long, env = "CAIRN_ADDRESS", value_name = "IP:PORT", default_value = "127.0.0.1:8080")]
    address: SocketAddr,
    /// Prefix of every path, such as /cairn, behind a proxy that passes it on
    #[arg(long, env = "CAIRN_BASE_PATH", value_name = "PATH", default_value = "")]
    base_path: String,
    /// Another name by which the server may be called, such as the public name of a proxy before it
    #[arg(long = "host", env = "CAIRN_HOST", value_name = "NAME", value_delimiter = ',')]
    hosts: Vec<String>,
    /// A key, of which every request must bring one. Arguments are seen by all users of the machine: prefer --key-file, or
    /// the environment variable
    #[arg(
        long = "key",
        env = "CAIRN_KEY",
        value_name = "KEY",
        value_delimiter = ',',
        hide_env_values = true
    )]
    keys: Vec<String>,
    /// A file of keys, one a line
    #[arg(long, env = "CAIRN_KEY_FILE", value_name = "FILE", value_hint = ValueHint::FilePath)]
    key_file: Option<PathBuf>,
    /// An origin whose pages may use the API, such as `https://photos.example.org`
    #[arg(long, env = "CAIRN_CORS", value_name = "ORIGIN", value_delimiter = ',')]
    cors: Vec<String>,
    /// Take a photo for a landmark only if the model is sure of it
    #[arg(long, env = "CAIRN_SURE", conflicts_with = "threshold")]
    sure: bool,
    /// Take a photo for a landmark from this score on, instead of the model's default threshold
    #[arg(long, env = "CAIRN_THRESHOLD", value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, env = "CAIRN_PLACES", value_name = "FILE")]
    places: Option<PathBuf>,
    /// Average predictions over several views of each photo (slower, slightly more accurate) [default: the model's
    /// setting]
    #[arg(long, env = "CAIRN_TTA", value_enum, value_name = "VIEWS")]
    tta: Option<Tta>,
    /// Number type of activations, f32 or bf16 [default: the machine's fastest]
    #[arg(long, env = "CAIRN_PRECISION", value_name = "P")]
    precision: Option<Precision>,
    /// Bytes of a photo at most
    #[arg(long, env = "CAIRN_MAX_PHOTO", value_name = "SIZE", default_value = "32MiB")]
    max_photo: ByteSize,
    /// Bytes of a request at most
    #[arg(long, env = "CAIRN_MAX_REQUEST", value_name = "SIZE", default_value = "256MiB")]
    max_request: ByteSize,
    /// Photos of a request at most
    #[arg(long, env = "CAIRN_MAX_PHOTOS", value_name = "N", default_value_t = 64)]
    max_photos: usize,
    /// Bytes of all requests that are in memory at once. (Memory for decoding is limited by CAIRN_DECODE_MEMORY.)
    #[arg(long, env = "CAIRN_MAX_MEMORY", value_name = "SIZE", default_value = "512MiB")]
    max_memory: ByteSize,
    /// Photos that are accepted and not yet answered; more are refused with status 429
    #[arg(long, env = "CAIRN_QUEUE", value_name = "N", default_value_t = 256)]
    queue: usize,
    /// Photos of one request that are worked on at once; those of other requests go before its others
    #[arg(long, env = "CAIRN_MAX_BATCH", value_name = "N", default_value_t = 16)]
    max_batch: usize,
    /// Threads that look at photos [default: as many as --threads]
    #[arg(long, env = "CAIRN_WORKERS", value_name = "N")]
    workers: Option<usize>,
    /// Connections that are open at once; more wait
    #[arg(long, env = "CAIRN_CONNECTIONS", value_name = "N", default_value_t = 4096)]
    connections: usize,
    /// Seconds from the end of an upload to its answer
    #[arg(long, env = "CAIRN_DEADLINE", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    deadline: Duration,
    /// Seconds that an upload may pause
    #[arg(long, env = "CAIRN_UPLOAD_IDLE", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    upload_idle: Duration,
    /// A host from which photos are fetched where a request gives an address instead of a photo
    #[arg(long, env = "CAIRN_ALLOW_URLS", value_name = "HOST", value_delimiter = ',')]
    allow_urls: Vec<String>,
    /// Keep what people correct in DIR, for `cairn learn`, `cairn train` and `cairn calibrate`
    #[arg(long, env = "CAIRN_FEEDBACK", value_name = "DIR", value_hint = ValueHint::DirPath)]
    feedback: Option<PathBuf>,
    /// Bytes of corrections that are kept at most
    #[arg(long, env = "CAIRN_MAX_FEEDBACK", value_name = "SIZE", default_value = "4GiB")]
    max_feedback: ByteSize,
    /// Photos that /v1/similar ranks: a folder, or a file of rows that /v1/embed answered
    #[arg(long, env = "CAIRN_INDEX", value_name = "DIR|FILE", value_hint = ValueHint::AnyPath)]
    index: Option<PathBuf>,
    /// Compare with every photo of --index and every learned landmark, where there are very many too (slower)
    #[arg(long, env = "CAIRN_EXACT")]
    exact: bool,
    /// Open the model again when its file is replaced
    #[arg(long, env = "CAIRN_RELOAD")]
    reload: bool,
    /// How the log is written to standard error
    #[arg(long, env = "CAIRN_LOG", value_enum, default_value_t = LogFormat::Text)]
    log: LogFormat,
    /// Log the names of photos, too
    #[arg(long, env = "CAIRN_LOG_NAMES")]
    log_names: bool,
    /// No page for people
    #[arg(long, env = "CAIRN_NO_PAGE")]
    no_page: bool,
}

/// How a log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// A line for people
    Text,
    /// A JSON object a line
    Json,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').parse::<f64>().ok();
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "not a number of seconds above 0".to_owned())
}

impl Serve {
    pub(crate) fn run(self) -> Result<Status> {
        let threshold = Threshold::chosen(self.sure, self.threshold);
        let options = ModelOptions {
            precision: self.precision,
            views: self.tta.map(Into::into),
            threshold,
            places: merged_places(self.places.as_deref())?,
            neighbours: if self.exact { NeighbourSearch::Exact } else { NeighbourSearch::Indexed },
            ..ModelOptions::default()
        };
        let opener = Opener { source: self.model.source.clone(), options };
        let log = Arc::new(Log(self.log));
        let config = self.config()?;
        raise_open_files();
        if config.keys.is_empty() && !config.address.ip().is_loopback() {
            log.event(&Event::Warning {
                message: format!(
                    "everybody who can reach {} may use this server: give --key-file, or put a proxy that asks for \
                     passwords before it",
                    config.address
                ),
            });
        }
        cairn_serve::serve(config, Arc::new(opener), log)?;
        Ok(Status::Done)
    }

    fn config(self) -> Result<ServeConfig> {
        let mut keys = self.keys;
        if let Some(file) = &self.key_file {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("{}: the keys cannot be read", path_text(file)))?;
            keys.extend(text.lines().map(|line| line.trim().to_owned()));
            if keys.iter().all(String::is_empty) {
                bail!("{}: no keys in it; write one a line", path_text(file));
            }
        }
        let limits = Limits {
            max_photo: self.max_photo.0,
            max_request: self.max_request.0,
            max_photos: self.max_photos,
            max_memory: self.max_memory.0,
            queue: self.queue,
            max_batch: self.max_batch,
            deadline: self.deadline,
            upload_idle: self.upload_idle,
            connections: self.connections,
            ..Limits::default()
        };
        Ok(ServeConfig {
            address: self.address,
            base_path: self.base_path,
            hosts: self.hosts,
            keys: keys.iter().filter(|key| !key.is_empty()).map(|key| Key::new(key)).collect(),
            cors: self.cors,
            limits: Limits { workers: self.workers.unwrap_or(limits.workers), ..limits },
            allow_urls: self.allow_urls,
            feedback: self.feedback,
            max_feedback: self.max_feedback.0,
            index: self.index,
            reload: self.reload,
            log_names: self.log_names,
            page: !self.no_page,
        })
    }
}

/// Opens the model that the command line names.
struct Opener {
    source: ModelSource,
    options: ModelOptions,
}

impl Opens for Opener {
    fn open(&self) -> Result<(Model, ModelIdentity), OpenError> {
        let (model, identity) = self.source.open_identified()?;
        Ok((model.with_options(self.options.clone())?, identity))
    }

    fn path(&self) -> Option<PathBuf> {
        self.source.path().and_then(|path| bundle_path(path).ok())
    }
}

/// Writes events to standard error.
struct Log(LogFormat);

impl Observer for Log {
    fn event(&self, event: &Event<'_>) {
        let line = match self.0 {
            LogFormat::Text => text(event),
            LogFormat::Json => json(event),
        };
        // A log that nobody reads any more stops no server.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

fn json(event: &Event<'_>) -> String {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        time: String,
        #[serde(flatten)]
        event: &'a Event<'a>,
    }
    let line = Line { time: Timestamp::now().to_string(), event };
    // Texts and numbers are always JSON.
    serde_json::to_string(&line).unwrap_or_default()
}

fn text(event: &Event<'_>) -> String {
    match event {
        Event::Listening { address, base_path, model } => {
            format!("serving {} ({}) at http://{address}{base_path}/", shown(&model.name), model.digest)
        }
        Event::Request(request) => {
            let error = request.error_type.map(|error| format!(" {error}")).unwrap_or_default();
            let names = request.names.as_ref().map(|names| format!(" {}", shown(&names.join(", "))));
            let photos = match request.photos {
                0 => String::new(),
                1 => ", 1 photo".to_owned(),
                photos => format!(", {photos} photos"),
            };
            format!(
                "{} {} {}{error} in {:.1} ms{photos}{} [{}]",
                request.method,
                request.route,
                request.status,
                request.duration.as_secs_f64() * 1e3,
                names.unwrap_or_default(),
                request.id,
            )
        }
        Event::Warning { message } => format!("warning: {}", shown(message)),
        Event::Reloaded { model } => format!("opened {} again ({})", shown(&model.name), model.digest),
        Event::ReloadFailed { error } => {
            format!(
                "warning: the model cannot be opened again, the old one goes on answering: {}",
                shown(error)
            )
        }
        Event::Stopping => "stopping when the requests at hand are answered".to_owned(),
        Event::Stopped { unanswered: 0 } => "stopped".to_owned(),
        Event::Stopped { unanswered } => format!("stopped, {unanswered} connections unanswered"),
        _ => json(event),
    }
}

/// A connection takes an open file, of which many systems give a process 1024 unless it asks for more.
#[cfg(unix)]
fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // Without it the server waits for free files.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(not(unix))]
fn raise_open_files() {}
