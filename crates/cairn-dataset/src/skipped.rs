//! What a walk through folders of photos leaves out, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use cairn_photo::FileKind;
use serde::{Serialize, Serializer};

use crate::path_text;

/// A file or folder that is left out. Serialised as its path and its reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Skipped {
    /// The file or folder. Nothing in a folder that is left out is looked at.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Why it is left out.
    pub reason: SkipReason,
}

/// Why a file or folder is left out. Serialised as its text: "video", "link to a folder above it".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// By its name it is no photo.
    Kind(FileKind),
    /// Its name begins with a dot.
    Hidden,
    /// A program keeps it for itself: thumbnails, deleted files, snapshots.
    Program,
    /// Named like a photo, but a pipe, a socket or a device.
    NotAFile,
    /// A photo of a data set that is in no class folder.
    OutsideClasses,
    /// A table lists it, but it is not on disk.
    NotOnDisk,
    /// So many more photos that a table lists, which is named instead, are not on disk either.
    OthersNotOnDisk(u32),
    /// A link to a folder that holds the link.
    LinkUp,
    /// A link to another class or part of the same data set, or to a folder that holds one.
    LinkAcross,
    /// Reached by a link, and the same file as a photo of a part that is kept apart from this one.
    SameFile,
}

impl SkipReason {
    /// Whether a link was not followed. Such links are worth naming one by one.
    pub fn is_link(self) -> bool {
        matches!(self, SkipReason::LinkUp | SkipReason::LinkAcross | SkipReason::SameFile)
    }

    /// The noun for `count` things that are left out for this reason.
    fn noun(self, count: usize) -> &'static str {
        let (one, many) = match self {
            SkipReason::Kind(kind) => return kind.noun(count),
            SkipReason::Hidden => ("hidden file or folder", "hidden files and folders"),
            SkipReason::Program => {
                ("file or folder of another program", "files and folders of other programs")
            }
            SkipReason::NotAFile => ("pipe or device", "pipes and devices"),
            SkipReason::OutsideClasses => {
                ("photo outside of the class folders", "photos outside of the class folders")
            }
            SkipReason::NotOnDisk | SkipReason::OthersNotOnDisk(_) => {
                ("listed photo that is not on disk", "listed photos that are not on disk")
            }
            SkipReason::LinkUp | SkipReason::LinkAcross | SkipReason::SameFile => ("link", "links"),
        };
        if count == 1 { one } else { many }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SkipReason::Hidden => "hidden",
            SkipReason::LinkUp => "link to a folder above it",
            SkipReason::LinkAcross => "link to another class or part of the data set",
            SkipReason::SameFile => "the same file is a photo of another part of the data set",
            SkipReason::OthersNotOnDisk(count) => {
                return write!(f, "{count} more {}", self.noun(*count as usize));
            }
            other => other.noun(1),
        })
    }
}

impl Serialize for SkipReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line on what was left out: "skipped 212 videos, 31 sidecars"; `None` where nothing was.
pub fn skipped_summary(skipped: &[Skipped]) -> Option<String> {
    // Links have one noun for several reasons, and photos that are not on disk may be counted already.
    let mut counts: BTreeMap<SkipReason, usize> = BTreeMap::new();
    for Skipped { reason, .. } in skipped {
        let (reason, count) = match *reason {
            SkipReason::OthersNotOnDisk(count) => (SkipReason::NotOnDisk, count as usize),
            reason if reason.is_link() => (SkipReason::LinkUp, 1),
            reason => (reason, 1),
        };
        *counts.entry(reason).or_default() += count;
    }
    let counted: Vec<String> =
        counts.into_iter().map(|(reason, count)| format!("{count} {}", reason.noun(count))).collect();
    (!counted.is_empty()).then(|| format!("skipped {}", counted.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_by_kind() {
        let skipped = |count: usize, reason| vec![Skipped { path: PathBuf::new(), reason }; count];
        assert_eq!(skipped_summary(&[]), None);
        let all = [
            skipped(212, SkipReason::Kind(FileKind::Video)),
            skipped(1, SkipReason::Program),
            skipped(1, SkipReason::LinkUp),
            skipped(1, SkipReason::LinkAcross),
            skipped(31, SkipReason::Kind(FileKind::Sidecar)),
        ];
        assert_eq!(
            skipped_summary(&all.concat()).unwrap(),
            "skipped 212 videos, 31 sidecars, 1 file or folder of another program, 2 links"
        );
    }
}
