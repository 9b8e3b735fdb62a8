//! A pass over photos without learning from them.

use cairn_dataset::{BadPhoto, Loader};
use cairn_eval::Scores;
use cairn_nets::{Network, Precision, combined_views};

use crate::observer::Interrupt;

/// The scores of every photo of `loader`, of all its views together where it shows several; `on_bad` is told of each photo that is left out.
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
        let logits = network.logits(batch.pixels, batch.height, batch.width, precision);
        for (label, views) in batch.labels.iter().zip(logits.chunks_exact(batch.views)) {
            scores.push(*label, &combined_views(views));
        }
        if interrupt.requested() {
            return None;
        }
    }
    Some(scores)
}
