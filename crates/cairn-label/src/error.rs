//! Why a list cannot be labelled.

use crate::address::AddressError;
use crate::list::ListError;
use crate::store::StoreError;

/// Why a labelling does not begin, or cannot end. Trouble with one shard is a [`ShardError`](crate::ShardError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// The output, or what is read from it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A list.
    #[error(transparent)]
    List(#[from] ListError),
    /// An address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A pattern.
    #[error("{pattern}: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The arguments name no photo.
    #[error("there are no photos to label")]
    NoPhotos,
    /// Two lists are called alike, so that a plan could not tell them apart.
    #[error("{one} and {other} have one name; rename one, or label each into an output of its own")]
    TwoOfOneName {
        /// One of them.
        one: String,
        /// The other.
        other: String,
    },
    /// The output was begun with another model, other options or other lists.
    #[error("{out}: was begun otherwise: {difference}; name another output, or label as before")]
    OtherPlan {
        /// The output.
        out: String,
        /// What differs.
        difference: String,
    },
    /// The output holds parts of no plan, or of one that cannot be read.
    #[error("{out}: {reason}; name another output")]
    ForeignOutput {
        /// The output.
        out: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The output is no table of embeddings.
    #[error("{out}: {reason}")]
    NoEmbeddings {
        /// The output.
        out: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The store replaces files that are there.
    #[error(
        "{out}: this store replaces files although it is told not to; two writers would lose rows there; name another output"
    )]
    Overwrites {
        /// The output.
        out: String,
    },
}
