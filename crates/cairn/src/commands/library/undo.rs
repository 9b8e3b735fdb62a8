//! `cairn library undo`
