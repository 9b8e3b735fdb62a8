//! `cairn library organise`
