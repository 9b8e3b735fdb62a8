//! Makes a plan of marks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cairn_places::Gazetteer;

use crate::decisions::Decisions;
use crate::evidence::Marks;
use crate::sidecar::SidecarStyle;
use crate::state::{FileHash, FileId, FileSystem, LibraryRow, State};

use super::folders::Folders;
use super::photo::{Planned, Planner};
use super::{Destination, Level, PlanError, PlanHeader, PlanRequest, PlanTarget, PlanWriter, SkipReason};

/// What is in a plan, and what is not.
#[derive(Clone, Debug, PartialEq)]
pub struct MakeReport {
    /// The plan.
    pub header: PlanHeader,
    /// Files that will be written.
    pub operations: u32,
    /// Of these, marks that will be taken out because a person rejected them.
    pub removals: u32,
    /// Photos whose mark is there already.
    pub unchanged: u32,
    /// Photos that are left alone, and why.
    pub skipped: Vec<(PathBuf, SkipReason)>,
    /// Marks by landmark.
    pub landmarks: BTreeMap<String, u32>,
    /// The expected number of wrong marks among the operations.
    pub expected_wrong: f64,
    /// Names that are too long for some programs.
    pub long_names: BTreeSet<String>,
}

/// The longest keyword in IPTC-IIM (bytes), and tag in Nextcloud (characters).
const LONG_NAME: usize = 64;

/// Makes a plan of these marks and writes it to `path`. Nothing in the library is written.
///
/// # Errors
/// When the plan cannot be written, or the library not be written to. Photos that are left alone are in the report.
pub fn make<'a>(
    state: &State,
    library: &LibraryRow,
    marks: &Marks,
    gazetteer: &Gazetteer,
    request: &PlanRequest,
    target: impl Into<PlanTarget<'a>>,
) -> Result<MakeReport, PlanError> {
    let request = &checked(library, request)?;
    let header = PlanHeader::new(&library.root, format!("{request:?}"));
    let mut writer = PlanWriter::create(target, &header)?;
    let is_own = |target: &Path, hash: FileHash| is_left_by_plan(state, target, hash).unwrap_or(false);
    let mut planner = Planner {
        root: &library.root,
        request,
        gazetteer,
        plan: &header.plan,
        style: SidecarStyle::Extended,
        folders: Folders::default(),
        is_own: &is_own,
    };
    let mut report = MakeReport {
        header: header.clone(),
        operations: 0,
        removals: 0,
        unchanged: 0,
        skipped: Vec::new(),
        landmarks: BTreeMap::new(),
        expected_wrong: 0.0,
        long_names: BTreeSet::new(),
    };
    let decisions = Decisions::open(state, library.id)?;
    let mut seen: BTreeSet<FileId> = BTreeSet::new();
    let mut planned: BTreeSet<FileId> = BTreeSet::new();
    for mark in &marks.marks {
        let Some(file) = state.file(mark.file)? else { continue };
        seen.insert(mark.file);
        if decisions.forbids(mark.payload, &mark.landmark, mark.wikidata.as_deref()) {
            continue;
        }
        let was_marked = |target: &Path| has_done_op(state, target).unwrap_or(false);
        match planner.mark(&file, mark, &was_marked) {
            Planned::Op(op) => {
                writer.add(*op)?;
                planned.insert(mark.file);
                *report.landmarks.entry(mark.landmark.clone()).or_default() += 1;
                report.expected_wrong += 1.0 - mark.probability;
                if mark.landmark.len() > LONG_NAME {
                    report.long_names.insert(mark.landmark.clone());
                }
            }
            Planned::Unchanged => report.unchanged += 1,
            Planned::Skipped(reason) => report.skipped.push((file.path, reason)),
        }
    }
    for id in marked_files(state, library)? {
        let Some(file) = state.file(id)? else { continue };
        let Some(payload) = file.payload_hash else { continue };
        if planned.contains(&id) || !decisions.may_forbid(payload) {
            continue;
        }
        let wikidata = |landmark: &str| {
            gazetteer.find(landmark).and_then(|place| place.wikidata.as_ref()).map(ToString::to_string)
        };
        let is_rejected =
            |landmark: &str| decisions.forbids(payload, landmark, wikidata(landmark).as_deref());
        match planner.removal(&file, &is_rejected) {
            Planned::Op(op) => {
                writer.add(*op)?;
                report.removals += 1;
            }
            Planned::Unchanged => {}
            Planned::Skipped(reason) if !seen.contains(&id) => report.skipped.push((file.path, reason)),
            Planned::Skipped(_) => {}
        }
    }
    report.operations = writer.operations();
    writer.finish()?;
    Ok(report)
}

/// The request with the folder of sidecars resolved.
fn checked(library: &LibraryRow, request: &PlanRequest) -> Result<PlanRequest, PlanError> {
    let mut request = request.clone();
    match &mut request.destination {
        Destination::SidecarDir(folder) => {
            let resolved = resolved(folder);
            if resolved.starts_with(&library.root) {
                return Err(PlanError::SidecarsInLibrary { path: folder.clone() });
            }
            *folder = resolved;
        }
        Destination::Embed if request.level == Level::EstimatedGps => {
            return Err(PlanError::PositionsInSidecars);
        }
        Destination::Sidecar | Destination::Embed => {
            if FileSystem::of(&library.root).read_only {
                return Err(PlanError::ReadOnly { root: library.root.clone() });
            }
        }
    }
    Ok(request)
}

/// A path without links, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(resolved), _, _) => resolved,
        (Err(_), Some(parent), Some(name)) => resolved(parent).join(name),
        (Err(_), _, _) => path.to_owned(),
    }
}

/// Whether a plan left this file with this content.
fn is_left_by_plan(state: &State, target: &Path, hash: FileHash) -> Result<bool, PlanError> {
    let query = "SELECT EXISTS (SELECT 1 FROM op WHERE target = ? AND after_hash = ? AND state = 'done')";
    let mut query = state.connection().prepare_cached(query)?;
    Ok(query.query_row((crate::state::bytes_of_path(target), hash), |row| row.get(0))?)
}

/// Whether an earlier plan wrote into this file and was not taken back.
fn has_done_op(state: &State, target: &Path) -> Result<bool, PlanError> {
    let query = "SELECT EXISTS (SELECT 1 FROM op WHERE target = ? AND state = 'done')";
    let bytes = crate::state::bytes_of_path(target);
    Ok(state.connection().prepare_cached(query)?.query_row([bytes], |row| row.get(0))?)
}

/// The photos into which, or beside which, earlier plans wrote marks.
fn marked_files(state: &State, library: &LibraryRow) -> Result<Vec<FileId>, PlanError> {
    let mut query = state.connection().prepare_cached(
        "SELECT DISTINCT folder.path, file.name, file.id FROM op JOIN plan ON plan.id = op.plan \
         JOIN file ON file.id = op.file JOIN folder ON folder.id = file.folder \
         WHERE plan.library = ? AND op.state = 'done' AND op.kind IN ('create', 'edit', 'embed') ORDER BY 1, 2",
    )?;
    let rows = query.query_map([library.id.0], |row| Ok(FileId(row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
