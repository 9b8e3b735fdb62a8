//! One operation of a plan.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Splice;
use crate::state::{FileHash, PayloadHash};
use crate::xmp::Change;

use super::path_text;

/// What kind of operation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OpKind {
    /// A new sidecar.
    Create,
    /// An existing sidecar is edited.
    Edit,
    /// XMP is written into the photo.
    Embed,
    /// A copy of a file.
    Copy,
    /// A file is renamed.
    Move,
    /// A symbolic link to a file.
    SymbolicLink,
    /// A hard link to a file.
    HardLink,
}

impl OpKind {
    /// Its word in the database.
    pub fn word(self) -> &'static str {
        match self {
            OpKind::Create => "create",
            OpKind::Edit => "edit",
            OpKind::Embed => "embed",
            OpKind::Copy => "copy",
            OpKind::Move => "move",
            OpKind::SymbolicLink => "symbolic link",
            OpKind::HardLink => "hard link",
        }
    }
}

/// What becomes of a file's time of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MtimePolicy {
    /// The time of writing, by which other programs notice.
    New,
    /// As it was.
    Keep,
}

/// One operation: one file that is written, made, moved or linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Op {
    /// Its place in the plan, from 0.
    pub seq: u32,
    /// What kind of operation it is.
    pub kind: OpKind,
    /// The photo, from the library's root.
    #[serde(with = "path_text")]
    pub photo: PathBuf,
    /// The file that is written, whole path.
    #[serde(with = "path_text")]
    pub target: PathBuf,
    /// What is done.
    #[serde(flatten)]
    pub work: Work,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Bytes are replaced.
    Write(Box<Write>),
    /// A file is put elsewhere.
    Place {
        /// The file, whole path.
        #[serde(with = "path_text")]
        source: PathBuf,
        /// Its hash.
        #[serde(with = "hash_text")]
        hash: FileHash,
    },
}

/// Bytes that are replaced in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Write {
    /// Of the file before; `None` where it is new.
    #[serde(with = "hash_text_option")]
    pub before: Option<FileHash>,
    /// Of the file after.
    #[serde(with = "hash_text")]
    pub after: FileHash,
    /// The replacements.
    pub splices: Vec<Splice>,
    /// Of the picture in the file, which must stay; `None` for sidecars.
    #[serde(with = "hash_text_option")]
    pub payload: Option<PayloadHash>,
    /// What becomes of its time of change.
    pub mtime: MtimePolicy,
    /// The files that the content depends on, which must not have changed: the photo, and what is read beside it.
    pub guards: Vec<Guard>,
    /// The landmark that is marked; `None` where a mark is taken out.
    pub landmark: Option<String>,
    /// What changes in which field, for people.
    pub fields: Vec<FieldChange>,
    /// The changes that are ours.
    pub wrote: Vec<Change>,
    /// The person's own keywords that were copied from other fields and files.
    pub copied: Vec<Change>,
}

/// A file that must not have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// The file, whole path.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// Its size and its time of change in nanoseconds since 1970; `None` where it must not be there.
    pub stamp: Option<(u64, i64)>,
}

impl Guard {
    /// Of a file as it is.
    pub fn of(path: PathBuf) -> Guard {
        let stamp = Guard::stamp(&path);
        Guard { path, stamp }
    }

    /// Whether the file is still so.
    pub fn holds(&self) -> bool {
        Guard::stamp(&self.path) == self.stamp
    }

    fn stamp(path: &Path) -> Option<(u64, i64)> {
        let metadata = path.symlink_metadata().ok()?;
        Some((metadata.len(), metadata.modified().map(super::install::nanoseconds).unwrap_or_default()))
    }
}

/// What changes in a field, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's name with its prefix.
    pub field: String,
    /// What it held.
    pub before: Vec<String>,
    /// What it will hold.
    pub after: Vec<String>,
}

/// Hashes as hexadecimal digits.
mod hash_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) trait Hex: Sized + std::fmt::Display {
        fn of(text: &str) -> Option<Self>;
    }

    impl Hex for crate::state::FileHash {
        fn of(text: &str) -> Option<Self> {
            Self::from_hex(text)
        }
    }

    impl Hex for crate::state::PayloadHash {
        fn of(text: &str) -> Option<Self> {
            Self::from_hex(text)
        }
    }

    pub(super) fn serialize<H: Hex, S: Serializer>(hash: &H, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(hash)
    }

    pub(super) fn deserialize<'de, H: Hex, D: Deserializer<'de>>(deserializer: D) -> Result<H, D::Error> {
        let text = String::deserialize(deserializer)?;
        H::of(&text).ok_or_else(|| de::Error::custom(format!("{text}: no hash")))
    }
}

/// The same where there may be none.
mod hash_text_option {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::hash_text::Hex;

    pub(super) fn serialize<H: Hex, S: Serializer>(
        hash: &Option<H>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match hash {
            Some(hash) => serializer.collect_str(hash),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, H: Hex, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<H>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let hash = |text: String| H::of(&text).ok_or_else(|| de::Error::custom(format!("{text}: no hash")));
        text.map(hash).transpose()
    }
}
