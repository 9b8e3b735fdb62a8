//! Plans: what is to be written, and how it is written, undone and verified.
