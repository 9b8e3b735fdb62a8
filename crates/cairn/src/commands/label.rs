//! `cairn label`

use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
#[cfg(feature = "cluster")]
use std::sync::Arc;

use anyhow::{Context, Result, bail};
#[cfg(feature = "cluster")]
use cairn_cluster::{ClusterClient, Job, SchedulerAddress, Stop};
use cairn_dataset::path_text;
#[cfg(feature = "cluster")]
use cairn_label::Input;
use cairn_label::{Event, Labeller, Lists, Outcome, Plan, SHARD_PHOTOS, Settings, Store, Stores};
use cairn_model::{Model, ModelOptions};
use cairn_nets::Precision;
use cairn_train::Interrupt;
use clap::{Args, ValueHint};

use crate::causes::with_causes;
use crate::exit::Status;
use crate::label_progress::LabelProgress;
use crate::model_source::ModelOption;
use crate::photo_files::say_skipped;
use crate::places::merged_places;
use crate::progress::say;
use crate::signals::stop_on_signals;
use crate::tally::counted;
use crate::threshold_options::ThresholdOptions;
use crate::tta::Tta;

/// Label a list of photos of any length as Parquet files, resumably
///
/// The list is cut into shards of some thousand photos. Each becomes one file of OUT, written all at once. A file that is
/// there is done: the same command goes on after a stop, a crash or a power cut, and several processes may share one OUT. A
/// photo that cannot be read is a row with an error. `_SUCCESS` is written once all shards are there.
///
/// A list is CSV or JSON lines with a column `photo` or `path`, Parquet with `photo`, `path` or `bytes`, or a tar file of photos
/// (WebDataset, Google Landmarks). Paths in a list start at its folder. Photos, folders and patterns are made a list in OUT.
/// Built with object stores (the feature `cloud`), lists, photos and OUT may be addresses: s3://, gs://, az:// with the
/// credentials of the environment, and https:// to read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn label photos.csv -o labels              the same command again goes on
  cairn label 'photos/**/*.jpg' -o labels       a pattern, in quotes
  cairn label images_*.tar -o labels --embed    Google Landmarks as delivered
  cairn label s3://photos/2026/ -o s3://labels/2026
  duckdb -c \"SELECT name, count(*) FROM 'labels/part-*.parquet' GROUP BY 1 ORDER BY 2 DESC\"")]
pub(crate) struct Label {
    /// Lists, tar files, photos, folders of photos, or patterns; their addresses
    #[arg(value_name = "LIST", required = true, value_hint = ValueHint::AnyPath)]
    lists: Vec<PathBuf>,
    /// Folder or address to begin, or to go on with
    #[arg(short, long, value_name = "OUT", required = true, value_hint = ValueHint::DirPath)]
    out: PathBuf,
    #[command(flatten)]
    model: ModelOption,
    /// How many landmarks to name for each photo
    #[arg(short, value_name = "K", default_value = "3")]
    k: NonZeroUsize,
    /// Photos in a shard; a tar file is one shard
    #[arg(long, value_name = "N", default_value_t = SHARD_PHOTOS)]
    shard: NonZeroU64,
    /// Add each photo's embedding
    #[arg(long)]
    embed: bool,
    #[command(flatten)]
    threshold: ThresholdOptions,
    /// A file of places for landmarks of your own, laid over those that cairn knows
    #[arg(long, value_name = "FILE")]
    places: Option<PathBuf>,
    /// Average predictions over several views of each photo (slower, slightly more accurate) [default: the model's
    /// setting]
    #[arg(long, value_enum, value_name = "VIEWS")]
    tta: Option<Tta>,
    /// Number type of activations, f32 or bf16 [default: that of the machine that begins OUT]
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,
    /// The scheduler of a cluster that does the work: df://HOST:PORT (`cairn cluster`). Lists, photos and OUT must be where all
    /// of its machines see them
    #[cfg(feature = "cluster")]
    #[arg(long, value_name = "ADDRESS")]
    cluster: Option<SchedulerAddress>,
    #[cfg(not(feature = "cluster"))]
    #[arg(long, value_name = "ADDRESS", hide = true)]
    cluster: Option<String>,
}

impl Label {
    pub(crate) fn run(self) -> Result<Status> {
        #[cfg(not(feature = "cluster"))]
        if self.cluster.is_some() {
            bail!(
                "--cluster: this cairn is built without the engine of a cluster; from a checkout: \
                 `cargo install --path crates/cairn --features cluster`"
            );
        }
        if self.out.is_file() {
            bail!("{}: is a file; name a folder for the labels", path_text(&self.out));
        }
        let lists = Lists::of(&self.lists)?;
        say_skipped(&lists.skipped);
        let interrupt = stop_on_signals("this photo")?;
        let asked = interrupt.clone();
        let stores = Stores::new(move || asked.requested());
        let labelled = self.label(&lists, &stores, &interrupt);
        // Whatever a stop was in the way of.
        if labelled.is_err() && interrupt.requested() {
            say("interrupted; the same command goes on");
            return Ok(Status::Interrupted);
        }
        labelled
    }

    fn label(&self, lists: &Lists, stores: &Stores, interrupt: &Interrupt) -> Result<Status> {
        let out = stores.store(&self.out)?;
        let out = &*out;
        let begun = Plan::read(out)?;
        let (model, settings) = self.open_model(out, begun.as_ref())?;
        let lists_then = begun.as_ref().map(|plan| plan.inputs.as_slice()).unwrap_or_default();
        let inputs = lists.open(stores, out, lists_then)?;
        let plan = Plan::of(out, settings, &inputs)?;
        let labeller = Labeller { plan: &plan, inputs: &inputs, model: &model, out, stores };
        let mut progress = LabelProgress::new(&plan);
        let mut tell = |event: Event<'_>| told(&mut progress, interrupt, &event);
        #[cfg(feature = "cluster")]
        let outcome = match &self.cluster {
            Some(scheduler) => self.label_by(scheduler, &plan, &inputs, out, interrupt, &mut tell)?,
            None => labeller.label_all(&mut tell)?,
        };
        #[cfg(not(feature = "cluster"))]
        let outcome = labeller.label_all(&mut tell)?;
        progress.end();
        end(&outcome, &plan, &out.name())
    }

    /// Has a cluster label.
    #[cfg(feature = "cluster")]
    fn label_by(
        &self,
        scheduler: &SchedulerAddress,
        plan: &Plan,
        inputs: &[Input],
        out: &dyn Store,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome> {
        let job = Job::new(plan, inputs, &self.out, self.places.as_deref())?;
        let interrupt = interrupt.clone();
        let stop: Stop = Arc::new(move || interrupt.requested());
        Ok(ClusterClient { scheduler, plan, job, out }.label_all(&stop, tell)?)
    }

    /// The model as the options have it, and the settings of the plan. Where OUT was begun on a machine of another fastest
    /// precision, its precision holds.
    fn open_model(&self, out: &dyn Store, begun: Option<&Plan>) -> Result<(Model, Settings)> {
        let begun = begun.map(|plan| plan.settings.precision);
        let (model, identity) = self.model.source.open_identified()?;
        // What a model in 8 bits gives does not depend on the machine.
        let floats = model.int8().is_none().then(|| begun.unwrap_or_else(|| model.precision()));
        let options = ModelOptions {
            precision: self.precision.or(floats),
            views: self.tta.map(Into::into),
            threshold: self.threshold.chosen(),
            places: merged_places(self.places.as_deref())?,
            ..ModelOptions::default()
        };
        let model = model.with_options(options).with_context(|| self.model.source.to_string())?;
        let settings = Settings {
            places: self.places.as_deref().map(hash_of).transpose()?,
            embed: self.embed,
            shard: self.shard,
            ..Settings::of(&model, &identity, self.k.get())
        };
        if !settings.precision.is_offered() {
            bail!(
                "{}: was begun with --precision {}, which this machine does not support; label it on another, or begin \
                 another OUT with --precision f32",
                out.name(),
                settings.precision
            );
        }
        Ok((model, settings))
    }
}

/// The last words, and the exit status.
fn end(outcome: &Outcome, plan: &Plan, out: &str) -> Result<Status> {
    let shards = counted(plan.shards.len(), "shard", "shards");
    if outcome.stopped {
        say(format!("interrupted: {} of {shards} done; the same command goes on", outcome.done));
        return Ok(Status::Interrupted);
    }
    let counts = outcome.counts;
    let bad = match counts.bad {
        0 => String::new(),
        bad => format!(", {bad} could not be read"),
    };
    say(format!(
        "{out}: {}, {} with a landmark{bad}; {shards}",
        counted(counts.photos as usize, "photo", "photos"),
        counts.landmarks
    ));
    if !outcome.failed.is_empty() {
        let failed: Vec<String> = outcome.failed.iter().take(20).map(ToString::to_string).collect();
        let more = if outcome.failed.len() > 20 { " and others" } else { "" };
        say(format!(
            "not done: {} ({}{more}); the same command tries again",
            counted(outcome.failed.len(), "shard", "shards"),
            failed.join(", ")
        ));
    }
    if counts.photos > 0 && counts.bad == counts.photos && outcome.failed.is_empty() {
        return Err(crate::exit::none_read(counts.bad as usize));
    }
    Ok(Status::with_bad_photos(counts.bad as usize + outcome.failed.len()))
}

fn told(progress: &mut LabelProgress, interrupt: &Interrupt, event: &Event<'_>) -> ControlFlow<()> {
    match event {
        Event::Started { done, shards } => progress.begin(*done, *shards),
        Event::Photo { bad } => progress.photo(*bad),
        Event::Shard { .. } => progress.shard(),
        Event::Elsewhere { done, photos } => progress.elsewhere(*done, *photos),
        Event::Trouble { reason } => progress.line(reason),
        Event::Failed { index, error, again } => {
            let then = if *again { "it is tried again" } else { "it is left out" };
            progress.line(&format!("shard {index} failed: {}; {then}", with_causes(*error)));
        }
    }
    if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// A hash of a file of places.
fn hash_of(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path_text(path)))?;
    Ok(Settings::hash(&bytes))
}
