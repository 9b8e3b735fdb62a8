//! The tables, and the version of their layout.

use std::path::Path;

use rusqlite::Connection;

use super::StateError;

/// The database's name in the folder of state.
pub(super) const DATABASE: &str = "library.sqlite";

/// Version of the layout below, kept in `PRAGMA user_version`. A cairn refuses the database of a newer one.
const VERSION: i64 = 1;

/// Times are seconds since 1970 in UTC unless a name says otherwise; paths are their bytes.
const TABLES: &str = "
CREATE TABLE library (
    id INTEGER PRIMARY KEY,
    root BLOB NOT NULL UNIQUE,
    file_system TEXT NOT NULL,
    case_sensitive INTEGER NOT NULL,
    settings TEXT NOT NULL DEFAULT '{}'
) STRICT;

-- A walk through a library. `walked` counts the files and the folders left out that were seen; rows of `file` add up to it.
CREATE TABLE scan (
    id INTEGER PRIMARY KEY,
    library INTEGER NOT NULL REFERENCES library,
    began INTEGER NOT NULL,
    walked INTEGER,
    walk_ended INTEGER,
    ended INTEGER
) STRICT;

CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    library INTEGER NOT NULL REFERENCES library,
    path BLOB NOT NULL,
    seen_scan INTEGER NOT NULL,
    UNIQUE (library, path)
) STRICT;

CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL REFERENCES folder,
    name BLOB NOT NULL,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    dev INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    nlink INTEGER NOT NULL,
    file_hash BLOB,
    payload_hash BLOB,
    state TEXT NOT NULL,
    reason TEXT,
    crashes INTEGER NOT NULL DEFAULT 0,
    UNIQUE (folder, name)
) STRICT;
CREATE INDEX file_by_payload ON file (payload_hash) WHERE payload_hash IS NOT NULL;
CREATE INDEX file_by_state ON file (state) WHERE state IN ('pending', 'quarantined');

CREATE TABLE reading (
    file INTEGER PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    -- By the camera's own clock, as if that were UTC; less `offset_minutes` it is UTC.
    taken INTEGER,
    offset_minutes INTEGER,
    make TEXT,
    model TEXT,
    serial TEXT,
    latitude REAL,
    longitude REAL,
    position_error_m REAL,
    position_source TEXT
) STRICT;

CREATE TABLE group_member (
    file INTEGER PRIMARY KEY REFERENCES file ON DELETE CASCADE,
    group_id INTEGER NOT NULL,
    role TEXT NOT NULL,
    reason TEXT
) STRICT;
CREATE INDEX member_by_group ON group_member (group_id);

CREATE TABLE model (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    views TEXT NOT NULL,
    name TEXT NOT NULL,
    score TEXT,
    threshold REAL,
    sure REAL,
    UNIQUE (hash, views)
) STRICT;

CREATE TABLE prediction (
    payload_hash BLOB NOT NULL,
    model INTEGER NOT NULL REFERENCES model,
    rank INTEGER NOT NULL,
    landmark TEXT NOT NULL,
    wikidata TEXT,
    probability REAL NOT NULL,
    landmark_score REAL NOT NULL,
    PRIMARY KEY (payload_hash, model, rank)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    -- NULL: of the whole library.
    payload_hash BLOB,
    library INTEGER REFERENCES library,
    -- NULL: of any landmark.
    landmark TEXT,
    wikidata TEXT,
    decision TEXT NOT NULL,
    decided INTEGER NOT NULL
) STRICT;
CREATE INDEX decision_by_payload ON decision (payload_hash);

CREATE TABLE context (
    file INTEGER NOT NULL REFERENCES file ON DELETE CASCADE,
    landmark TEXT NOT NULL,
    neighbour INTEGER,
    seconds INTEGER,
    distance_km REAL,
    speed_kmh REAL,
    agreeing INTEGER NOT NULL,
    agreement REAL NOT NULL,
    verdict TEXT NOT NULL,
    PRIMARY KEY (file, landmark)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan (
    id TEXT PRIMARY KEY,
    library INTEGER NOT NULL REFERENCES library,
    plan_hash BLOB NOT NULL,
    path BLOB NOT NULL,
    made INTEGER NOT NULL
) STRICT;

CREATE TABLE op (
    plan TEXT NOT NULL REFERENCES plan,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    file INTEGER REFERENCES file,
    target BLOB NOT NULL,
    before_hash BLOB,
    after_hash BLOB,
    edits BLOB,
    journal_offset INTEGER,
    mtime_before_ns INTEGER,
    state TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (plan, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX op_by_target ON op (target);
";

/// Makes the tables where there are none.
pub(super) fn prepare(connection: &Connection, folder: &Path) -> Result<(), StateError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > VERSION {
        return Err(StateError::Newer { path: folder.to_owned(), version, known: VERSION });
    }
    // Readers see the last commit while a scan writes.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    if version == 0 {
        connection
            .execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"))?;
    }
    Ok(())
}
