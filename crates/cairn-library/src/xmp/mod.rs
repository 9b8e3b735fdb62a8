//! XMP packets, edited in place: bytes that are not ours stay.
