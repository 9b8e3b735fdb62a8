//! The walk: each folder is compared with what is known of it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cairn_dataset::reason_by_name;
use cairn_photo::FileKind;
use rusqlite::OptionalExtension;

use super::grouping::groups;
use super::member::Member;
use super::reader::stamp_of;
use super::{ScanError, ScanEvent, ScanOptions, ScanReport, Watcher, position};
use crate::state::{FileState, FileSystem, LibraryRow, Role, Stamp, State, bytes_of_path, word_of_kind};

/// Rows that are written at most before a commit, and how long a commit may wait.
pub(super) const ROWS_A_COMMIT: usize = 256;
pub(super) const COMMIT_EVERY: Duration = Duration::from_secs(2);

/// How often the watcher hears of it.
const TELL_EVERY: u64 = 512;

/// A file, or a folder that is left out, as the walk finds it.
struct Entry {
    name: OsString,
    kind: FileKind,
    stamp: Stamp,
    /// Why it is left out.
    left_out: Option<String>,
}

/// What the database knows of a file.
struct Known {
    id: i64,
    stamp: Stamp,
    state: FileState,
}

/// Every file of the library is read again.
pub(super) fn forget_stamps(state: &State, library: &LibraryRow) -> Result<(), ScanError> {
    state.connection().execute(
        "UPDATE file SET mtime_ns = ?1 WHERE state IN ('read', 'unreadable', 'sidecar') \
         AND folder IN (SELECT id FROM folder WHERE library = ?2)",
        (i64::MIN, library.id.0),
    )?;
    Ok(())
}

/// Walks the library and brings its files' rows up to date.
pub(super) fn walk(
    state: &State,
    library: &LibraryRow,
    options: &ScanOptions,
    watcher: &mut Watcher<'_>,
) -> Result<ScanReport, ScanError> {
    let connection = state.connection();
    connection.execute("INSERT INTO scan (library, began) VALUES (?, ?)", (library.id.0, now()))?;
    let scan = connection.last_insert_rowid();
    let mut walk = Walk {
        state,
        library,
        options,
        scan,
        // Inode numbers of network file systems change when they are mounted again.
        inodes_count: !FileSystem::of(&library.root).is_network(),
        report: ScanReport::default(),
        rows: 0,
        committed: Instant::now(),
    };
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        if (watcher.stop)() {
            walk.report.interrupted = true;
            break;
        }
        walk.folder(&folder, &mut folders, watcher)?;
        walk.commit_if_due()?;
    }
    if !walk.report.interrupted {
        walk.end()?;
    }
    connection.execute_batch("COMMIT")?;
    Ok(walk.report)
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

struct Walk<'a> {
    state: &'a State,
    library: &'a LibraryRow,
    options: &'a ScanOptions,
    scan: i64,
    inodes_count: bool,
    report: ScanReport,
    rows: usize,
    committed: Instant,
}

impl Walk<'_> {
    /// One folder, by its path from the root. The folders in it go to `folders`.
    fn folder(
        &mut self,
        folder: &Path,
        folders: &mut Vec<PathBuf>,
        watcher: &mut Watcher<'_>,
    ) -> Result<(), ScanError> {
        let entries = self.entries(folder, folders);
        let (id, mut known) = self.known(folder)?;
        let before = self.report.walked;
        self.report.walked += entries.len() as u64;
        if self.report.walked / TELL_EVERY != before / TELL_EVERY {
            (watcher.on_event)(ScanEvent::Walking { files: self.report.walked });
        }
        let rows: Vec<Option<Known>> =
            entries.iter().map(|entry| known.remove(entry.name.as_encoded_bytes())).collect();
        let gone: Vec<Known> = known.into_values().filter(|file| file.state != FileState::Gone).collect();
        let changed: Vec<bool> = entries
            .iter()
            .zip(&rows)
            .map(|(entry, row)| row.as_ref().is_none_or(|row| self.has_changed(entry, row)))
            .collect();
        if gone.is_empty() && !changed.contains(&true) {
            return Ok(());
        }
        self.store(folder, id, &entries, rows, &changed)?;
        let mut statement = self
            .state
            .connection()
            .prepare_cached("UPDATE file SET state = 'gone', reason = NULL WHERE id = ?")?;
        for file in &gone {
            statement.execute([file.id])?;
        }
        self.report.gone += gone.len() as u64;
        self.rows += gone.len();
        Ok(())
    }

    /// What is in a folder, in order of names; the folders in it go to `folders`.
    fn entries(&self, folder: &Path, folders: &mut Vec<PathBuf>) -> Vec<Entry> {
        let here = self.library.root.join(folder);
        let left_out = |name: OsString, reason: String| Entry {
            name,
            kind: FileKind::Other,
            stamp: Stamp::default(),
            left_out: Some(reason),
        };
        let listed = match fs::read_dir(&here) {
            Ok(listed) => listed,
            // The folder itself is what is left out; nameless, so that it is no file's row.
            Err(error) => return vec![left_out(".".into(), format!("folder that cannot be read: {error}"))],
        };
        let mut entries = Vec::new();
        let mut inner = Vec::new();
        for entry in listed {
            let found = entry.and_then(|entry| {
                let name = entry.file_name();
                self.entry(&entry, &folder.join(&name)).map(|found| (name, found))
            });
            match found {
                Ok((name, None)) => inner.push(folder.join(name)),
                Ok((_, Some(entry))) => entries.push(entry),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => entries.push(left_out("..".into(), format!("cannot be looked at: {error}"))),
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        // One row for all that cannot be looked at.
        entries.dedup_by(|one, other| one.name == other.name);
        // The last is taken first.
        inner.sort_by(|one, other| other.cmp(one));
        folders.append(&mut inner);
        entries
    }

    /// A file, or what is left out; `None` for a folder that is walked.
    fn entry(&self, entry: &DirEntry, path: &Path) -> io::Result<Option<Entry>> {
        let file_type = entry.file_type()?;
        let name = entry.file_name();
        let kind = if file_type.is_dir() { FileKind::Other } else { FileKind::of_name(path) };
        let excluded = self.options.exclude.iter().find(|pattern| pattern.matches(path));
        let left_out = match (excluded, reason_by_name(path)) {
            (Some(pattern), _) => Some(format!("excluded by {pattern}")),
            (None, Some(reason)) => Some(reason.to_string()),
            (None, None) if file_type.is_symlink() => Some("symbolic link".to_owned()),
            (None, None) if !file_type.is_dir() && !file_type.is_file() => Some("pipe or device".to_owned()),
            (None, None) => None,
        };
        if left_out.is_none() && file_type.is_dir() {
            return Ok(None);
        }
        let stamp = if left_out.is_some() { Stamp::default() } else { stamp_of(&entry.metadata()?) };
        Ok(Some(Entry { name, kind, stamp, left_out }))
    }

    /// The folder's number, and what is known of its files by their names.
    fn known(&mut self, folder: &Path) -> Result<(i64, HashMap<Vec<u8>, Known>), ScanError> {
        let connection = self.state.connection();
        let path = bytes_of_path(folder);
        let id: Option<i64> = connection
            .prepare_cached("SELECT id FROM folder WHERE library = ? AND path = ?")?
            .query_row((self.library.id.0, path), |row| row.get(0))
            .optional()?;
        self.rows += 1;
        let Some(id) = id else {
            connection
                .prepare_cached("INSERT INTO folder (library, path, seen_scan) VALUES (?, ?, ?)")?
                .execute((self.library.id.0, path, self.scan))?;
            return Ok((connection.last_insert_rowid(), HashMap::new()));
        };
        connection
            .prepare_cached("UPDATE folder SET seen_scan = ? WHERE id = ?")?
            .execute((self.scan, id))?;
        let mut query = connection.prepare_cached(
            "SELECT name, id, size, mtime_ns, ctime_ns, dev, inode, nlink, state FROM file WHERE folder = ?",
        )?;
        let rows = query.query_map([id], |row| {
            let stamp = Stamp::of_columns(row, 2)?;
            Ok((row.get(0)?, Known { id: row.get(1)?, stamp, state: row.get(8)? }))
        })?;
        Ok((id, rows.collect::<Result<_, _>>()?))
    }

    fn has_changed(&self, entry: &Entry, row: &Known) -> bool {
        if entry.left_out.is_some() || row.state == FileState::LeftOut {
            return (row.state == FileState::LeftOut) != entry.left_out.is_some();
        }
        let (now, then) = (&entry.stamp, &row.stamp);
        let same_file = !self.inodes_count || (now.inode, now.ctime_ns) == (then.inode, then.ctime_ns);
        row.state == FileState::Gone || (now.size, now.mtime_ns) != (then.size, then.mtime_ns) || !same_file
    }

    /// Writes the rows of what is new or has changed, and the folder's groups.
    fn store(
        &mut self,
        folder: &Path,
        id: i64,
        entries: &[Entry],
        rows: Vec<Option<Known>>,
        changed: &[bool],
    ) -> Result<(), ScanError> {
        let connection = self.state.connection();
        let shown: Vec<&Entry> = entries.iter().filter(|entry| entry.left_out.is_none()).collect();
        let members: Vec<Member<'_>> =
            shown.iter().map(|entry| Member { name: &entry.name, kind: entry.kind }).collect();
        let here = self.library.root.join(folder);
        let mut memberships =
            groups(&members, |sidecar| position::claimed_extension(&here.join(sidecar))).into_iter();
        let mut ids = Vec::with_capacity(shown.len());
        let mut grouped = Vec::new();
        for ((entry, row), changed) in entries.iter().zip(rows).zip(changed) {
            let membership = if entry.left_out.is_none() { memberships.next().flatten() } else { None };
            // What was a document may turn out to be a photo's, once the photo is there.
            let is_takeout = membership.as_ref().is_some_and(|membership| membership.role == Role::Takeout);
            let file = match (row, changed) {
                (Some(row), false) if !(is_takeout && row.state == FileState::NotAPhoto) => row.id,
                (row, _) => {
                    let role = membership.as_ref().map(|membership| membership.role);
                    self.report.changed += 1;
                    self.rows += 1;
                    put(connection, id, entry, role, row.map(|row| row.id))?
                }
            };
            if entry.left_out.is_none() {
                ids.push(file);
            }
            if let Some(membership) = membership {
                grouped.push((file, membership));
            }
        }
        let mut clear = connection.prepare_cached(
            "DELETE FROM group_member WHERE file IN (SELECT id FROM file WHERE folder = ?)",
        )?;
        clear.execute([id])?;
        let mut insert = connection
            .prepare_cached("INSERT INTO group_member (file, group_id, role, reason) VALUES (?, ?, ?, ?)")?;
        for (file, membership) in grouped {
            insert.execute((file, ids[membership.group], membership.role, membership.reason))?;
        }
        Ok(())
    }

    fn commit_if_due(&mut self) -> Result<(), ScanError> {
        if self.rows >= ROWS_A_COMMIT || self.committed.elapsed() >= COMMIT_EVERY {
            self.state.connection().execute_batch("COMMIT; BEGIN IMMEDIATE")?;
            self.rows = 0;
            self.committed = Instant::now();
        }
        Ok(())
    }

    /// Files of folders that are no longer there are gone, too.
    fn end(&mut self) -> Result<(), ScanError> {
        let connection = self.state.connection();
        self.report.gone += connection.execute(
            "UPDATE file SET state = 'gone', reason = NULL WHERE state <> 'gone' \
             AND folder IN (SELECT id FROM folder WHERE library = ? AND seen_scan < ?)",
            (self.library.id.0, self.scan),
        )? as u64;
        connection.execute(
            "UPDATE scan SET walked = ?, walk_ended = ? WHERE id = ?",
            (self.report.walked as i64, now(), self.scan),
        )?;
        Ok(())
    }
}

/// Writes a file's row and gives its number.
fn put(
    connection: &rusqlite::Connection,
    folder: i64,
    entry: &Entry,
    role: Option<Role>,
    id: Option<i64>,
) -> Result<i64, ScanError> {
    let (state, reason) = match (&entry.left_out, role, entry.kind) {
        (Some(reason), ..) => (FileState::LeftOut, Some(reason.clone())),
        (
            None,
            Some(Role::Picture | Role::Raw | Role::Xmp | Role::Takeout | Role::Ambiguous | Role::Orphan),
            _,
        ) => (FileState::Pending, None),
        (None, Some(Role::Video), _) => (FileState::Video, None),
        (None, Some(_), _) | (None, None, FileKind::Sidecar) => (FileState::Sidecar, None),
        (None, None, kind) => (FileState::NotAPhoto, Some(word_of_kind(kind).to_owned())),
    };
    let Stamp { size, mtime_ns, ctime_ns, dev, inode, nlink } = entry.stamp;
    if let Some(id) = id {
        let mut update = connection.prepare_cached(
            "UPDATE file SET kind = ?2, size = ?3, mtime_ns = ?4, ctime_ns = ?5, dev = ?6, inode = ?7, nlink = ?8, \
             state = ?9, reason = ?10, crashes = 0 WHERE id = ?1",
        )?;
        update.execute((
            id,
            word_of_kind(entry.kind),
            size,
            mtime_ns,
            ctime_ns,
            dev,
            inode,
            nlink,
            state,
            reason,
        ))?;
        return Ok(id);
    }
    let mut insert = connection.prepare_cached(
        "INSERT INTO file (folder, name, kind, size, mtime_ns, ctime_ns, dev, inode, nlink, state, reason) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    insert.execute((
        folder,
        entry.name.as_encoded_bytes(),
        word_of_kind(entry.kind),
        size,
        mtime_ns,
        ctime_ns,
        dev,
        inode,
        nlink,
        state,
        reason,
    ))?;
    Ok(connection.last_insert_rowid())
}
