//! ONNX's messages (<https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>), as far as models here have them.

use crate::protobuf::Message;

/// The version of the format that opset 18 came with, and runtimes from 2022 on read.
const IR_VERSION: i64 = 8;
/// The version of the operators.
const OPSET: i64 = 18;

/// The element types of ONNX that occur here, with their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Float = 1,
    Uint8 = 2,
    Int8 = 3,
    Int64 = 7,
    Float16 = 10,
}

/// A side of a tensor: of this length, or of any, by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Fixed(usize),
    Any(&'static str),
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attribute {
    Float(f32),
    Int(i64),
    Ints(Vec<i64>),
    Text(&'static str),
}

impl Attribute {
    fn message(&self, name: &str) -> Message {
        let attribute = Message::default().text(1, name);
        match self {
            Self::Float(value) => attribute.float(2, *value).int(20, 1),
            Self::Text(value) => attribute.text(4, value).int(20, 3),
            Self::Int(value) => attribute.int(3, *value).int(20, 2),
            Self::Ints(values) => attribute.each(values, |message, value| message.int(8, *value)).int(20, 7),
        }
    }
}

/// The nodes and constants of a graph in the making. Values have names.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    messages: Message,
}

impl Nodes {
    /// Adds a node with one output, called `output`, and gives that name back.
    pub(super) fn add(
        &mut self,
        op: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[(&str, Attribute)],
    ) -> String {
        let node = Message::default()
            .each(inputs, |node, input| node.text(1, input))
            .text(2, output)
            .text(3, output)
            .text(4, op)
            .each(attributes, |node, (name, value)| node.message(5, &value.message(name)));
        self.messages = std::mem::take(&mut self.messages).message(1, &node);
        output.to_owned()
    }

    /// Adds a constant of these little-endian bytes, and gives its name back.
    pub(super) fn constant(&mut self, name: &str, element: Element, shape: &[usize], bytes: &[u8]) -> String {
        let tensor = Message::default()
            .each(shape, |tensor, side| tensor.int(1, *side as i64))
            .int(2, element as i64)
            .text(8, name)
            .bytes(9, bytes);
        self.messages = std::mem::take(&mut self.messages).message(5, &tensor);
        name.to_owned()
    }

    /// Adds a constant of f32 numbers.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, Element::Float, shape, &bytes)
    }

    /// Adds a constant of 64-bit integers; a shape without sides makes a single number.
    pub(super) fn ints(&mut self, name: &str, shape: &[usize], values: &[i64]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, Element::Int64, shape, &bytes)
    }
}

/// A value that goes into a model or comes out.
pub(super) struct Port<'a> {
    pub(super) name: &'a str,
    pub(super) element: Element,
    pub(super) shape: &'a [Side],
}

impl Port<'_> {
    fn message(&self) -> Message {
        let shape = Message::default().each(self.shape, |shape, side| {
            let side = match side {
                Side::Fixed(len) => Message::default().int(1, *len as i64),
                Side::Any(name) => Message::default().text(2, name),
            };
            shape.message(1, &side)
        });
        let tensor = Message::default().int(1, self.element as i64).message(2, &shape);
        Message::default().text(1, self.name).message(2, &Message::default().message(1, &tensor))
    }
}

/// The bytes of a model file.
pub(super) fn model(nodes: Nodes, input: &Port, output: &Port, metadata: &[(&str, String)]) -> Vec<u8> {
    let graph = nodes.messages.text(2, "cairn").message(11, &input.message()).message(12, &output.message());
    Message::default()
        .int(1, IR_VERSION)
        .text(2, "cairn")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph)
        .message(8, &Message::default().int(2, OPSET))
        .each(metadata, |model, (key, value)| {
            model.message(14, &Message::default().text(1, key).text(2, value))
        })
        .into_bytes()
}
