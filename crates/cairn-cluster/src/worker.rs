//! What labels, in an executor.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use cairn_dataset::path_of_text;
use cairn_label::{Event, Input, LabelError, Labeller, Plan, Settings, Store, Stores};
use cairn_model::rows::ModelIdentity;
use cairn_model::{Model, ModelOptions, Threshold};
use cairn_places::Gazetteer;

use crate::error::in_words;
use crate::{Job, ShardOutcome, TaskError};

/// Photos that could not be read and are named with a shard; their rows say why of all.
const NAMED: usize = 20;

/// Whether somebody wants an end of the work.
pub type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

/// What labels, in an executor: a model, and how it is told to stop.
#[derive(Clone)]
pub struct Worker {
    /// What it is called in messages.
    pub name: String,
    /// Its model. The plan of a job says how it is asked.
    pub model: Model,
    /// The identity of the model's file.
    pub identity: ModelIdentity,
    /// Asked after each photo.
    pub stop: Stop,
}

impl Worker {
    /// Does these shards of a job: [`Labelling::label`].
    ///
    /// # Errors
    /// When none of them can be done here, or somebody wants to stop.
    pub fn label(
        &self,
        job: &Job,
        shards: &[usize],
        tell: &mut dyn FnMut(ShardOutcome),
    ) -> Result<(), TaskError> {
        self.open(job)?.label(shards, tell)
    }

    /// Opens what a job labels: its output, plan and lists, and the model as the plan asks it. Of ten thousand lists in a store
    /// this takes long, so that whoever does shards one after the other keeps it.
    ///
    /// # Errors
    /// When the job cannot be done here.
    pub fn open(&self, job: &Job) -> Result<Labelling, TaskError> {
        self.check_version(&job.cairn)?;
        let stop = Arc::clone(&self.stop);
        let stores = Stores::new(move || stop());
        let out = stores.store(path_of_text(&job.out)).map_err(|error| self.trouble(error.into()))?;
        let plan = Plan::read(&*out).map_err(|error| self.trouble(error))?;
        let plan = plan.filter(|plan| plan.identity() == job.plan).ok_or_else(|| {
            self.refused(format!(
                "does not see the labelling that was begun in {}; the output must be a place that all machines see, such as a \
                 shared folder or a bucket",
                job.out
            ))
        })?;
        let model = self.model_of(&plan.settings, job)?;
        let inputs = plan.inputs.iter().zip(&job.lists);
        let inputs = inputs.map(|(planned, place)| Input::open_planned(planned, place, &stores, &*out));
        let inputs = inputs.collect::<Result<Vec<_>, _>>().map_err(|error| self.trouble(error))?;
        // Else each photo would be written down as one that is not there.
        if let Some(photo) = job.photo.as_deref().filter(|photo| !path_of_text(photo).is_file()) {
            return Err(self.refused(format!(
                "does not see the photo {photo}; photos must be at the same paths on all machines, or in a store"
            )));
        }
        Ok(Labelling { plan, inputs, model, out, stores })
    }

    /// Of another version the same work may have other results.
    fn check_version(&self, theirs: &str) -> Result<(), TaskError> {
        let own = env!("CARGO_PKG_VERSION");
        if theirs == own {
            return Ok(());
        }
        Err(self.refused(format!("runs cairn {own}, and the command runs cairn {theirs}; use one version")))
    }

    /// The model, asked as the plan has it.
    fn model_of(&self, settings: &Settings, job: &Job) -> Result<Model, TaskError> {
        if settings.digest != self.identity.digest {
            return Err(self.refused(format!(
                "has the model {} ({}), and the labelling was begun with {} ({}); start it with that model (-m)",
                self.identity.name, self.identity.digest, settings.model, settings.digest
            )));
        }
        if !settings.int8 && !settings.precision.is_offered() {
            return Err(self.refused(format!(
                "does not support --precision {} of the labelling; begin another output with --precision f32",
                settings.precision
            )));
        }
        let places = job.places.as_deref().map(|text| self.places(text)).transpose()?;
        let options = ModelOptions {
            precision: (!settings.int8).then_some(settings.precision),
            views: Some(settings.views),
            threshold: settings.threshold.map(Threshold::At),
            places,
            ..self.model.options().clone()
        };
        let model =
            self.model.clone().with_options(options).map_err(|error| self.refused(in_words(&error)))?;
        let own = Settings {
            places: job.places.as_ref().map(|text| Settings::hash(text.as_bytes())),
            embed: settings.embed,
            shard: settings.shard,
            ..Settings::of(&model, &self.identity, settings.k)
        };
        match settings.difference(&own) {
            None => Ok(model),
            Some(difference) => Err(self.refused(format!("would label otherwise: {difference}"))),
        }
    }

    /// The user's places, laid over those that come with cairn.
    fn places(&self, text: &str) -> Result<Gazetteer, TaskError> {
        let own = Gazetteer::from_toml(text, "--places").map_err(|error| self.refused(in_words(&error)))?;
        let mut places = Gazetteer::builtin();
        places.merge(own);
        Ok(places)
    }

    /// A disk or network that fails may pass; all else stays as it is.
    fn trouble(&self, error: LabelError) -> TaskError {
        match error {
            LabelError::Store(error) => TaskError::Passing(format!("{}: {}", self.name, in_words(&error))),
            error => self.refused(in_words(&error)),
        }
    }

    fn refused(&self, reason: String) -> TaskError {
        TaskError::Refused(format!("{}: {reason}", self.name))
    }
}

/// A job that is opened: all that doing its shards needs.
pub struct Labelling {
    plan: Plan,
    inputs: Vec<Input>,
    model: Model,
    out: Box<dyn Store>,
    stores: Stores,
}

impl Labelling {
    /// Does these shards, one after the other, each once. A shard that is there is not done again, and one that fails is an
    /// outcome.
    ///
    /// # Errors
    /// When somebody wants to stop: [`Worker::stop`].
    pub fn label(&self, shards: &[usize], tell: &mut dyn FnMut(ShardOutcome)) -> Result<(), TaskError> {
        let Self { plan, inputs, model, out, stores } = self;
        let labeller = Labeller { plan, inputs, model, out: &**out, stores };
        let mut bad: Vec<(String, String)> = Vec::new();
        let mut each = |event: Event<'_>| {
            match event {
                Event::Photo { bad: Some((name, reason)) } if bad.len() < NAMED => {
                    bad.push((name.to_owned(), reason.to_owned()));
                }
                Event::Shard { index, report } => {
                    tell(ShardOutcome { index, done: Ok(report), bad: std::mem::take(&mut bad) });
                }
                Event::Failed { index, error, .. } => {
                    bad.clear();
                    tell(ShardOutcome { index, done: Err(in_words(error)), bad: Vec::new() });
                }
                _ => {}
            }
            if stores.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        // Somebody else may have done one of them: an executor that was lost, another command.
        match labeller.label_each(shards.iter().copied().collect(), &mut true, false, &mut each) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TaskError::Stopped),
        }
    }
}

impl fmt::Debug for Labelling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Labelling").field("out", &self.out.name()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.name)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
