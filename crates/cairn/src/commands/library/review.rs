//! `cairn library review`
