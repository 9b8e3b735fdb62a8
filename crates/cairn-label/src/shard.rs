//! To do a shard: a function of the plan and the shard's number, on whatever machine calls it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cairn_dataset::path_of_text;
use cairn_model::{Model, PhotoError, PhotoSource};

use crate::address::{is_address, unreached};
use crate::list::{Input, ListError, Listed, ListedPhoto, Rows};
use crate::plan::Plan;
use crate::store::{Put, Store, StoreError, StoredFile};
use crate::table::{Counts, LabelledPhoto, Labels, write};

/// A footer fits in so many bytes at a file's end.
const FOOTER: u64 = 1 << 16;

/// All that doing a shard needs beside its number.
pub struct Labeller<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The lists that the plan names, in its order.
    pub inputs: &'a [Input],
    /// The model, which answers as the plan's settings say.
    pub model: &'a Model,
    /// Where the shard's file goes.
    pub out: &'a dyn Store,
}

/// A shard that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardReport {
    /// Its rows.
    pub counts: Counts,
    /// Whether its file was written just now; else it was there already.
    pub written: bool,
}

/// Why a shard is not done. It may be tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardError {
    /// Its part of the list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// Its file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A photo cannot be read now, for a reason that is none of the photo's: a disk or network that fails.
    #[error("{photo}: cannot be read now")]
    Photo {
        /// The photo.
        photo: String,
        /// What the system says.
        source: io::Error,
    },
    /// Its rows cannot be made a file.
    #[error("the rows cannot be written as Parquet")]
    Table(#[from] parquet::errors::ParquetError),
    /// Somebody asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Who wants to know of each photo, and may stop between two of them: of a photo that could not be read, its name and why.
pub type EachPhoto<'a> = dyn FnMut(Option<(&str, &str)>) -> ControlFlow<()> + 'a;

impl Labeller<'_> {
    /// Does a shard: reads its photos, asks the model, and writes its file, unless that is there.
    ///
    /// The file is the same whoever does it, on processors that compute alike, and whatever else they do.
    ///
    /// # Errors
    /// [`ShardError`], after which nothing is written.
    pub fn label_shard(&self, index: usize, each: &mut EachPhoto<'_>) -> Result<ShardReport, ShardError> {
        let name = self.plan.part_name(index);
        if let Some(counts) = self.counts_of(&name)? {
            return Ok(ShardReport { counts, written: false });
        }
        let rows = self.label_rows(index, each)?;
        let (bytes, counts) = write(&rows, self.plan.settings.embed)?;
        let written = self.out.put_new(&name, &bytes)? == Put::Written;
        Ok(ShardReport { counts, written })
    }

    /// The counts of a shard that is done; `None` where it is not.
    ///
    /// # Errors
    /// When its file cannot be read, or is not one that this wrote.
    pub fn counts(&self, index: usize) -> Result<Option<Counts>, StoreError> {
        self.counts_of(&self.plan.part_name(index))
    }

    fn counts_of(&self, name: &str) -> Result<Option<Counts>, StoreError> {
        let Some(file) = self.out.open(name)? else { return Ok(None) };
        let fault =
            |source| StoreError { place: format!("{}/{name}", self.out.name()), what: "read", source };
        let tail = tail(&*file).map_err(fault)?;
        let foreign = || fault(io::Error::other("it is no file that cairn wrote"));
        Counts::in_footer(&tail).ok_or_else(foreign).map(Some)
    }

    fn label_rows(&self, index: usize, each: &mut EachPhoto<'_>) -> Result<Vec<LabelledPhoto>, ShardError> {
        let shard = self.plan.shards[index];
        let input = &self.inputs[shard.input];
        let taken = Rc::new(Taken::default());
        let photos = Photos { input, rows: input.rows(shard.cut)?, taken: Rc::clone(&taken) };
        let (k, embed) = (self.plan.settings.k, self.plan.settings.embed);
        let mut answers = self.model.map_sized_photos(photos, move |model, sized| {
            let output = model.output_of(&sized.photo);
            Labels {
                prediction: model.prediction(&output, k),
                width: sized.width,
                height: sized.height,
                embedding: embed.then(|| output.embedding.values().to_vec()),
            }
        });
        let mut labelled = Vec::new();
        loop {
            let answer = answers.next();
            // Those before it in the list that have no content; behind the last, all that are left.
            while let Some(row) = taken.next_unusable() {
                labelled.push(told(row, each)?);
            }
            let Some(answer) = answer else { break };
            let Some(Waiting { name, .. }) = taken.waiting.borrow_mut().pop_front() else { break };
            let outcome = match answer {
                Ok(labels) => Ok(labels),
                Err(error) => Err(reason(error, &name)?),
            };
            labelled.push(told(LabelledPhoto { name, outcome }, each)?);
        }
        match taken.error.take() {
            Some(error) => Err(error),
            None => Ok(labelled),
        }
    }
}

/// The row, once whoever wants to know has been told of it.
fn told(row: LabelledPhoto, each: &mut EachPhoto<'_>) -> Result<LabelledPhoto, ShardError> {
    match each(row.outcome.as_ref().err().map(|error| (row.name.as_str(), error.as_str()))) {
        ControlFlow::Continue(()) => Ok(row),
        ControlFlow::Break(()) => Err(ShardError::Stopped),
    }
}

/// The photos of a shard, on their way to the model.
struct Photos<'a> {
    input: &'a Input,
    rows: Rows,
    taken: Rc<Taken>,
}

/// What has been taken from the list and not been answered yet.
#[derive(Default)]
struct Taken {
    waiting: RefCell<VecDeque<Waiting>>,
    /// What ended it too soon.
    error: RefCell<Option<ShardError>>,
}

struct Waiting {
    name: String,
    /// Why the model is not asked.
    unusable: Option<String>,
}

impl Taken {
    fn next_unusable(&self) -> Option<LabelledPhoto> {
        let mut waiting = self.waiting.borrow_mut();
        let Waiting { name, unusable } = waiting.pop_front_if(|next| next.unusable.is_some())?;
        Some(LabelledPhoto { name, outcome: Err(unusable.unwrap_or_default()) })
    }
}

impl Photos<'_> {
    /// The photo of a row, or why the model is not asked.
    fn content(&self, row: ListedPhoto) -> Result<PhotoSource, String> {
        let ListedPhoto { name, source } = row;
        match source {
            Listed::Bytes(bytes) => Ok(PhotoSource::bytes(bytes, name)),
            Listed::Unusable(reason) => Err(reason),
            Listed::AtName if is_address(&name) => Err(unreached(&name).to_string()),
            Listed::AtName => Ok(PhotoSource::Path(photo_path(self.input.base(), &name))),
        }
    }

    fn next_photo(&mut self) -> Result<Option<PhotoSource>, ShardError> {
        while let Some(row) = self.rows.next() {
            let row = row.map_err(|reason| self.input.error(reason))?;
            let name = row.name.clone();
            let content = self.content(row);
            let (photo, unusable) = match content {
                Ok(photo) => (Some(photo), None),
                Err(reason) => (None, Some(reason)),
            };
            self.taken.waiting.borrow_mut().push_back(Waiting { name, unusable });
            if photo.is_some() {
                return Ok(photo);
            }
        }
        Ok(None)
    }
}

impl Iterator for Photos<'_> {
    type Item = PhotoSource;

    fn next(&mut self) -> Option<PhotoSource> {
        self.next_photo().unwrap_or_else(|error| {
            self.taken.error.replace(Some(error));
            None
        })
    }
}

/// The file that a list names: as it is written, else that of which it is the [`path_text`](cairn_dataset::path_text).
fn photo_path(base: &Path, name: &str) -> PathBuf {
    let written = base.join(name);
    if name.contains('\\') && !written.exists() { base.join(path_of_text(name)) } else { written }
}

/// Why a photo cannot be read, without its path; an error where that is not the photo's fault.
fn reason(error: PhotoError, name: &str) -> Result<String, ShardError> {
    if let PhotoError::Io { source, .. } = error {
        if is_passing(&source) {
            return Err(ShardError::Photo { photo: name.to_owned(), source });
        }
        return Ok(format!("cannot be read: {}", in_words(&source)));
    }
    Ok(error.reason())
}

/// Whether trying again later may help: a disk or network that fails, not a file that cannot be read.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, Interrupted,
        NetworkDown, NetworkUnreachable, OutOfMemory, QuotaExceeded, ResourceBusy, StaleNetworkFileHandle,
        TimedOut, UnexpectedEof, WouldBlock,
    };
    /// A device that fails (`EIO`), too many open files in the process or the system (`EMFILE`, `ENFILE`): they have no kind.
    const PASSING: [i32; 3] = [5, 24, 23];
    let kind = matches!(
        error.kind(),
        BrokenPipe
            | ConnectionAborted
            | ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | OutOfMemory
            | QuotaExceeded
            | ResourceBusy
            | StaleNetworkFileHandle
            | TimedOut
            | UnexpectedEof
            | WouldBlock
    );
    kind || cfg!(unix) && error.raw_os_error().is_some_and(|number| PASSING.contains(&number))
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::NotADirectory => "a part of its path is a file, not a folder".to_owned(),
        _ => {
            let message = error.to_string();
            message.split(" (os error ").next().unwrap_or_default().to_owned()
        }
    }
}

fn tail(file: &dyn StoredFile) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read(file.size().saturating_sub(FOOTER), file.size())?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
