//! `cairn library plan`
