//! The libraries of a state.

use std::path::{Path, PathBuf};

use rusqlite::{OptionalExtension, Row};

use super::{FileSystem, State, StateError, bytes_of_path, path_of_bytes};

/// A library's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LibraryId(pub i64);

/// A library: a folder of photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryRow {
    /// Its number.
    pub id: LibraryId,
    /// Its folder, resolved.
    pub root: PathBuf,
    /// The name of the file system, as [`FileSystem`] has it.
    pub file_system: String,
    /// Whether names that differ by case alone are two files there.
    pub case_sensitive: bool,
}

impl LibraryRow {
    fn of(row: &Row<'_>) -> rusqlite::Result<LibraryRow> {
        Ok(LibraryRow {
            id: LibraryId(row.get("id")?),
            root: path_of_bytes(row.get("root")?),
            file_system: row.get("file_system")?,
            case_sensitive: row.get("case_sensitive")?,
        })
    }
}

impl State {
    /// All libraries, in the order in which they were added.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn libraries(&self) -> Result<Vec<LibraryRow>, StateError> {
        let mut query = self.connection.prepare("SELECT * FROM library ORDER BY id")?;
        let rows = query.query_map([], LibraryRow::of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The library of `root`, or the only one where none is named.
    ///
    /// # Errors
    /// When there is none of this root, or none is named and there are several.
    pub fn library(&self, root: Option<&Path>) -> Result<LibraryRow, StateError> {
        let mut libraries = self.libraries()?;
        let known = |libraries: Vec<LibraryRow>| libraries.into_iter().map(|library| library.root).collect();
        match root {
            Some(root) => {
                let resolved = root.canonicalize().unwrap_or_else(|_| root.to_owned());
                match libraries.iter().position(|library| library.root == resolved) {
                    Some(index) => Ok(libraries.swap_remove(index)),
                    None => {
                        Err(StateError::UnknownLibrary { root: root.to_owned(), libraries: known(libraries) })
                    }
                }
            }
            None if libraries.len() == 1 => Ok(libraries.remove(0)),
            None if libraries.is_empty() => Err(StateError::Missing { path: self.folder.clone() }),
            None => Err(StateError::WhichLibrary { libraries: known(libraries) }),
        }
    }

    /// The library of `root`, which is added if it is new.
    ///
    /// # Errors
    /// When `root` is no folder, or holds the state.
    pub fn add_library(&self, root: &Path) -> Result<LibraryRow, StateError> {
        let resolved = root.canonicalize().and_then(|path| std::fs::read_dir(&path).map(|_| path));
        let resolved = resolved.map_err(|source| StateError::Root { path: root.to_owned(), source })?;
        if self.folder.starts_with(&resolved) {
            return Err(StateError::InLibrary { path: self.folder.clone(), root: resolved });
        }
        let bytes = bytes_of_path(&resolved);
        let known = self
            .connection
            .query_row("SELECT * FROM library WHERE root = ?", [bytes], LibraryRow::of)
            .optional()?;
        if let Some(library) = known {
            return Ok(library);
        }
        let nested =
            |other: &LibraryRow| other.root.starts_with(&resolved) || resolved.starts_with(&other.root);
        if let Some(other) = self.libraries()?.into_iter().find(nested) {
            return Err(StateError::Nested { root: resolved, library: other.root });
        }
        let file_system = FileSystem::of(&resolved);
        self.connection.execute(
            "INSERT INTO library (root, file_system, case_sensitive) VALUES (?, ?, ?)",
            (bytes, &file_system.kind, is_case_sensitive(&resolved)),
        )?;
        let id = LibraryId(self.connection.last_insert_rowid());
        Ok(LibraryRow {
            id,
            file_system: file_system.kind,
            case_sensitive: is_case_sensitive(&resolved),
            root: resolved,
        })
    }
}

/// Whether the name of `folder` in the other case is another name. Nothing is written to find out.
fn is_case_sensitive(folder: &Path) -> bool {
    // A name without letters tells nothing; a folder above has some.
    for folder in folder.ancestors() {
        let Some(name) = folder.file_name().and_then(|name| name.to_str()) else { continue };
        let other = if name.to_lowercase() == name { name.to_uppercase() } else { name.to_lowercase() };
        if other != name {
            return !same_folder(folder, &folder.with_file_name(other));
        }
    }
    true
}

fn same_folder(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_library_need_not_be_named_and_two_must() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        let state = State::open(&folder.path().join("state")).unwrap();
        assert!(matches!(state.library(None), Err(StateError::Missing { .. })));
        let (one, two) = (make("one"), make("two"));
        let added = state.add_library(&one).unwrap();
        assert_eq!(state.add_library(&one).unwrap(), added, "added once");
        assert_eq!(state.library(None).unwrap(), added);
        assert!(matches!(state.library(Some(&two)), Err(StateError::UnknownLibrary { .. })));
        state.add_library(&two).unwrap();
        assert!(matches!(state.library(None), Err(StateError::WhichLibrary { .. })));
        assert_eq!(state.library(Some(&one)).unwrap(), added);
    }

    #[test]
    fn the_state_is_never_in_the_library() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("photos/.cairn")).unwrap();
        let refused = state.add_library(&folder.path().join("photos"));
        assert!(matches!(refused, Err(StateError::InLibrary { .. })));
        assert!(matches!(state.add_library(&folder.path().join("none")), Err(StateError::Root { .. })));
    }

    #[test]
    fn a_library_in_a_library_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state")).unwrap();
        let inner = folder.path().join("photos/2019");
        std::fs::create_dir_all(&inner).unwrap();
        state.add_library(&inner).unwrap();
        let refused = state.add_library(&folder.path().join("photos"));
        assert!(matches!(refused, Err(StateError::Nested { .. })));
    }
}
