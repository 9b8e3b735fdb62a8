//! `cairn library diff`
