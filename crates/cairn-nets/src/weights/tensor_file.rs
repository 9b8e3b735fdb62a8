//! Safetensors files: a length of 64 bits, a JSON header of that length, and the tensors' bytes
//! (<https://github.com/huggingface/safetensors>).
//!
//! The header is read here and not by the crate that writes such files: what it may hold is limited, so that a file made to
//! exhaust memory is refused before it does.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use safetensors::tensor::Dtype as FileDtype;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Dtype;
use super::names::{LONGEST_NAME, is_visible};

/// The longest header that the format allows, in bytes.
const LONGEST_HEADER: usize = 100_000_000;

/// The longest header that any file may have, in bytes. A longer file may have a quarter of its length more.
const SHORTEST_LIMIT: usize = 4 << 20;

/// The most tensors that are read; the largest networks here have some hundred.
const MOST_TENSORS: usize = 16_384;

/// The most axes of a tensor that are read.
const MOST_AXES: usize = 8;

/// What is wrong with a safetensors file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TensorFileError {
    /// The file ends within its header, or the header is far longer than a file of this length needs.
    #[error("truncated safetensors file: the header has {header} bytes, the file {file}")]
    Header {
        /// What the first eight bytes say.
        header: u64,
        /// Length of the file.
        file: usize,
    },
    /// The header is no JSON, or not of the format.
    #[error("not a safetensors file: its header cannot be read ({0})")]
    Json(serde_json::Error),
    /// Tensors overlap, leave gaps, or do not end with the file.
    #[error("damaged safetensors file: the tensors' bytes overlap or leave gaps (at {0})")]
    Layout(String),
    /// A tensor's shape and type take another number of bytes.
    #[error("damaged safetensors file: the length of `{0}` does not fit its shape and type")]
    Length(String),
}

/// A safetensors file in memory, its header read.
#[derive(Debug)]
pub struct TensorFile<'a> {
    tensors: BTreeMap<String, Info>,
    entry: Option<String>,
    data: &'a [u8],
}

/// A tensor in a [`TensorFile`].
#[derive(Debug, Clone, Copy)]
pub struct StoredTensor<'a> {
    /// Its name.
    pub name: &'a str,
    /// The type of its elements, as the format calls it.
    pub dtype: FileDtype,
    /// Its shape; empty for a single number.
    pub shape: &'a [usize],
    /// Its elements, little-endian, row-major.
    pub bytes: &'a [u8],
}

impl<'a> TensorFile<'a> {
    /// Reads the header of a file: its tensors, and the metadata entry called `key` if there is one. Takes memory for
    /// that entry and 16,384 tensors at most, whatever the header holds.
    ///
    /// # Errors
    /// When it is no whole file of the format, or of more tensors or axes than networks have.
    pub fn parse(file: &'a [u8], key: &str) -> Result<Self, TensorFileError> {
        let header_len = file.first_chunk().map_or(0, |len| u64::from_le_bytes(*len));
        let wrong = || TensorFileError::Header { header: header_len, file: file.len() };
        let longest = LONGEST_HEADER.min(SHORTEST_LIMIT + file.len() / 4);
        let len = usize::try_from(header_len).ok().filter(|len| (1..=longest).contains(len));
        let rest = file.get(8..).ok_or_else(wrong)?;
        let (header, data) = len.and_then(|len| rest.split_at_checked(len)).ok_or_else(wrong)?;
        let mut json = serde_json::Deserializer::from_slice(header);
        let header = HeaderSeed { key }.deserialize(&mut json).map_err(TensorFileError::Json)?;
        json.end().map_err(TensorFileError::Json)?;
        let Header { entry, tensors } = header;
        check_layout(&tensors, data.len())?;
        Ok(Self { tensors, entry, data })
    }

    /// The metadata entry that was asked for.
    pub fn entry(&self) -> Option<&str> {
        self.entry.as_deref()
    }

    /// The tensors, in name order.
    pub fn tensors(&self) -> impl Iterator<Item = StoredTensor<'_>> {
        self.tensors.iter().map(|(name, info)| StoredTensor {
            name,
            dtype: info.dtype,
            shape: &info.shape.0,
            bytes: &self.data[info.bytes()],
        })
    }
}

impl StoredTensor<'_> {
    /// The type of its elements, where it is one of floats that are read.
    pub fn float(&self) -> Option<Dtype> {
        match self.dtype {
            FileDtype::F32 => Some(Dtype::F32),
            FileDtype::F16 => Some(Dtype::F16),
            FileDtype::BF16 => Some(Dtype::Bf16),
            FileDtype::F64 => Some(Dtype::F64),
            _ => None,
        }
    }
}

/// The tensors follow each other without gaps, each with the length of its shape and type.
fn check_layout(tensors: &BTreeMap<String, Info>, data_len: usize) -> Result<(), TensorFileError> {
    let mut by_place: Vec<(&String, &Info)> = tensors.iter().collect();
    by_place.sort_by_key(|(_, info)| (info.data_offsets.0, info.data_offsets.1));
    let mut end = 0;
    for (name, info) in by_place {
        let (start, stop) = info.data_offsets;
        if start != end || stop < start || stop > data_len {
            return Err(TensorFileError::Layout(name.clone()));
        }
        let bits = info.shape.0.iter().try_fold(info.dtype.bitsize(), |bits, side| bits.checked_mul(*side));
        if bits != (stop - start).checked_mul(8) {
            return Err(TensorFileError::Length(name.clone()));
        }
        end = stop;
    }
    if end == data_len { Ok(()) } else { Err(TensorFileError::Layout("the end".to_owned())) }
}

/// What the header says.
struct Header {
    entry: Option<String>,
    tensors: BTreeMap<String, Info>,
}

/// What the header says of a tensor.
#[derive(Debug, Deserialize)]
struct Info {
    dtype: FileDtype,
    shape: Shape,
    /// Where its bytes begin and end after the header.
    data_offsets: (usize, usize),
}

impl Info {
    fn bytes(&self) -> Range<usize> {
        self.data_offsets.0..self.data_offsets.1
    }
}

/// A shape of at most [`MOST_AXES`].
#[derive(Debug)]
struct Shape(Vec<usize>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sides;
        impl<'de> Visitor<'de> for Sides {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a shape of at most {MOST_AXES} axes")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
                let mut sides = Vec::new();
                while let Some(side) = seq.next_element()? {
                    if sides.len() == MOST_AXES {
                        return Err(A::Error::invalid_length(MOST_AXES + 1, &self));
                    }
                    sides.push(side);
                }
                Ok(Shape(sides))
            }
        }
        deserializer.deserialize_seq(Sides)
    }
}

/// Reads a header, of whose metadata only the entry `key` is kept.
struct HeaderSeed<'k> {
    key: &'k str,
}

impl<'de> DeserializeSeed<'de> for HeaderSeed<'_> {
    type Value = Header;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Header, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for HeaderSeed<'_> {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header { entry: None, tensors: BTreeMap::new() };
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                header.entry = map.next_value_seed(EntrySeed { key: self.key })?;
                continue;
            }
            if name.len() > LONGEST_NAME || !name.chars().all(is_visible) {
                return Err(A::Error::custom("a tensor's name that is too long or has control characters"));
            }
            if header.tensors.len() == MOST_TENSORS {
                return Err(A::Error::custom(format_args!("more than {MOST_TENSORS} tensors")));
            }
            let info = map.next_value()?;
            if header.tensors.insert(name, info).is_some() {
                return Err(A::Error::custom("two tensors of one name"));
            }
        }
        Ok(header)
    }
}

/// Reads the metadata and keeps the entry `key` alone.
struct EntrySeed<'k> {
    key: &'k str,
}

impl<'de> DeserializeSeed<'de> for EntrySeed<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
        let mut entry = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == self.key {
                entry = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(entry)
    }
}
