//! `cairn library scan`
