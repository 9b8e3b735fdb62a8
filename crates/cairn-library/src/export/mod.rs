//! Reports and tables of what a library shows; nothing in the library is touched.
