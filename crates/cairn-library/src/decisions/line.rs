//! A line of `decisions.jsonl`.

use serde::{Deserialize, Serialize};

use crate::state::{Decision, PayloadHash};

/// What a decision is about, in a form that other computers understand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// A picture.
    Picture(PayloadHash),
    /// The whole library.
    Library,
}

/// A decision, or that one was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionLine {
    /// The picture's payload hash; missing where it is about the whole library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) picture: Option<String>,
    /// The library's root, for decisions about all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    /// The landmark by its gazetteer's name; missing for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landmark: Option<String>,
    /// Its item on Wikidata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wikidata: Option<String>,
    /// What was decided; missing where an earlier decision was taken back.
    pub decision: Option<Decision>,
    /// When, seconds since 1970.
    pub decided: i64,
}

impl DecisionLine {
    /// A decision, now.
    pub fn new(
        about: About,
        landmark: Option<&str>,
        wikidata: Option<&str>,
        decision: Option<Decision>,
    ) -> DecisionLine {
        let picture = match about {
            About::Picture(payload) => Some(payload.to_string()),
            About::Library => None,
        };
        DecisionLine {
            picture,
            library: None,
            landmark: landmark.map(str::to_owned),
            wikidata: wikidata.map(str::to_owned),
            decision,
            decided: jiff::Timestamp::now().as_second(),
        }
    }

    /// What it is about; `None` where the picture's hash is none.
    pub fn about(&self) -> Option<About> {
        match &self.picture {
            Some(hash) => PayloadHash::from_hex(hash).map(About::Picture),
            None => Some(About::Library),
        }
    }
}
