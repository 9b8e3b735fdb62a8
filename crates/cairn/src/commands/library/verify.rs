//! `cairn library verify`
