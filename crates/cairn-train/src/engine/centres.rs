//! Several centres of a class (sub-center ArcFace): which of them a trained model keeps.

use burn::tensor::Device;
use cairn_nets::{Network, NetworkSpec, StateDict};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::recipe::Recipe;

/// The centre of its own class that is nearest to a training photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NearestCentre {
    pub class: usize,
    /// Counted from 0 within the class.
    pub centre: usize,
}

/// Votes of training photos for the centres that were nearest to them. A vote of one epoch counts half in the next: photos
/// move between centres, and an epoch that a time limit ends may not have seen every class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CentreVotes {
    /// `[classes][centres]`; empty until the first vote.
    votes: Vec<Vec<u64>>,
}

/// A vote when it is cast: it can be halved in so many epochs.
const VOTE: u64 = 1 << 20;

impl CentreVotes {
    pub(crate) fn is_empty(&self) -> bool {
        self.votes.is_empty()
    }

    /// Counts the photos of a step.
    pub(crate) fn add(&mut self, recipe: &Recipe, nearest: &[NearestCentre]) {
        let centres = recipe.metric.map_or(1, |metric| metric.centres);
        for &NearestCentre { class, centre } in nearest {
            if self.votes.len() <= class {
                self.votes.resize(class + 1, vec![0; centres]);
            }
            if let Some(votes) = self.votes[class].get_mut(centre) {
                *votes += VOTE;
            }
        }
    }

    /// Halves every vote.
    pub(crate) fn age(&mut self) {
        self.votes.iter_mut().flatten().for_each(|votes| *votes /= 2);
    }

    /// The centre of a class with the most votes; the first of equals.
    fn dominant(&self, class: usize) -> usize {
        let votes = self.votes.get(class).map_or(&[][..], Vec::as_slice);
        (0..votes.len()).max_by(|&a, &b| votes[a].cmp(&votes[b]).then(b.cmp(&a))).unwrap_or(0)
    }
}

/// The network of `spec` with the weights of one whose linear head has so many `centres` for each class: of each class the
/// centre with the most votes. It lives on the processor.
///
/// # Errors
/// None that is known: all shapes but the head's are the same.
pub(crate) fn with_dominant_centres(
    network: &Network,
    spec: &NetworkSpec,
    centres: usize,
    votes: &CentreVotes,
) -> Result<Network, TrainError> {
    let head = network.head_prefix();
    let mut weights: StateDict = network.state_dict();
    for name in [format!("{head}.weight"), format!("{head}.bias")] {
        let Some((mut shape, values)) = weights.take(&name) else { continue };
        let length = values.len() / (spec.classes * centres);
        let row = |class: usize| (class * centres + votes.dominant(class)) * length;
        let kept = (0..spec.classes).flat_map(|class| &values[row(class)..row(class) + length]);
        let kept = kept.copied().collect();
        shape[0] = spec.classes;
        weights.insert(&name, &shape, kept);
    }
    spec.blank(&Device::flex())?.with_state_dict(weights).map_err(TrainError::FirstWeights)
}

#[cfg(test)]
mod tests {
    use cairn_nets::{Architecture, Init, Pooling};

    use super::*;

    fn three_centres() -> Recipe {
        let mut recipe = Recipe::find("demo").unwrap();
        recipe.metric = Some(toml::from_str("margin = 0.3\ncentres = 3").unwrap());
        recipe
    }

    fn nearest(class: usize, centre: usize) -> NearestCentre {
        NearestCentre { class, centre }
    }

    #[test]
    fn the_latest_epochs_decide_and_a_class_that_was_not_seen_keeps_its_centre() {
        let recipe = three_centres();
        let mut votes = CentreVotes::default();
        votes.add(&recipe, &[nearest(1, 2), nearest(1, 2), nearest(1, 2), nearest(1, 0), nearest(0, 1)]);
        assert_eq!([0, 1, 2].map(|class| votes.dominant(class)), [1, 2, 0]);
        votes.age();
        votes.add(&recipe, &[nearest(1, 0)]);
        assert_eq!([0, 1].map(|class| votes.dominant(class)), [1, 0], "the first of equals: 1.5 votes each");
        votes.age();
        votes.add(&recipe, &[nearest(1, 2)]);
        assert_eq!([0, 1].map(|class| votes.dominant(class)), [1, 2]);
        let written = serde_json::to_string(&votes).unwrap();
        assert_eq!(serde_json::from_str::<CentreVotes>(&written).unwrap(), votes);
    }

    #[test]
    fn the_saved_head_has_the_dominant_row_of_each_class_and_all_else_is_the_network_s() {
        let spec = |classes| NetworkSpec {
            architecture: Architecture::ThreeConv,
            classes,
            side: 16,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        let network = spec(6).build(Init::Default, 3, &Device::flex()).unwrap();
        let mut votes = CentreVotes::default();
        votes.add(&three_centres(), &[nearest(0, 2), nearest(1, 1)]);
        let kept = with_dominant_centres(&network, &spec(2), 3, &votes).unwrap().state_dict();
        let all = network.state_dict();
        for (name, shape) in all.shapes() {
            let (found, before) = (kept.values(name).unwrap(), all.values(name).unwrap());
            if name.starts_with("fc2.") {
                let length = before.len() / 6;
                assert_eq!(
                    found,
                    [&before[2 * length..3 * length], &before[4 * length..5 * length]].concat()
                );
            } else {
                assert_eq!((found, kept.shape(name)), (before, Some(shape)), "{name}");
            }
        }
    }
}
