//! What can go wrong with a list of places.

use std::io;
use std::path::PathBuf;

/// Why a list of places cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlacesError {
    /// The file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Not TOML, or an entry lacks something, or holds what it must not. The source gives the line.
    #[error(
        "{origin}: not a list of places: each [[place]] needs name, kind, latitude, longitude, locality, country \
         and country_code"
    )]
    Format {
        /// The file's path, or what the text was called.
        origin: String,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// A name of which nothing is left once punctuation is taken away.
    #[error("{origin}: {place:?} cannot be found by the name {name:?}: give it a letter or a digit")]
    Unfindable {
        /// The file's path, or what the text was called.
        origin: String,
        /// The place.
        place: String,
        /// Its name that cannot be looked up.
        name: String,
    },
    /// A name that leads to two places.
    #[error(
        "{origin}: {first:?} and {second:?} are both found by the name {name:?}: take it from one of them"
    )]
    SharedName {
        /// The file's path, or what the text was called.
        origin: String,
        /// The place that comes first.
        first: String,
        /// The place that comes later.
        second: String,
        /// The name in question.
        name: String,
    },
    /// One Wikidata item given to two places.
    #[error("{origin}: {first:?} and {second:?} are both given the Wikidata item {id}: correct one of them")]
    SharedWikidataId {
        /// The file's path, or what the text was called.
        origin: String,
        /// The place that comes first.
        first: String,
        /// The place that comes later.
        second: String,
        /// The item.
        id: crate::WikidataId,
    },
}
