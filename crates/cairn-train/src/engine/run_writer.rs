//! What a training writes into its run folder, and when.

use cairn_eval::{RECALL, Scores, threshold_at_recall};
use cairn_model::{BundleInfo, OodScore, Provenance, Rejection, write_bundle};
use cairn_nets::Network;
use cairn_photo::{Preprocess, TestViews};

use crate::TrainError;
use crate::engine::job::Training;
use crate::engine::learner::Learner;
use crate::engine::state::TrainState;
use crate::run::history::EpochRecord;

/// When a training is written to its run folder. It is also written every five minutes, at the end, and when a stop is
/// requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckpointPolicy {
    /// After every epoch.
    EveryEpoch,
    /// At no other time: an epoch takes less time than writing a file.
    Timed,
}

/// Writes the best model, the history and the checkpoint.
#[derive(Debug)]
pub(crate) struct RunWriter<'a> {
    training: &'a Training<'a>,
    preprocess: &'a Preprocess,
    policy: CheckpointPolicy,
    /// The best epoch, if its model is not written yet.
    best: Option<BestEpoch>,
    /// Whether an epoch has ended since the last write.
    behind: bool,
}

/// An epoch with the lowest validation loss so far.
#[derive(Debug)]
pub(crate) struct BestEpoch {
    /// For evaluation.
    pub network: Network,
    pub record: EpochRecord,
    pub scores: Scores,
}

impl<'a> RunWriter<'a> {
    pub(crate) fn new(
        training: &'a Training<'a>,
        preprocess: &'a Preprocess,
        policy: CheckpointPolicy,
    ) -> Self {
        Self { training, preprocess, policy, best: None, behind: false }
    }

    /// Notes that an epoch has ended, as the best one so far if `best` is there, and writes it if the policy says so or a
    /// checkpoint is `due`.
    pub(crate) fn end_epoch(
        &mut self,
        best: Option<BestEpoch>,
        due: impl FnOnce() -> bool,
        state: &TrainState,
        learner: &Learner,
    ) -> Result<(), TrainError> {
        self.best = best.or(self.best.take());
        self.behind = true;
        if self.policy == CheckpointPolicy::EveryEpoch || due() { self.write(state, learner) } else { Ok(()) }
    }

    /// Writes everything that is not written yet, and the checkpoint.
    pub(crate) fn write(&mut self, state: &TrainState, learner: &Learner) -> Result<(), TrainError> {
        self.write_results(state)?;
        let run = self.training.run;
        let checkpoint = learner
            .checkpoint(state)
            .map_err(|reason| TrainError::Checkpoint { path: run.checkpoint_path(), reason })?;
        run.write_checkpoint(&checkpoint)
    }

    /// Writes everything, unless no epoch has ended since the last write.
    pub(crate) fn catch_up(&mut self, state: &TrainState, learner: &Learner) -> Result<(), TrainError> {
        if self.behind { self.write(state, learner) } else { Ok(()) }
    }

    /// Writes the best model and the history of the whole epochs, without a checkpoint.
    pub(crate) fn write_results(&mut self, state: &TrainState) -> Result<(), TrainError> {
        let run = self.training.run;
        if let Some(best) = self.best.take() {
            write_bundle(&run.best_model(), &best.network, &self.bundle_info(&best, &state.fingerprint)?)?;
        }
        // A probe writes it without an epoch, too: by this file a sweep finds that a probe which diverged at once has ended.
        if std::mem::take(&mut self.behind) || self.policy == CheckpointPolicy::Timed {
            run.write_history(&state.history)?;
        }
        Ok(())
    }

    fn bundle_info(&self, best: &BestEpoch, fingerprint: &str) -> Result<BundleInfo, TrainError> {
        let Training { recipe, data, .. } = *self.training;
        let BestEpoch { record, scores, .. } = best;
        let temperature = scores.fit_temperature();
        // Until `calibrate` finds a better score, and has photos without a landmark to choose it by.
        let confidences = scores.predictions(temperature).into_iter();
        let confidences: Vec<f64> = confidences.map(|p| p.map_or(f64::NAN, |p| p.probability)).collect();
        let rejection = threshold_at_recall(&confidences, RECALL)
            .map(|threshold| Rejection::new(OodScore::Confidence, threshold));
        Ok(BundleInfo {
            network: recipe.network_spec(data.classes.len()),
            classes: data.classes.clone(),
            preprocess: self.preprocess.clone(),
            temperature,
            conformal: None,
            views: TestViews::One,
            rejection,
            learning: None,
            backbone: Some(recipe.backbone()),
            provenance: Provenance {
                cairn: env!("CARGO_PKG_VERSION").to_owned(),
                recipe: recipe.without_absolute_paths().to_toml()?,
                data_fingerprint: fingerprint.to_owned(),
                epoch: record.epoch,
                valid_loss: record.valid_loss,
                valid_accuracy: record.valid_accuracy,
            },
        })
    }
}
