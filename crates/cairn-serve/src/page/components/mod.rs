//! What pages are made of: functions from data to markup. They know nothing of requests, so that every page of cairn may
//! use them.

pub(crate) mod bars;
pub(crate) mod camera;
pub(crate) mod card;
pub(crate) mod downloads;
pub(crate) mod feedback;
pub(crate) mod frame;
pub(crate) mod map;
