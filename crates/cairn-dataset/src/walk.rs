//! The one rule by which folders of photos are walked, for data sets and for photos to name alike.
//!
//! Left out are hidden files and folders, what programs keep for themselves, files that are no photos by their name, and
//! links that lead back to a folder above them. Other links are followed.

use std::io;
use std::path::{Path, PathBuf};

use cairn_photo::FileKind;
use walkdir::{DirEntry, WalkDir};

use crate::skipped::{SkipReason, Skipped, skipped_summary};

/// The photos that were found in folders, and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhotoListing {
    /// The photos, in the order of the folders given, then of their paths.
    pub photos: Vec<PathBuf>,
    /// Everything else that was found.
    pub skipped: Vec<Skipped>,
}

impl PhotoListing {
    /// The photos that `paths` name: a file as it is, a folder as all photos in it by name.
    ///
    /// What cannot be opened stays in the list, and so does a file of any name that is named itself: opening it as a photo
    /// gives the error that belongs to it.
    pub fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> PhotoListing {
        let mut listing = PhotoListing::default();
        for path in paths {
            let path = path.as_ref();
            if !path.is_dir() {
                listing.photos.push(path.to_path_buf());
                continue;
            }
            walk(path, &[], |found| match found {
                Found::Photo { path, .. } | Found::Unreadable { path, .. } => listing.photos.push(path),
                Found::Skipped(skipped) => listing.skipped.push(skipped),
            });
        }
        listing
    }

    /// One line on what was left out: "skipped 212 videos, 31 sidecars"; `None` where nothing was.
    pub fn summary(&self) -> Option<String> {
        skipped_summary(&self.skipped)
    }
}

/// What a walk comes upon.
pub(crate) enum Found {
    /// A file that is a photo by its name, or a link of such a name that leads nowhere.
    Photo {
        path: PathBuf,
        /// Whether a link leads to it, from the folder that is walked.
        by_link: bool,
    },
    /// What is left out.
    Skipped(Skipped),
    /// What cannot be looked at.
    Unreadable { path: PathBuf, source: io::Error },
}

/// Walks `folder` and the folders in it, in order of their names.
///
/// `parts` are the folders between which no link may lead (resolved, as [`Path::canonicalize`] gives them): all parts of a
/// data set.
pub(crate) fn walk(folder: &Path, parts: &[PathBuf], mut found: impl FnMut(Found)) {
    let home = folder.canonicalize().ok();
    let mut entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().min_depth(1).into_iter();
    // How deep the outermost link is that led here.
    let mut linked_at: Option<usize> = None;
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                found(found_by_error(error, folder));
                continue;
            }
        };
        // Back from the folder that a link led to.
        linked_at = linked_at.filter(|depth| *depth < entry.depth());
        let is_dir = entry.file_type().is_dir();
        match reason_to_skip(&entry, home.as_deref(), parts) {
            Some(reason) => {
                if is_dir {
                    entries.skip_current_dir();
                }
                found(Found::Skipped(Skipped { path: entry.into_path(), reason }));
            }
            None if is_dir => {
                linked_at = linked_at.or_else(|| entry.path_is_symlink().then(|| entry.depth()));
            }
            None => {
                let by_link = linked_at.is_some() || entry.path_is_symlink();
                found(Found::Photo { path: entry.into_path(), by_link });
            }
        }
    }
}

fn reason_to_skip(entry: &DirEntry, home: Option<&Path>, parts: &[PathBuf]) -> Option<SkipReason> {
    let path = entry.path();
    if let Some(reason) = reason_by_name(path) {
        return Some(reason);
    }
    if !entry.file_type().is_dir() {
        match FileKind::of_name(path) {
            kind if !kind.is_photo() => return Some(SkipReason::Kind(kind)),
            // To read from a pipe that is named like a photo might wait for ever.
            _ if !entry.file_type().is_file() => return Some(SkipReason::NotAFile),
            _ => {}
        }
    }
    match home {
        Some(home) if entry.path_is_symlink() => reason_of_link(path, home, parts),
        _ => None,
    }
}

/// Why a file or folder of this name is left out wherever it is found; `None` where the name is no reason.
pub fn reason_by_name(path: &Path) -> Option<SkipReason> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    if PROGRAM_NAMES.contains(&name.as_str()) || name.starts_with(".trash") {
        return Some(SkipReason::Program);
    }
    let hidden = name.starts_with('.');
    match FileKind::of_name(path) {
        // What macOS keeps beside `photo.jpg` in `._photo.jpg`.
        FileKind::Sidecar if hidden => Some(SkipReason::Kind(FileKind::Sidecar)),
        _ => hidden.then_some(SkipReason::Hidden),
    }
}

/// Why the link at `path`, found in the folder that resolves to `home`, is not followed; `None` where it is, or where it
/// leads nowhere.
pub(crate) fn reason_of_link(path: &Path, home: &Path, parts: &[PathBuf]) -> Option<SkipReason> {
    let target = path.canonicalize().ok()?;
    if home.starts_with(&target) {
        return Some(SkipReason::LinkUp);
    }
    let across = |part: &PathBuf| target.starts_with(part) || part.starts_with(&target);
    (!target.starts_with(home) && parts.iter().any(across)).then_some(SkipReason::LinkAcross)
}

fn found_by_error(error: walkdir::Error, walked: &Path) -> Found {
    let path = error.path().unwrap_or(walked).to_path_buf();
    if error.loop_ancestor().is_some() {
        return Found::Skipped(Skipped { path, reason: SkipReason::LinkUp });
    }
    let source = io::Error::from(error);
    let dead = source.kind() == io::ErrorKind::NotFound && path.is_symlink();
    if !dead {
        return Found::Unreadable { path, source };
    }
    let kind = FileKind::of_name(&path);
    match reason_by_name(&path) {
        Some(reason) => Found::Skipped(Skipped { path, reason }),
        // Kept, so that reading it reports it by name.
        None if kind.is_photo() => Found::Photo { path, by_link: true },
        None => Found::Skipped(Skipped { path, reason: SkipReason::Kind(kind) }),
    }
}

/// What programs leave among photos, in lower case: thumbnails, deleted files, snapshots and settings.
const PROGRAM_NAMES: &[&str] = &[
    // Synology, QNAP and NetApp storage.
    "@eadir",
    "#recycle",
    "#snapshot",
    "@recycle",
    "@recently-snapshot",
    "@transcode",
    ".@__thumb",
    "~snapshot",
    // macOS, and archives made there.
    "__macosx",
    ".spotlight-v100",
    ".fseventsd",
    ".documentrevisions-v100",
    ".temporaryitems",
    ".appledouble",
    ".ds_store",
    // Windows.
    "$recycle.bin",
    "recycler",
    "system volume information",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    // Linux.
    "lost+found",
    ".thumbnails",
    // Programs for photos, notebooks and Python.
    ".picasaoriginals",
    ".picasa.ini",
    "picasa.ini",
    ".ipynb_checkpoints",
    "__pycache__",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_leave_is_known_in_any_case() {
        for name in ["@eaDir", "__MACOSX", "#recycle", "#snapshot", "$RECYCLE.BIN", "@Recycle", "Thumbs.db"] {
            assert_eq!(reason_by_name(Path::new(name)), Some(SkipReason::Program), "{name}");
        }
        for name in ["lost+found", ".thumbnails", ".ipynb_checkpoints", ".Trash-1000", ".picasaoriginals"] {
            assert_eq!(reason_by_name(Path::new(name)), Some(SkipReason::Program), "{name}");
        }
        assert_eq!(reason_by_name(Path::new("a/System Volume Information")), Some(SkipReason::Program));
        assert_eq!(reason_by_name(Path::new(".hidden")), Some(SkipReason::Hidden));
        assert_eq!(
            reason_by_name(Path::new("._IMG_1.JPG")),
            Some(SkipReason::Kind(FileKind::Sidecar)),
            "macOS's half of a file"
        );
        assert_eq!(reason_by_name(Path::new("Recycling_Centre")), None);
    }
}
