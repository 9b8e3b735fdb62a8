//! XMP packets, read and edited by replacing ranges of bytes: what is not ours stays as it is, to the byte.
//!
//! [`Packet::parse`] reads a packet into properties. [`edit()`] makes [`Change`]s to it and gives the new bytes. A form of
//! RDF that is not understood is refused, never guessed (ISO 16684-1; RDF/XML's subset in its section 7).

mod edit;
mod error;
mod layout;
mod packet;
mod property;
mod value;
mod xml;

pub use edit::{Change, NEW_PACKET, edit};
pub use error::XmpError;
pub use packet::Packet;
pub use property::{Namespace, Property};
pub use value::{ArrayKind, Field, Value};
