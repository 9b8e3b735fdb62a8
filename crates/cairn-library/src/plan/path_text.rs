//! Paths in JSON: as text where they are UTF-8, else their bytes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::state::{bytes_of_path, path_of_bytes};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Shown {
    Text(String),
    Bytes { bytes: Vec<u8> },
}

pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = match path.to_str() {
        Some(text) => Shown::Text(text.to_owned()),
        None => Shown::Bytes { bytes: bytes_of_path(path).to_vec() },
    };
    shown.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    Ok(match Shown::deserialize(deserializer)? {
        Shown::Text(text) => text.into(),
        Shown::Bytes { bytes } => path_of_bytes(bytes),
    })
}
