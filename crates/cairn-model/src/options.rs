//! How a model answers where it differs from what its bundle says.

use std::num::NonZeroUsize;

use cairn_nets::Precision;
use cairn_photo::TestViews;
use cairn_places::Gazetteer;

use crate::{CoverageError, NeighbourSearch, NotSure};

/// How a model answers. What is `None` is as the bundle says, or as is best on this machine. [`Model::save`] writes none of
/// it.
///
/// [`Model::save`]: crate::Model::save
#[derive(Debug, Clone, Default)]
pub struct ModelOptions {
    /// Number type of activations [default: the machine's fastest].
    pub precision: Option<Precision>,
    /// Views of each photo, whose probabilities are averaged [default: the bundle's].
    pub views: Option<TestViews>,
    /// From which score on a photo is taken to show a landmark [default: the bundle's threshold].
    pub threshold: Option<Threshold>,
    /// How often the set of landmarks that comes with an answer must hold the truth, such as 0.95 [default: no set].
    pub coverage: Option<f64>,
    /// Places of landmarks [default: those built in].
    pub places: Option<Gazetteer>,
    /// Threads that look at photos [default: those of the current rayon pool].
    pub threads: Option<NonZeroUsize>,
    /// How the nearest prototypes of learned and trained classes are found. By an index, which the first photo waits for, pays
    /// where very many classes were learned and many photos are looked at.
    pub neighbours: NeighbourSearch,
}

/// From which score on a photo is taken to show a landmark that the model knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// From this score on.
    At(f64),
    /// From the bundle's threshold for sure answers on ([`Rejection::sure`](crate::Rejection::sure)).
    Sure,
}

impl Threshold {
    /// The threshold that somebody asks for by `sure` or a score; `None` leaves it to the bundle.
    pub fn chosen(sure: bool, score: Option<f64>) -> Option<Self> {
        if sure { Some(Self::Sure) } else { score.map(Self::At) }
    }
}

/// Why a model cannot answer as the options say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// [`Threshold::Sure`] of a model that has no such threshold.
    #[error(transparent)]
    NotSure(#[from] NotSure),
    /// A coverage that the model has no sets of.
    #[error(transparent)]
    Coverage(#[from] CoverageError),
    /// The threads cannot be started.
    #[error("the threads cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}
