//! `cairn library export`
