//! Which file goes where.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cairn_places::Gazetteer;

use super::{OrganiseError, Template};
use crate::evidence::Marks;
use crate::plan::{Op, OpKind, PlanHeader, PlanTarget, PlanWriter, Work};
use crate::state::{FileHash, FileId, FileRow, LibraryRow, Role, State, StateError};

/// How files come into albums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrganiseMode {
    /// Symbolic links to the photos.
    SymbolicLinks,
    /// Hard links to the photos. (A photo with several links is not written into by `--to embed`.)
    HardLinks,
    /// Copies of the photos and of all other files of the same shots.
    Copies,
    /// The photos themselves, and all other files of the same shots.
    Moves,
}

impl OrganiseMode {
    fn kind(self) -> OpKind {
        match self {
            OrganiseMode::SymbolicLinks => OpKind::SymbolicLink,
            OrganiseMode::HardLinks => OpKind::HardLink,
            OrganiseMode::Copies => OpKind::Copy,
            OrganiseMode::Moves => OpKind::Move,
        }
    }

    fn is_link(self) -> bool {
        matches!(self, OrganiseMode::SymbolicLinks | OrganiseMode::HardLinks)
    }
}

/// Why a file is not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum NotPlaced {
    /// It is there already.
    #[error("is there already")]
    There,
    /// Another file has its name there.
    #[error("another file has its name there")]
    Conflict,
    /// A file of the same shot cannot be placed.
    #[error("another file of the same shot cannot be placed")]
    Shot,
    /// It cannot be read.
    #[error("cannot be read")]
    Unreadable,
    /// Its photos are of several landmarks: a move has one destination.
    #[error("its photos show several landmarks; move it by hand")]
    SeveralLandmarks,
}

/// What is in a plan of albums, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrganiseReport {
    /// The plan's name.
    pub plan: String,
    /// Files that will be linked, copied or moved.
    pub operations: u32,
    /// Files by album, that is by folder from the destination.
    pub albums: BTreeMap<PathBuf, u32>,
    /// Files that are left where they are, and why.
    pub skipped: Vec<(PathBuf, NotPlaced)>,
}

/// Plans albums of these marks under `destination`, an existing folder, and writes the plan to `path`.
///
/// Two photos of one name get numbers in albums of links. A copy or a move never takes another name: it is left out, with its
/// whole shot.
///
/// # Errors
/// When the destination is in the library or holds it, when moves would cross file systems, and when the plan cannot be written.
#[expect(clippy::too_many_arguments, reason = "each is a choice of the person's")]
pub fn organise<'a>(
    state: &State,
    library: &LibraryRow,
    marks: &Marks,
    gazetteer: &Gazetteer,
    mode: OrganiseMode,
    destination: &Path,
    template: &Template,
    target: impl Into<PlanTarget<'a>>,
) -> Result<OrganiseReport, OrganiseError> {
    let destination = checked(library, mode, destination)?;
    let header =
        PlanHeader::new(&library.root, format!("organise {mode:?} {} {template}", destination.display()));
    let mut writer = PlanWriter::create(target, &header)?;
    let mut placer = Placer {
        state,
        library,
        mode,
        destination,
        taken: HashMap::new(),
        report: OrganiseReport { plan: header.plan, ..OrganiseReport::default() },
    };
    for (members, folder) in shots(state, marks, gazetteer, mode, template, &mut placer.report)? {
        placer.shot(&members, &folder, &mut writer)?;
    }
    placer.report.operations = writer.operations();
    writer.finish()?;
    Ok(placer.report)
}

/// The destination, resolved.
fn checked(library: &LibraryRow, mode: OrganiseMode, destination: &Path) -> Result<PathBuf, OrganiseError> {
    let resolved = destination
        .canonicalize()
        .map_err(|source| OrganiseError::Destination { destination: destination.to_owned(), source })?;
    if resolved.starts_with(&library.root) || library.root.starts_with(&resolved) {
        return Err(OrganiseError::Inside { destination: resolved, root: library.root.clone() });
    }
    if matches!(mode, OrganiseMode::Moves | OrganiseMode::HardLinks)
        && device(&resolved) != device(&library.root)
    {
        return Err(OrganiseError::OtherFileSystem { destination: resolved });
    }
    Ok(resolved)
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|metadata| metadata.dev())
}

/// Drives have letters there.
#[cfg(not(unix))]
fn device(path: &Path) -> Option<std::ffi::OsString> {
    path.components().next().map(|prefix| prefix.as_os_str().to_owned())
}

/// The files that go together, and the folder that they go to. Links are of marked photos alone; a photo of a shot whose photos
/// show several landmarks is linked into each album, copied into each, and not moved.
fn shots(
    state: &State,
    marks: &Marks,
    gazetteer: &Gazetteer,
    mode: OrganiseMode,
    template: &Template,
    report: &mut OrganiseReport,
) -> Result<Vec<(Vec<FileId>, PathBuf)>, StateError> {
    let mut found: Vec<(Vec<FileId>, PathBuf)> = Vec::new();
    let mut seen: HashSet<(FileId, PathBuf)> = HashSet::new();
    let mut moved: HashMap<FileId, PathBuf> = HashMap::new();
    for mark in &marks.marks {
        let taken = state.reading(mark.file)?.and_then(|reading| reading.taken);
        let folder = template.folder(&mark.landmark, gazetteer.find(&mark.landmark), taken);
        let members = if mode.is_link() { vec![mark.file] } else { members(state, mark.file)? };
        let Some(first) = members.first().copied() else { continue };
        if !seen.insert((first, folder.clone())) {
            continue;
        }
        if mode == OrganiseMode::Moves && moved.get(&first).is_some_and(|to| *to != folder) {
            found.retain(|(members, _)| members.first() != Some(&first));
            if let Some(file) = state.file(mark.file)? {
                report.skipped.push((file.path, NotPlaced::SeveralLandmarks));
            }
            continue;
        }
        moved.insert(first, folder.clone());
        found.push((members, folder));
    }
    Ok(found)
}

/// All files of a photo's shot that are surely its own.
fn members(state: &State, file: FileId) -> Result<Vec<FileId>, StateError> {
    let group = state.group_of(file)?;
    let own = group.iter().filter(|member| !matches!(member.role, Role::Ambiguous | Role::Orphan));
    let members: Vec<FileId> = own.map(|member| member.file).collect();
    Ok(if members.is_empty() { vec![file] } else { members })
}

struct Placer<'a> {
    state: &'a State,
    library: &'a LibraryRow,
    mode: OrganiseMode,
    destination: PathBuf,
    /// What this plan puts where.
    taken: HashMap<PathBuf, FileHash>,
    report: OrganiseReport,
}

/// A file on its way.
struct Placed {
    file: FileRow,
    source: PathBuf,
    target: PathBuf,
    hash: FileHash,
}

impl Placer<'_> {
    /// All files of a shot, or none.
    fn shot(
        &mut self,
        members: &[FileId],
        folder: &Path,
        writer: &mut PlanWriter,
    ) -> Result<(), OrganiseError> {
        let mut placed = Vec::new();
        let mut failed: Option<NotPlaced> = None;
        for member in members {
            let Some(file) = self.state.file(*member)? else { continue };
            let source = self.library.root.join(&file.path);
            match self.target(&file, &source, folder) {
                Ok((target, hash)) => placed.push(Placed { file, source, target, hash }),
                Err(NotPlaced::There) => self.report.skipped.push((file.path, NotPlaced::There)),
                Err(reason) => {
                    self.report.skipped.push((file.path.clone(), reason));
                    failed = Some(reason);
                }
            }
        }
        if failed.is_some() && !self.mode.is_link() {
            let of_shot = placed.into_iter().map(|placed| (placed.file.path, NotPlaced::Shot));
            self.report.skipped.extend(of_shot);
            return Ok(());
        }
        for Placed { file, source, target, hash } in placed {
            self.taken.insert(target.clone(), hash);
            *self.report.albums.entry(folder.to_owned()).or_default() += 1;
            writer.add(Op {
                seq: 0,
                kind: self.mode.kind(),
                photo: file.path,
                target,
                work: Work::Place { source, hash },
            })?;
        }
        Ok(())
    }

    fn target(&self, file: &FileRow, source: &Path, folder: &Path) -> Result<(PathBuf, FileHash), NotPlaced> {
        let hash = match file.file_hash {
            Some(hash) => hash,
            None => hash_of(source).map_err(|_| NotPlaced::Unreadable)?,
        };
        let folder = self.destination.join(folder);
        let name = file.path.file_name().unwrap_or_default();
        for number in 1..=MAX_NUMBER {
            let target = folder.join(numbered(name, number));
            let there = self.taken.get(&target).copied().or_else(|| hash_of(&target).ok());
            match there {
                None if target.symlink_metadata().is_err() => return Ok((target, hash)),
                Some(other) if other == hash => return Err(NotPlaced::There),
                _ if self.mode.is_link() => {}
                _ => return Err(NotPlaced::Conflict),
            }
        }
        Err(NotPlaced::Conflict)
    }
}

/// Photos of one name in one album of links.
const MAX_NUMBER: u32 = 1000;

/// `IMG_1.JPG`, `IMG_1 (2).JPG`, ...
fn numbered(name: &std::ffi::OsStr, number: u32) -> OsString {
    if number == 1 {
        return name.to_owned();
    }
    let path = Path::new(name);
    let mut numbered = path.file_stem().unwrap_or(name).to_owned();
    numbered.push(format!(" ({number})"));
    if let Some(extension) = path.extension() {
        numbered.push(".");
        numbered.push(extension);
    }
    numbered
}

/// The hash of a file that is read as a stream: videos are large.
fn hash_of(path: &Path) -> io::Result<FileHash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().into())
}
