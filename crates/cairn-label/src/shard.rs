//! To do a shard: a function of the plan and the shard's number, on whatever machine calls it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;

use cairn_model::{Model, PhotoError, PhotoSource};
use serde::{Deserialize, Serialize};

use crate::list::Input;
use crate::plan::Plan;
use crate::reading::{Reading, ShardError, in_words};
use crate::store::{Put, Store, StoreError, StoredFile};
use crate::stores::Stores;
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
    /// Where photos are that the lists name by addresses.
    pub stores: &'a Stores,
}

/// A shard that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardReport {
    /// Its rows.
    pub counts: Counts,
    /// Whether its file was written just now; else it was there already.
    pub written: bool,
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
        match self.counts(index)? {
            Some(counts) => Ok(ShardReport { counts, written: false }),
            None => self.label_reading(index, self.begin(index)?, each, &mut || {}),
        }
    }

    /// The counts of a shard that is done; `None` where it is not.
    ///
    /// # Errors
    /// When its file cannot be read, or is not one that this wrote.
    pub fn counts(&self, index: usize) -> Result<Option<Counts>, StoreError> {
        counts_of(self.out, &self.plan.part_name(index))
    }

    /// Begins to read a shard's photos.
    pub(crate) fn begin(&self, index: usize) -> Result<Reading<'_>, ShardError> {
        let shard = self.plan.shards[index];
        let input = &self.inputs[shard.input];
        Ok(Reading::begin(input, input.rows(shard.cut)?, self.stores))
    }

    /// Does a shard whose photos are being read. Once all of them are on their way, `read_on` is called for each photo that is
    /// waited for.
    pub(crate) fn label_reading(
        &self,
        index: usize,
        reading: Reading<'_>,
        each: &mut EachPhoto<'_>,
        read_on: &mut dyn FnMut(),
    ) -> Result<ShardReport, ShardError> {
        let rows = self.label_rows(reading, each, read_on)?;
        let (bytes, counts) = write(&rows, self.plan.settings.embed)?;
        let written = self.out.put_new(&self.plan.part_name(index), &bytes)? == Put::Written;
        Ok(ShardReport { counts, written })
    }

    fn label_rows(
        &self,
        reading: Reading<'_>,
        each: &mut EachPhoto<'_>,
        read_on: &mut dyn FnMut(),
    ) -> Result<Vec<LabelledPhoto>, ShardError> {
        let taken = Rc::new(Taken::default());
        let photos = Photos { reading, read_on, taken: Rc::clone(&taken) };
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

/// The counts of a shard's file; `None` where there is none.
pub(crate) fn counts_of(out: &dyn Store, name: &str) -> Result<Option<Counts>, StoreError> {
    let Some(file) = out.open(name)? else { return Ok(None) };
    let fault = |source| StoreError { place: format!("{}/{name}", out.name()), what: "read", source };
    let tail = tail(&*file).map_err(fault)?;
    let foreign = || fault(io::Error::other("it is no file that cairn wrote"));
    Counts::in_footer(&tail).ok_or_else(foreign).map(Some)
}

/// The row, once whoever wants to know has been told of it.
fn told(row: LabelledPhoto, each: &mut EachPhoto<'_>) -> Result<LabelledPhoto, ShardError> {
    match each(row.outcome.as_ref().err().map(|error| (row.name.as_str(), error.as_str()))) {
        ControlFlow::Continue(()) => Ok(row),
        ControlFlow::Break(()) => Err(ShardError::Stopped),
    }
}

/// The photos of a shard, as the model takes them.
struct Photos<'a> {
    reading: Reading<'a>,
    read_on: &'a mut dyn FnMut(),
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
    fn next_photo(&mut self) -> Result<Option<PhotoSource>, ShardError> {
        self.reading.read_ahead();
        if self.reading.is_listed() {
            (self.read_on)();
        }
        while let Some((name, photo)) = self.reading.next_photo()? {
            let (photo, unusable) = match photo {
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
        // It may be asked again after its end.
        if self.taken.error.borrow().is_some() {
            return None;
        }
        self.next_photo().unwrap_or_else(|error| {
            self.taken.error.replace(Some(error));
            None
        })
    }
}

/// Why a photo cannot be read, without its path; an error where that is not the photo's fault.
fn reason(error: PhotoError, name: &str) -> Result<String, ShardError> {
    let is_passing = error.is_passing();
    match error {
        PhotoError::Io { source, .. } if is_passing => {
            Err(ShardError::Photo { photo: name.to_owned(), source })
        }
        PhotoError::Io { source, .. } => Ok(format!("cannot be read: {}", in_words(&source))),
        error => Ok(error.reason()),
    }
}

fn tail(file: &dyn StoredFile) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read(file.size().saturating_sub(FOOTER), file.size())?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
