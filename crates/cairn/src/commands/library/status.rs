//! `cairn library status`
