//! What results depend on beside the photos: the model, and how it is asked.

use std::num::NonZeroU64;

use cairn_model::rows::ModelIdentity;
use cairn_model::{Model, Precision, TestViews};
use serde::{Deserialize, Serialize};

/// Photos in a shard, unless somebody says otherwise.
pub const SHARD_PHOTOS: NonZeroU64 = NonZeroU64::MIN.saturating_add(4095);

/// What results depend on beside the photos. Everything is settled when a plan is made, nothing is left to the machine that
/// does a shard: processors differ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// The model's name, for people.
    pub model: String,
    /// The beginning of the SHA-256 digest of its file.
    pub digest: String,
    /// How many landmarks a row names.
    pub k: usize,
    /// The views of each photo.
    pub views: TestViews,
    /// Number type of activations, where they are floats.
    pub precision: Precision,
    /// Whether the network computes in 8 bits, as its bundle says, and not in floats.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub int8: bool,
    /// From which score on a photo is taken to show a landmark.
    pub threshold: Option<f64>,
    /// A hash of places of the user's own.
    pub places: Option<String>,
    /// Whether rows hold embeddings.
    pub embed: bool,
    /// Photos in a shard.
    pub shard: NonZeroU64,
}

impl Settings {
    /// Those of a model as its options have it; `identity` is that of its file.
    pub fn of(model: &Model, identity: &ModelIdentity, k: usize) -> Self {
        Self {
            model: identity.name.clone(),
            digest: identity.digest.clone(),
            k: k.min(model.classes().len()),
            views: model.views(),
            precision: model.precision(),
            int8: model.number_type() == "int8",
            threshold: model.threshold(),
            places: None,
            embed: false,
            shard: SHARD_PHOTOS,
        }
    }

    /// What [`Settings::places`] is of a file of this content.
    pub fn hash(places: &[u8]) -> String {
        format!("blake3:{}", &blake3::hash(places).to_hex()[..16])
    }

    /// What differs in `later`, in words; `None` where results would be the same.
    pub fn difference(&self, later: &Self) -> Option<String> {
        let words = |what: &str, then: String, now: String| Some(format!("{what} {then} then, {now} now"));
        let numbers = |settings: &Self| match settings.int8 {
            true => "int8".to_owned(),
            false => settings.precision.to_string(),
        };
        let places = |settings: &Self| settings.places.clone().unwrap_or_else(|| "those built in".to_owned());
        let threshold =
            |settings: &Self| settings.threshold.map_or_else(|| "none".to_owned(), |score| score.to_string());
        match () {
            () if self.digest != later.digest => words(
                "the model was",
                format!("{} ({})", self.model, self.digest),
                format!("{} ({})", later.model, later.digest),
            ),
            () if self.k != later.k => words("-k was", self.k.to_string(), later.k.to_string()),
            () if self.views != later.views => words("--tta was", name(self.views), name(later.views)),
            () if numbers(self) != numbers(later) => words("--precision was", numbers(self), numbers(later)),
            () if self.threshold != later.threshold => {
                words("the threshold was", threshold(self), threshold(later))
            }
            () if self.places != later.places => words("--places were", places(self), places(later)),
            () if self.embed != later.embed => {
                words("--embed was", self.embed.to_string(), later.embed.to_string())
            }
            () if self.shard != later.shard => {
                words("--shard was", self.shard.to_string(), later.shard.to_string())
            }
            () => None,
        }
    }
}

/// The name of the views, as plans have it.
fn name(views: TestViews) -> String {
    serde_json::to_value(views).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
