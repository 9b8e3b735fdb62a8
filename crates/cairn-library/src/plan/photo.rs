//! One photo of a plan: which file is written, and what.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use cairn_places::{Gazetteer, NameKey};
use thiserror::Error;

use crate::Splice;
use crate::embed::{EmbedError, Metadata};
use crate::evidence::{Basis, Mark};
use crate::keywords::{KeywordField, Keywords, Union};
use crate::sidecar::{
    FolderNames, SidecarRefusal, SidecarStyle, SidecarTarget, stem_sidecar, target, with_xmp,
};
use crate::state::{FileHash, FileRow};
use crate::xmp::{Change, NEW_PACKET, Packet, Property, Value, XmpError, edit};

use super::folders::Folders;
use super::mark::{MarkText, changed, fields_between, marks_in, taking_out};
use super::op::{Guard, Write};
use super::{Destination, MtimePolicy, Op, OpKind, PlanRequest, Work};

/// Why a photo is not marked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// It is a link, or its folder is behind one that leaves the library.
    #[error("a symbolic link, or behind one that leaves the library")]
    SymbolicLink,
    /// The scan saw another content.
    #[error("changed since the scan; run `cairn library scan` again")]
    Changed,
    /// The system's own.
    #[error("{0}")]
    Io(String),
    /// Its own metadata.
    #[error(transparent)]
    Photo(#[from] EmbedError),
    /// No sidecar can be named.
    #[error(transparent)]
    Sidecar(#[from] SidecarRefusal),
    /// Its sidecar cannot be read or edited.
    #[error("{sidecar}: {error}")]
    SidecarXmp {
        /// The sidecar's name.
        sidecar: String,
        /// Why.
        error: XmpError,
    },
    /// The person's own keywords name the landmark.
    #[error("confirmed: the person's own keywords name the landmark")]
    OwnKeyword,
    /// A mark was there, and another program took out its keywords or its sidecar.
    #[error("the mark was removed in another program; confirm it in `cairn library review` to have it back")]
    RemovedElsewhere,
    /// Several names for one file.
    #[error("it has several names (hard links), of which an edit would part one")]
    HardLinks,
    /// Nobody may write it.
    #[error("it is write-protected")]
    WriteProtected,
}

/// What is planned for a photo.
pub(super) enum Planned {
    Op(Box<Op>),
    /// The mark is there as it should be.
    Unchanged,
    Skipped(SkipReason),
}

/// A photo's files as they are.
struct PhotoFiles {
    bytes: Vec<u8>,
    metadata: Metadata,
    guards: Vec<Guard>,
    /// The file that holds or will hold the mark.
    kind: OpKind,
    target: PathBuf,
    /// What it holds; empty where it is new.
    before: Vec<u8>,
    /// Other sidecars that programs read for this photo.
    others: Vec<Vec<u8>>,
}

/// Makes operations for photos of one library.
pub(super) struct Planner<'a> {
    pub(super) root: &'a Path,
    pub(super) request: &'a PlanRequest,
    pub(super) gazetteer: &'a Gazetteer,
    pub(super) plan: &'a str,
    pub(super) style: SidecarStyle,
    pub(super) folders: Folders,
    /// Whether an earlier plan left a file with this content.
    pub(super) is_own: &'a dyn Fn(&Path, FileHash) -> bool,
}

impl Planner<'_> {
    /// Plans a mark. `was_marked` says whether an earlier plan wrote one into this file.
    pub(super) fn mark(
        &mut self,
        file: &FileRow,
        mark: &Mark,
        was_marked: &dyn Fn(&Path) -> bool,
    ) -> Planned {
        self.try_mark(file, mark, was_marked).unwrap_or_else(Planned::Skipped)
    }

    fn try_mark(
        &mut self,
        file: &FileRow,
        mark: &Mark,
        was_marked: &dyn Fn(&Path) -> bool,
    ) -> Result<Planned, SkipReason> {
        let files = self.files(file)?;
        let held = files.packet();
        let packet = Packet::parse(&held).map_err(|error| files.refused(error))?;
        let found = marks_in(&packet).map_err(|error| files.refused(error))?;
        let confirmed = mark.basis == Basis::Confirmed;
        let is_gone = found.is_empty()
            && was_marked(&files.target)
            && !(self.is_own)(&files.target, FileHash::of(&files.before));
        let is_whole = found.iter().map(|found| found.is_whole(&packet)).collect::<Result<Vec<_>, _>>();
        let is_whole = is_whole.map_err(|error| files.refused(error))?.into_iter().all(|whole| whole);
        if !confirmed && (is_gone || !is_whole) {
            return Err(SkipReason::RemovedElsewhere);
        }

        // What the file holds without any mark of ours, and the keywords of the photo's other files.
        let mut out = Vec::new();
        for old in &found {
            out.extend(
                taking_out(&packet, &old.changes.wrote, &old.changes.copied)
                    .map_err(|error| files.refused(error))?,
            );
        }
        let bare = edit(&held, &out).map_err(|error| files.refused(error))?;
        let bare_packet = Packet::parse(&bare).map_err(|error| files.refused(error))?;
        let mut own = Keywords::of_packet(&bare_packet).map_err(|error| files.refused(error))?;
        for copy in found.iter().flat_map(|old| &old.changes.copied) {
            let Change::Append { property, items, .. } = copy else { continue };
            // A copy that stayed is no keyword of this file: its source decides.
            let texts = items.iter().filter_map(Value::as_text);
            texts.for_each(|text| {
                own.remove(Keywords::field_of(*property).unwrap_or(KeywordField::Subject), text);
            });
        }
        let (elsewhere, has_place, has_position) = files.elsewhere(&bare_packet)?;
        let union = Union::of([&own, &elsewhere]);
        let place = self.gazetteer.find(&mark.landmark);
        if union.names().any(|name| names_landmark(name, &mark.landmark, self.gazetteer)) {
            return Err(SkipReason::OwnKeyword);
        }

        let text = MarkText {
            landmark: &mark.landmark,
            place,
            probability: mark.probability,
            model: &self.request.model,
            confirmed,
            plan: self.plan,
            level: self.request.level,
            estimated: mark.estimated,
            roots: &self.request.roots,
        };
        let new = text
            .changes(&bare_packet, &union, has_place, has_position)
            .map_err(|error| files.refused(error))?;
        if let [old] = found.as_slice()
            && old.landmark == mark.landmark
            && old.is_confirmed == confirmed
            && without_own(&old.changes.wrote) == without_own(&new.wrote)
            && old.changes.copied == new.copied
        {
            return Ok(Planned::Unchanged);
        }
        let mut changes = out;
        changes.extend(new.copied.iter().cloned());
        changes.extend(new.wrote.iter().cloned());
        self.op(file, files, changes, new.wrote, new.copied, Some(mark.landmark.clone()))
    }

    /// Plans to take out the marks of a photo, because a person rejected them.
    pub(super) fn removal(&mut self, file: &FileRow, is_rejected: &dyn Fn(&str) -> bool) -> Planned {
        self.try_removal(file, is_rejected).unwrap_or_else(Planned::Skipped)
    }

    fn try_removal(
        &mut self,
        file: &FileRow,
        is_rejected: &dyn Fn(&str) -> bool,
    ) -> Result<Planned, SkipReason> {
        let files = self.files(file)?;
        let held = files.packet();
        let packet = Packet::parse(&held).map_err(|error| files.refused(error))?;
        let mut changes = Vec::new();
        for found in marks_in(&packet).map_err(|error| files.refused(error))? {
            if is_rejected(&found.landmark) {
                let out = taking_out(&packet, &found.changes.wrote, &found.changes.copied);
                changes.extend(out.map_err(|error| files.refused(error))?);
            }
        }
        if changes.is_empty() {
            return Ok(Planned::Unchanged);
        }
        self.op(file, files, changes, Vec::new(), Vec::new(), None)
    }

    fn op(
        &self,
        file: &FileRow,
        files: PhotoFiles,
        mut changes: Vec<Change>,
        wrote: Vec<Change>,
        copied: Vec<Change>,
        landmark: Option<String>,
    ) -> Result<Planned, SkipReason> {
        // Programs that compare dates notice the change; where there is no date, none is invented.
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        changes.push(Change::Replace { property: Property::METADATA_DATE, text: now });
        let splices = changed(files.kind, &files.before, &changes).map_err(|error| match error {
            EmbedError::Xmp(error) => files.refused(error),
            error => SkipReason::Photo(error),
        })?;
        let after = Splice::apply(&files.before, &splices)
            .ok_or_else(|| SkipReason::Io("internal error: replacements that do not fit".to_owned()))?;
        let fields = fields_between(files.kind, &files.before, &after)?;
        let is_new = files.kind == OpKind::Create;
        let embeds = files.kind == OpKind::Embed;
        let keeps = embeds && (self.request.keep_mtime || !has_date(&files.metadata));
        Ok(Planned::Op(Box::new(Op {
            seq: 0,
            kind: files.kind,
            photo: file.path.clone(),
            target: files.target,
            work: Work::Write(Box::new(Write {
                before: (!is_new).then(|| FileHash::of(&files.before)),
                after: FileHash::of(&after),
                splices,
                payload: file.payload_hash.filter(|_| embeds),
                mtime: if keeps { MtimePolicy::Keep } else { MtimePolicy::New },
                guards: files.guards,
                landmark,
                fields,
                wrote,
                copied,
            })),
        })))
    }

    /// Reads a photo and the sidecars that are or could be its own.
    fn files(&mut self, file: &FileRow) -> Result<PhotoFiles, SkipReason> {
        let photo = self.root.join(&file.path);
        let metadata = photo.symlink_metadata().map_err(io_error)?;
        let (Some(folder_path), Some(name)) = (photo.parent(), photo.file_name()) else {
            return Err(SkipReason::SymbolicLink);
        };
        let folder = self.folders.get(folder_path).map_err(io_error)?;
        if !metadata.is_file() || !folder.resolved.starts_with(self.root) {
            return Err(SkipReason::SymbolicLink);
        }
        let folder_path = &folder.resolved;
        let photo = folder_path.join(name);
        let mut guards = vec![Guard::of(photo.clone())];
        let bytes = fs::read(&photo).map_err(io_error)?;
        let hash = FileHash::of(&bytes);
        if file.file_hash != Some(hash) && !(self.is_own)(&photo, hash) {
            return Err(SkipReason::Changed);
        }
        let metadata = Metadata::of(&bytes)?;
        let read = |name: &OsStr| fs::read(folder_path.join(name)).ok();
        let claimed = |name: &OsStr| {
            let bytes = read(name)?;
            Packet::parse(&bytes).ok()?.text(Property::SIDECAR_FOR_EXTENSION).ok()?
        };
        let style = self.request.style.or_else(|| folder.names.style()).unwrap_or(self.style);
        let sidecar = target(name, &folder.names, style, claimed);
        let existing = match &sidecar {
            Ok(SidecarTarget::Existing(name)) => Some(name.clone()),
            // Without a name for a new sidecar, an embed still can be.
            Ok(SidecarTarget::New(_))
            | Err(SidecarRefusal::DarktableDuplicate | SidecarRefusal::NameTooLong) => None,
            Err(refusal @ (SidecarRefusal::Two | SidecarRefusal::Ambiguous)) => return Err((*refusal).into()),
        };
        let mut others = Vec::new();
        let beside = beside(name, &folder.names);
        for name in &beside {
            guards.push(Guard::of(folder_path.join(name)));
        }
        let mut other = |name: &OsStr| others.extend(read(name));
        let (kind, target) = match (&self.request.destination, &existing) {
            (Destination::SidecarDir(mirror), _) => {
                beside.iter().for_each(|name| other(name));
                let relative = file.path.parent().unwrap_or(Path::new(""));
                let target = mirror.join(relative).join(with_xmp(name));
                if target.file_name().is_some_and(|name| name.len() > 255) {
                    return Err(SidecarRefusal::NameTooLong.into());
                }
                (if target.symlink_metadata().is_ok() { OpKind::Edit } else { OpKind::Create }, target)
            }
            (_, Some(existing)) => {
                // The sidecar hides what is in the photo: it is edited, even where an embed was wanted.
                beside.iter().filter(|name| *name != existing).for_each(|name| other(name));
                (OpKind::Edit, folder_path.join(existing))
            }
            (Destination::Embed, None) => {
                if !metadata.format.can_embed() {
                    return Err(EmbedError::Format.into());
                }
                guards.remove(0);
                guards.extend(
                    [with_xmp(name), stem_sidecar(name)].map(|name| Guard::of(folder_path.join(name))),
                );
                (OpKind::Embed, photo)
            }
            (Destination::Sidecar, None) => {
                beside.iter().for_each(|name| other(name));
                let SidecarTarget::New(name) = sidecar? else { return Err(SidecarRefusal::Ambiguous.into()) };
                (OpKind::Create, folder_path.join(name))
            }
        };
        guards.retain(|guard| guard.path != target);
        let before = match kind {
            OpKind::Create => Vec::new(),
            OpKind::Embed => bytes.clone(),
            _ => fs::read(&target).map_err(io_error)?,
        };
        if kind != OpKind::Create {
            check_writable(&target)?;
        }
        Ok(PhotoFiles { bytes, metadata, guards, kind, target, before, others })
    }
}

impl PhotoFiles {
    /// The packet that is edited.
    fn packet(&self) -> Vec<u8> {
        let empty = || NEW_PACKET.as_bytes().to_vec();
        match self.kind {
            OpKind::Create => empty(),
            OpKind::Embed => self.metadata.xmp.clone().unwrap_or_else(empty),
            _ => self.before.clone(),
        }
    }

    fn refused(&self, error: XmpError) -> SkipReason {
        if self.kind == OpKind::Embed {
            return SkipReason::Photo(error.into());
        }
        let sidecar = self.target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        SkipReason::SidecarXmp { sidecar, error }
    }

    /// The keywords of the photo's other files; whether any file has fields of a place; whether any has a position.
    fn elsewhere(&self, own: &Packet<'_>) -> Result<(Keywords, bool, bool), SkipReason> {
        const PLACE: [Property; 4] =
            [Property::CITY, Property::STATE, Property::COUNTRY, Property::COUNTRY_CODE];
        let fields = |packet: &Packet<'_>| -> Result<(bool, bool), XmpError> {
            let mut has_place = false;
            for property in PLACE {
                has_place |= packet.get(property)?.is_some();
            }
            Ok((has_place, packet.get(Property::GPS_LATITUDE)?.is_some()))
        };
        let refused = |error: XmpError| self.refused(error);
        let (mut has_place, mut has_position) = fields(own).map_err(refused)?;
        let mut keywords = Keywords::default();
        for other in &self.others {
            let packet = Packet::parse(other).map_err(refused)?;
            keywords.merge(&Keywords::of_packet(&packet).map_err(refused)?);
            let (place, position) = fields(&packet).map_err(refused)?;
            has_place |= place;
            has_position |= position;
        }
        let mut embedded = Keywords::of_photo(&self.metadata)?;
        if self.kind == OpKind::Embed {
            // Those of its XMP are the file's own.
            for field in [
                KeywordField::TagsList,
                KeywordField::LastKeywordXmp,
                KeywordField::HierarchicalSubject,
                KeywordField::Subject,
            ] {
                let texts = embedded.get(field).to_vec();
                texts.iter().for_each(|text| embedded.remove(field, text));
            }
        } else if let Some(xmp) = &self.metadata.xmp {
            let (place, position) =
                fields(&Packet::parse(xmp).map_err(EmbedError::from)?).map_err(EmbedError::from)?;
            has_place |= place;
            has_position |= position;
        }
        has_place |= self.metadata.has_iim_place()?;
        has_position |= cairn_photo::PhotoMetadata::from_bytes(&self.bytes).position.is_some();
        keywords.merge(&embedded);
        Ok((keywords, has_place, has_position))
    }
}

/// The sidecars that some program reads for this photo, by either name and any case of the extension.
fn beside(photo: &OsStr, folder: &FolderNames) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> = [with_xmp(photo), stem_sidecar(photo)]
        .iter()
        .flat_map(|name| folder.sidecars_named(name))
        .map(OsStr::to_owned)
        .collect();
    names.dedup();
    names
}

/// Changes without the mark itself, which has the plan's name and a probability in it.
fn without_own(changes: &[Change]) -> Vec<&Change> {
    let is_mark = |change: &&Change| matches!(change, Change::Append { property: Property::MARKS, .. });
    changes.iter().filter(|change| !is_mark(change)).collect()
}

/// Whether a keyword names a landmark, by any of its names and spellings.
fn names_landmark(keyword: &str, landmark: &str, gazetteer: &Gazetteer) -> bool {
    let key = NameKey::new(keyword);
    if key.is_none() {
        return false;
    }
    let known = gazetteer.find(keyword).map(|place| place.name.as_str());
    key == NameKey::new(landmark) || known.is_some_and(|name| NameKey::new(name) == NameKey::new(landmark))
}

/// Whether the photo says when it was taken. Programs date the others by the file's time of change.
fn has_date(metadata: &Metadata) -> bool {
    metadata.exif.as_deref().is_some_and(|exif| cairn_photo::PhotoMetadata::from_bytes(exif).taken.is_some())
}

fn check_writable(target: &Path) -> Result<(), SkipReason> {
    let metadata = target.symlink_metadata().map_err(io_error)?;
    if metadata.is_symlink() {
        return Err(SkipReason::SymbolicLink);
    }
    if metadata.permissions().readonly() {
        return Err(SkipReason::WriteProtected);
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&metadata) > 1 {
        return Err(SkipReason::HardLinks);
    }
    Ok(())
}

fn io_error(error: std::io::Error) -> SkipReason {
    SkipReason::Io(error.to_string())
}
