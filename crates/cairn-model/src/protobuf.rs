//! Protocol buffers, as far as writing them takes (<https://protobuf.dev/programming-guides/encoding>).
//!
//! ONNX needs ten messages of some thirty fields, TensorBoard three of six, and nothing of them is read. A crate for
//! protocol buffers would bring a macro, four dependencies and a copy of every weight; this is all that writing takes.

/// A message in the making: its fields' bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// Adds a whole number: `int64`, `int32`, `bool` or an enumeration.
    pub fn int(mut self, field: u32, value: i64) -> Self {
        self.tag(field, 0);
        // Negative numbers are written as the 64-bit number with the same bits.
        self.varint(value as u64);
        self
    }

    /// Adds a `double`.
    pub fn double(mut self, field: u32, value: f64) -> Self {
        self.tag(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds a `float`.
    pub fn float(mut self, field: u32, value: f32) -> Self {
        self.tag(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// Adds `bytes`.
    pub fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.tag(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    /// Adds a `string`.
    pub fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    /// Adds a message within this one.
    pub fn message(self, field: u32, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// Adds what `add` adds, once for each value: a `repeated` field.
    pub fn each<T>(self, values: impl IntoIterator<Item = T>, add: impl Fn(Self, T) -> Self) -> Self {
        values.into_iter().fold(self, add)
    }

    /// The message's bytes in a file.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn tag(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the encoding guide.
    #[test]
    fn fields_are_written_as_the_guide_shows() {
        let test1 = Message::default().int(1, 150);
        assert_eq!(test1.0, [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").0, [&[0x12, 0x07], b"testing".as_slice()].concat());
        assert_eq!(Message::default().message(3, &test1).0, [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(
            Message::default().int(1, -2).0,
            [0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        );
        assert_eq!(Message::default().float(2, 1.0).0, [0x15, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::default().double(1, 1.0).0, [0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }
}
