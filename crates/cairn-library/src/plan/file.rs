//! The plan's file: a line of JSON for the plan, one for each operation, and one that says that it is whole.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Op, PlanError, path_text};

const FORMAT: u32 = 1;

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHeader {
    /// Version of the file's layout.
    pub format: u32,
    /// The plan's name: its time and a few digits.
    pub plan: String,
    /// The library's root.
    #[serde(with = "path_text")]
    pub library: PathBuf,
    /// When it was made, seconds since 1970.
    pub made: i64,
    /// What was asked for, for people.
    pub request: String,
}

impl PlanHeader {
    /// For a library, now.
    pub fn new(library: &Path, request: String) -> PlanHeader {
        let now = jiff::Timestamp::now();
        let seed = format!("{}\0{}\0{now}\0{}", library.display(), request, std::process::id());
        let digits = &blake3::hash(seed.as_bytes()).to_hex()[..8];
        // Names in order of time, also of two plans in one second.
        let milliseconds = now.subsec_nanosecond() / 1_000_000;
        let plan = format!("{}{milliseconds:03}-{digits}", now.strftime("%Y%m%d-%H%M%S"));
        PlanHeader { format: FORMAT, plan, library: library.to_owned(), made: now.as_second(), request }
    }
}

#[derive(Serialize, Deserialize)]
struct Trailer {
    whole: bool,
    operations: u32,
    blake3: String,
}

/// Where a plan is written.
#[derive(Clone, Copy, Debug)]
pub struct PlanTarget<'a> {
    /// The file.
    pub path: &'a Path,
    /// Whether it takes the place of a file that is there, which stays until the plan is whole.
    pub replaces: bool,
}

impl<'a, P: AsRef<Path> + ?Sized> From<&'a P> for PlanTarget<'a> {
    /// A new file.
    fn from(path: &'a P) -> PlanTarget<'a> {
        PlanTarget { path: path.as_ref(), replaces: false }
    }
}

/// A file that is removed unless it gets its name.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It is gone where it was renamed. One that cannot be removed is replaced by the next plan of this name.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Writes a plan under another name, which is renamed once it is whole.
#[derive(Debug)]
pub struct PlanWriter {
    path: PathBuf,
    temporary: Unfinished,
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    operations: u32,
}

impl PlanWriter {
    /// Begins a plan.
    ///
    /// # Errors
    /// When the file is there already and not to be replaced, or cannot be made.
    pub fn create<'a>(
        target: impl Into<PlanTarget<'a>>,
        header: &PlanHeader,
    ) -> Result<PlanWriter, PlanError> {
        let PlanTarget { path, replaces } = target.into();
        if !replaces && path.symlink_metadata().is_ok() {
            return Err(PlanError::Exists { path: path.to_owned() });
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let temporary = path.with_file_name(name);
        let out = BufWriter::new(File::create(&temporary).map_err(PlanError::io(&temporary))?);
        let mut writer = PlanWriter {
            path: path.to_owned(),
            temporary: Unfinished(temporary),
            out,
            hasher: blake3::Hasher::new(),
            operations: 0,
        };
        writer.line(header)?;
        Ok(writer)
    }

    /// Adds an operation, which gets the next number.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, mut op: Op) -> Result<(), PlanError> {
        op.seq = self.operations;
        self.operations += 1;
        self.line(&op)
    }

    /// Operations so far.
    pub fn operations(&self) -> u32 {
        self.operations
    }

    /// Ends the plan and gives it its name.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self) -> Result<(), PlanError> {
        let trailer = Trailer {
            whole: true,
            operations: self.operations,
            blake3: self.hasher.finalize().to_hex().to_string(),
        };
        self.line(&trailer)?;
        let PlanWriter { path, temporary, out, .. } = self;
        let file = out.into_inner().map_err(|error| PlanError::io(&temporary.0)(error.into_error()))?;
        file.sync_all().map_err(PlanError::io(&temporary.0))?;
        std::fs::rename(&temporary.0, &path).map_err(PlanError::io(&path))
    }

    fn line(&mut self, value: &impl Serialize) -> Result<(), PlanError> {
        let write = |out: &mut BufWriter<File>, hasher: &mut blake3::Hasher| {
            let mut line = serde_json::to_vec(value)?;
            line.push(b'\n');
            hasher.update(&line);
            out.write_all(&line)
        };
        write(&mut self.out, &mut self.hasher).map_err(PlanError::io(&self.temporary.0))
    }
}

/// A plan's file that was read through once and is whole.
#[derive(Debug)]
pub struct PlanFile {
    /// The file.
    pub path: PathBuf,
    /// The first line.
    pub header: PlanHeader,
    /// How many operations follow.
    pub operations: u32,
    /// Of the whole file.
    pub hash: blake3::Hash,
}

impl PlanFile {
    /// Opens a plan and checks that it is whole and as it was written.
    ///
    /// # Errors
    /// When it cannot be read, or is no whole plan.
    pub fn open(path: &Path) -> Result<PlanFile, PlanError> {
        let wrong = |reason: &str| PlanError::NotAPlan { path: path.to_owned(), reason: reason.to_owned() };
        let mut reader = BufReader::new(File::open(path).map_err(PlanError::io(path))?);
        let mut line = String::new();
        let mut hasher = blake3::Hasher::new();
        let mut whole = blake3::Hasher::new();
        let mut header: Option<PlanHeader> = None;
        let mut operations = 0;
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                Ok(0) => return Err(wrong("it ends early")),
                Ok(_) => whole.update(line.as_bytes()),
                Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    return Err(wrong("it is no text"));
                }
                Err(error) => return Err(PlanError::io(path)(error)),
            };
            if header.is_none() {
                #[derive(Deserialize)]
                struct Format {
                    format: u32,
                }
                let format: Format =
                    serde_json::from_str(&line).map_err(|_| wrong("its first line is of no plan"))?;
                if format.format != FORMAT {
                    return Err(PlanError::Version {
                        path: path.to_owned(),
                        found: format.format,
                        known: FORMAT,
                    });
                }
                header = Some(serde_json::from_str(&line).map_err(|error| wrong(&error.to_string()))?);
            } else if let Ok(trailer) = serde_json::from_str::<Trailer>(&line) {
                if trailer.operations != operations || trailer.blake3 != hasher.finalize().to_hex().as_str() {
                    return Err(wrong("it was changed"));
                }
                // The first line was one.
                let Some(header) = header else { return Err(wrong("it has no first line")) };
                return Ok(PlanFile { path: path.to_owned(), header, operations, hash: whole.finalize() });
            } else {
                operations += 1;
            }
            hasher.update(line.as_bytes());
        }
    }

    /// The operations, read one by one.
    ///
    /// # Errors
    /// When the file cannot be opened; an item is an error where a line is no operation.
    pub fn ops(&self) -> Result<impl Iterator<Item = Result<Op, PlanError>> + use<>, PlanError> {
        let path = self.path.clone();
        let lines = BufReader::new(File::open(&path).map_err(PlanError::io(&path))?).lines();
        Ok(lines.skip(1).take(self.operations as usize).map(move |line| {
            let line = line.map_err(PlanError::io(&path))?;
            let wrong = |error: serde_json::Error| PlanError::NotAPlan {
                path: path.clone(),
                reason: error.to_string(),
            };
            serde_json::from_str(&line).map_err(wrong)
        }))
    }
}
