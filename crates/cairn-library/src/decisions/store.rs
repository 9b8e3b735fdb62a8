//! Decisions in the database and in `decisions.jsonl`.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::state::{Decision, LibraryId, PayloadHash, State};

use super::{About, DecisionError, DecisionLine};

/// All decisions that hold for a library.
#[derive(Debug)]
pub struct Decisions {
    library: LibraryId,
    root: String,
    file: PathBuf,
    held: HashMap<About, Vec<DecisionLine>>,
    /// What this process decided, for taking back.
    recent: Vec<Recorded>,
}

/// A decision, and the one that held before it.
#[derive(Debug)]
struct Recorded {
    line: DecisionLine,
    before: Option<DecisionLine>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Decisions that are new here.
    pub added: u32,
    /// Decisions that were known, or older than what was decided here.
    pub known: u32,
}

impl Decisions {
    /// Reads the decisions. Rows that the database lost come back from the file.
    ///
    /// # Errors
    /// When the database or the file cannot be read.
    pub fn open(state: &State, library: LibraryId) -> Result<Decisions, DecisionError> {
        let file = state.folder().join("decisions.jsonl");
        let root: Vec<u8> =
            state
                .connection()
                .query_row("SELECT root FROM library WHERE id = ?", [library.0], |row| row.get(0))?;
        let root = String::from_utf8_lossy(&root).into_owned();
        let mut decisions = Decisions { library, root, file, held: HashMap::new(), recent: Vec::new() };
        // The file is the truth; the database mirrors it for queries.
        for line in read(&decisions.file)? {
            decisions.hold(line);
        }
        let rows: i64 =
            state.connection().query_row("SELECT COUNT(*) FROM decision", [], |row| row.get(0))?;
        if rows == 0 {
            for line in decisions.held.values().flatten() {
                decisions.mirror(state, line)?;
            }
        }
        Ok(decisions)
    }

    /// Stores a decision: on the disk when this returns.
    ///
    /// # Errors
    /// When the file or the database cannot be written.
    pub fn record(&mut self, state: &State, line: DecisionLine) -> Result<(), DecisionError> {
        self.record_all(state, vec![line])
    }

    /// Stores decisions: on the disk when this returns, written together.
    ///
    /// # Errors
    /// When the file or the database cannot be written.
    pub fn record_all(&mut self, state: &State, mut lines: Vec<DecisionLine>) -> Result<(), DecisionError> {
        for line in lines.iter_mut().filter(|line| line.about() == Some(About::Library)) {
            line.library = Some(self.root.clone());
        }
        self.store(state, &lines)?;
        for line in lines {
            let before = self.held(&line).cloned();
            self.hold(line.clone());
            self.recent.push(Recorded { line, before });
        }
        Ok(())
    }

    /// Takes back the last decisions of this process, so many: what held before them holds again. Returns them.
    ///
    /// # Errors
    /// When the file or the database cannot be written.
    pub fn take_back(&mut self, state: &State, count: usize) -> Result<Vec<DecisionLine>, DecisionError> {
        let from = self.recent.len().saturating_sub(count);
        let now = jiff::Timestamp::now().as_second();
        let back = |recorded: &Recorded| match &recorded.before {
            Some(before) => before.clone(),
            None => DecisionLine { decision: None, decided: now, ..recorded.line.clone() },
        };
        let lines: Vec<DecisionLine> = self.recent[from..].iter().rev().map(back).collect();
        self.store(state, &lines)?;
        for line in lines {
            self.hold(line);
        }
        Ok(self.recent.drain(from..).map(|recorded| recorded.line).collect())
    }

    /// Whether a landmark is never marked in this library.
    pub fn is_never_here(&self, landmark: &str, wikidata: Option<&str>) -> bool {
        self.find(About::Library, Some((landmark, wikidata)))
            .is_some_and(|(decision, _)| decision == Decision::Never)
    }

    /// Whether a picture is never marked, with any landmark.
    pub fn is_never_marked(&self, payload: PayloadHash) -> bool {
        self.find(About::Picture(payload), None).is_some_and(|(decision, _)| decision == Decision::Never)
    }

    /// Whether a mark of this landmark in this picture is forbidden.
    pub fn forbids(&self, payload: PayloadHash, landmark: &str, wikidata: Option<&str>) -> bool {
        match self.decision(payload, landmark, wikidata) {
            Some(decision) => decision != Decision::Confirm,
            None => self
                .find(About::Library, Some((landmark, wikidata)))
                .is_some_and(|(decision, _)| decision != Decision::Confirm),
        }
    }

    /// Whether any mark of this picture may be forbidden.
    pub(crate) fn may_forbid(&self, payload: PayloadHash) -> bool {
        let forbids = |about| {
            let lines = self.held.get(&about).map(Vec::as_slice).unwrap_or_default();
            lines.iter().any(|line| line.decision.is_some_and(|decision| decision != Decision::Confirm))
        };
        forbids(About::Picture(payload)) || forbids(About::Library)
    }

    /// What was decided about this landmark in this picture, or about the picture as a whole: the later of the two.
    pub fn decision(&self, payload: PayloadHash, landmark: &str, wikidata: Option<&str>) -> Option<Decision> {
        let about = About::Picture(payload);
        let these = [self.find(about, Some((landmark, wikidata))), self.find(about, None)];
        these.into_iter().flatten().max_by_key(|(_, at)| *at).map(|(decision, _)| decision)
    }

    /// What was decided, and its place in the order of decisions.
    fn find(&self, about: About, landmark: Option<(&str, Option<&str>)>) -> Option<(Decision, usize)> {
        let same = |line: &DecisionLine| match (landmark, &line.landmark) {
            (None, None) => true,
            (Some((name, wikidata)), Some(decided)) => {
                name == decided || wikidata.is_some() && wikidata == line.wikidata.as_deref()
            }
            _ => false,
        };
        let lines = self.held.get(&about)?;
        let (at, line) = lines.iter().enumerate().rfind(|(_, line)| same(line))?;
        Some((line.decision?, at))
    }

    /// Writes all decisions to a file, for another computer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn export(&self, to: &Path) -> Result<u32, DecisionError> {
        let mut lines: Vec<&DecisionLine> =
            self.held.values().flatten().filter(|line| line.decision.is_some()).collect();
        lines.sort_by_key(|line| (line.decided, line.landmark.clone()));
        let temporary = to.with_extension("part");
        let write = || {
            let mut file = File::create(&temporary)?;
            for line in &lines {
                let mut text = serde_json::to_vec(line)?;
                text.push(b'\n');
                file.write_all(&text)?;
            }
            file.sync_all()?;
            fs::rename(&temporary, to)
        };
        write().map_err(DecisionError::io(to))?;
        Ok(u32::try_from(lines.len()).unwrap_or(u32::MAX))
    }

    /// Takes over the decisions of another computer, where nothing later was decided here. Those about a whole library are taken
    /// for this one.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn import(&mut self, state: &State, from: &Path) -> Result<Imported, DecisionError> {
        if let Err(source) = fs::metadata(from) {
            return Err(DecisionError::Io { path: from.to_owned(), source });
        }
        let mut imported = Imported::default();
        for mut line in read(from)? {
            let Some(about) = line.about() else { continue };
            if about == About::Library {
                line.library = Some(self.root.clone());
            }
            let same = |held: &&DecisionLine| held.landmark == line.landmark;
            let known = self.held.get(&about).and_then(|lines| lines.iter().rfind(same));
            if known.is_some_and(|known| known.decided >= line.decided) {
                imported.known += 1;
                continue;
            }
            self.store(state, std::slice::from_ref(&line))?;
            self.hold(line);
            imported.added += 1;
        }
        Ok(imported)
    }

    /// What holds now about the same picture and landmark, or library and landmark.
    fn held(&self, line: &DecisionLine) -> Option<&DecisionLine> {
        self.held.get(&line.about()?)?.iter().rfind(|held| held.landmark == line.landmark)
    }

    /// Of each picture and landmark the last decision holds.
    fn hold(&mut self, line: DecisionLine) {
        let Some(about) = line.about() else { return };
        if about == About::Library && line.library.as_ref().is_some_and(|root| *root != self.root) {
            return;
        }
        let lines = self.held.entry(about).or_default();
        lines.retain(|held| held.landmark != line.landmark);
        if line.decision.is_some() {
            lines.push(line);
        }
    }

    /// Writes lines to the file, which is the truth, then to the database.
    fn store(&self, state: &State, lines: &[DecisionLine]) -> Result<(), DecisionError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.append(lines).map_err(DecisionError::io(&self.file))?;
        let transaction = state.connection().unchecked_transaction()?;
        for line in lines {
            self.mirror(state, line)?;
        }
        Ok(transaction.commit()?)
    }

    fn append(&self, lines: &[DecisionLine]) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(&self.file)?;
        let mut text = Vec::new();
        // Half a line of a crash is ended first, so that it spoils no other.
        let before = file.seek(SeekFrom::End(0))?;
        if before > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                text.push(b'\n');
            }
        }
        for line in lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        let written = file.write_all(&text).and_then(|()| file.sync_data());
        if written.is_err() {
            // A full disk: lines of a decision that was not stored must not hold the next time.
            file.set_len(before)?;
        }
        written
    }

    fn mirror(&self, state: &State, line: &DecisionLine) -> Result<(), DecisionError> {
        let Some(about) = line.about() else { return Ok(()) };
        let (payload, library) = match about {
            About::Picture(payload) => (Some(payload), None),
            About::Library => (None, Some(self.library.0)),
        };
        let connection = state.connection();
        connection.execute(
            "DELETE FROM decision WHERE payload_hash IS ?1 AND library IS ?2 AND landmark IS ?3",
            (payload, library, &line.landmark),
        )?;
        if let Some(decision) = line.decision {
            connection.execute(
                "INSERT INTO decision (payload_hash, library, landmark, wikidata, decision, decided) VALUES (?, ?, ?, ?, ?, ?)",
                (payload, library, &line.landmark, &line.wikidata, decision, line.decided),
            )?;
        }
        Ok(())
    }
}

/// The lines of a file; none where there is none. Half a line of a crash is passed over.
fn read(path: &Path) -> Result<Vec<DecisionLine>, DecisionError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(DecisionError::io(path)(error)),
    };
    Ok(bytes.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}
