//! `cairn library apply`
