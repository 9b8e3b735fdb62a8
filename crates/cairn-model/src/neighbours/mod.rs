//! The embeddings that are most like one: by comparison with all of them, or by an index of which few are compared.

mod cosine;
mod embedding_table;
mod gallery;
mod index_file;
mod inverted_file;
#[cfg(test)]
pub(crate) mod made_up;

pub(crate) use cosine::cosine;
pub use embedding_table::{EmbeddingTable, Neighbour};
pub use gallery::{Gallery, GalleryError, GalleryIndex, Likeness};
pub use index_file::IndexFileError;
pub use inverted_file::InvertedFile;

/// From how many embeddings on an index is worth its making: below, all are compared in a few milliseconds.
pub const INDEX_FROM: usize = 10_000;

/// How the nearest of many embeddings are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NeighbourSearch {
    /// All are compared.
    #[default]
    Exact,
    /// From [`INDEX_FROM`] embeddings on by an [`InvertedFile`], which is made once.
    Indexed,
}
