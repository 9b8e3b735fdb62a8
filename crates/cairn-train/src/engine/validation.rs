//! Validation: the scores of a network on the photos of a loader.

use cairn_dataset::{BadPhoto, Loader};
use cairn_eval::Scores;
use cairn_nets::{Network, Precision};

use crate::TrainError;
use crate::engine::job::Interrupt;

/// The scores of all photos of `loader`. `on_bad` is called with each photo that cannot be read.
///
/// `None` if a stop was requested before the end.
pub fn evaluate(
    network: &Network,
    loader: &Loader,
    classes: usize,
    precision: Precision,
    interrupt: &Interrupt,
    mut on_bad: impl FnMut(&BadPhoto),
) -> Option<Scores> {
    let mut scores = Scores::new(classes);
    for batch in loader.epoch(0, 0) {
        batch.bad.iter().for_each(&mut on_bad);
        let logits = network.logits(&batch.pixels, batch.height, batch.width, precision);
        for (label, logits) in batch.labels.iter().zip(&logits) {
            scores.push(*label, logits);
        }
        if interrupt.requested() {
            return None;
        }
    }
    Some(scores)
}

/// Checks that at least one of the `photos` of `loader` can be read, before an epoch is spent on training.
pub(crate) fn check_readable(loader: &Loader, photos: usize) -> Result<(), TrainError> {
    let mut first = None;
    for batch in loader.epoch(0, 0) {
        if !batch.is_empty() {
            return Ok(());
        }
        first = first.or_else(|| batch.bad.first().map(BadPhoto::message));
    }
    Err(TrainError::NothingToValidate { photos, first: first.unwrap_or_default() })
}
