//! A pass over photos without learning from them.

use cairn_dataset::{BadPhoto, Loader};
use cairn_eval::Scores;
use cairn_nets::{Network, Precision};

use crate::observer::Interrupt;

/// The scores of every photo of `loader`; `on_bad` is told of each photo that is left out.
///
/// `None` when `interrupt` asked for a stop before the end.
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
