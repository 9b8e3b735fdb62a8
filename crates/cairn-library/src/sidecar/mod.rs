//! Sidecars: their names, and the photos that they belong to.
