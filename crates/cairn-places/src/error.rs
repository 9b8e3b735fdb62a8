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
    /// A name of punctuation alone.
    #[error("{origin}: {place:?} has the name {name:?} without a letter or digit: add one")]
    Unfindable {
        /// The file's path, or what the text was called.
        origin: String,
        /// The place.
        place: String,
        /// Its name that cannot be looked up.
        name: String,
    },
    /// A name that leads to two places.
    #[error("{origin}: {first:?} and {second:?} both have the name {name:?}: remove it from one of them")]
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
    #[error("{origin}: {first:?} and {second:?} both have the Wikidata item {id}: correct one of them")]
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
