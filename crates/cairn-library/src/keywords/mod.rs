//! Keywords of all fields that photo programs write, as paths.
