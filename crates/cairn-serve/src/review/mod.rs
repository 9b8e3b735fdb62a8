//! The page on which a person looks through a library's landmarks and decides: `cairn library review`.
//!
//! | module | holds |
//! | --- | --- |
//! | `desk` | the review, on the thread that its database belongs to, and how requests reach it |
//! | `server` | the socket on loopback, and the secret in its addresses |
//! | `routes` | who may ask, and what is answered |
//! | `form` | what a person decided, as forms send it |
//! | `pages` | all landmarks, the photos of one, a photo by itself |
//! | `picture` | photos made small |
//!
//! Decisions go through [`cairn_library::review::Review`]: each is on the disk before its request is answered, and no photo
//! is changed.

mod desk;
mod form;
mod pages;
mod picture;
mod routes;
mod server;

pub use desk::Desk;
pub use server::{ReviewServeError, ReviewServer};
