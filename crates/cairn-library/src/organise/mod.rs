//! Albums by landmark: links, copies and moves.
