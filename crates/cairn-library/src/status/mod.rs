//! How many files of a library are in which state, and why.

use rusqlite::OptionalExtension;
use serde::Serialize;

use crate::state::{FileState, LibraryId, State, StateError};

/// How many files are in a state for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateCount {
    /// The state.
    pub state: FileState,
    /// Why; `None` where the state says it all.
    pub reason: Option<String>,
    /// Files.
    pub files: u64,
}

/// The last walk through a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LastScan {
    /// When it began, seconds since 1970.
    pub began: i64,
    /// Files, and folders left out, that the last whole walk came upon; `None` before the first.
    pub walked: Option<u64>,
    /// Whether the last walk went through the whole library.
    pub is_whole: bool,
    /// Whether all files that it found were read.
    pub is_done: bool,
}

/// How many files of a library are in which state. Each file of the last walk is in exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accounts {
    /// The last walk; `None` before the first.
    pub scan: Option<LastScan>,
    /// By state, then by reason.
    pub counts: Vec<StateCount>,
}

impl Accounts {
    /// Of a library.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn of(state: &State, library: LibraryId) -> Result<Accounts, StateError> {
        let connection = state.connection();
        let mut query = connection.prepare_cached(
            "SELECT file.state, file.reason, count(*) FROM folder JOIN file ON file.folder = folder.id \
             WHERE folder.library = ? GROUP BY 1, 2 ORDER BY 3 DESC, 2",
        )?;
        let rows = query.query_map([library.0], |row| {
            Ok(StateCount { state: row.get(0)?, reason: row.get(1)?, files: row.get::<_, i64>(2)? as u64 })
        })?;
        let mut counts: Vec<StateCount> = rows.collect::<Result<_, _>>()?;
        counts.sort_by_key(|count| count.state);
        let scan = connection
            .query_row(
                "SELECT began, walk_ended IS NOT NULL, ended IS NOT NULL, (SELECT walked FROM scan AS whole \
                 WHERE whole.library = ?1 AND whole.walked IS NOT NULL ORDER BY whole.id DESC LIMIT 1) \
                 FROM scan WHERE library = ?1 ORDER BY id DESC LIMIT 1",
                [library.0],
                |row| {
                    Ok(LastScan {
                        began: row.get(0)?,
                        is_whole: row.get(1)?,
                        is_done: row.get(2)?,
                        walked: row.get::<_, Option<i64>>(3)?.map(|walked| walked as u64),
                    })
                },
            )
            .optional()?;
        Ok(Accounts { scan, counts })
    }

    /// Files in a state, for whatever reason.
    pub fn files(&self, state: FileState) -> u64 {
        self.counts.iter().filter(|count| count.state == state).map(|count| count.files).sum()
    }

    /// Files in all states but [`FileState::Gone`].
    pub fn present(&self) -> u64 {
        self.counts.iter().filter(|count| count.state != FileState::Gone).map(|count| count.files).sum()
    }

    /// Whether the states add up to the files of the last walk; `None` where that was interrupted.
    pub fn adds_up(&self) -> Option<bool> {
        let scan = self.scan.filter(|scan| scan.is_whole)?;
        scan.walked.map(|walked| walked == self.present())
    }
}
