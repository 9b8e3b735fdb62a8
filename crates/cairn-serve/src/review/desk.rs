//! The review on the desk of the person who looks through it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use cairn_library::review::{Review, ReviewGroup, ReviewPhoto};
use cairn_places::{Gazetteer, Place};

/// A review with all that its pages need. It stays on one thread, as its database does.
#[derive(Debug)]
pub struct Desk<'a> {
    pub(super) review: Review<'a>,
    root: PathBuf,
    gazetteer: &'a Gazetteer,
}

impl<'a> Desk<'a> {
    /// A review of the library at `root`, with the places of its landmarks.
    pub fn new(review: Review<'a>, root: &Path, gazetteer: &'a Gazetteer) -> Self {
        Self { review, root: root.to_owned(), gazetteer }
    }

    /// How many photos and landmarks were decided about and not taken back.
    pub fn decided(&self) -> usize {
        self.review.steps().iter().map(|step| step.photos.len().max(1)).sum()
    }

    pub(super) fn groups(&self) -> &[ReviewGroup] {
        self.review.groups()
    }

    pub(super) fn place(&self, landmark: &str) -> Option<&Place> {
        self.gazetteer.find(landmark)
    }

    /// A photo of a group, and its path on the disk.
    pub(super) fn photo(&self, group: usize, photo: usize) -> Option<(&ReviewPhoto, PathBuf)> {
        let photo = self.groups().get(group)?.photos.get(photo)?;
        Some((photo, self.path(photo)))
    }

    pub(super) fn path(&self, photo: &ReviewPhoto) -> PathBuf {
        self.root.join(&photo.path)
    }

    /// The name of the library's folder.
    pub(super) fn library(&self) -> String {
        cairn_photo::path_text(self.root.file_name().unwrap_or(self.root.as_os_str()))
    }
}

type Question = Box<dyn FnOnce(&mut Desk<'_>) + Send>;

enum Job {
    Answer(Question),
    Stop,
}

/// Reaches the desk from other threads.
#[derive(Clone)]
pub(super) struct Bell(Sender<Job>);

/// The desk is left: the server is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left;

impl Bell {
    /// What the desk answers to a question.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Desk<'_>) -> T + Send + 'static,
    ) -> Result<T, Left> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let job = move |desk: &mut Desk<'_>| {
            // A browser that broke off wants no answer.
            drop(tell.send(question(desk)));
        };
        self.0.send(Job::Answer(Box::new(job))).map_err(|_| Left)?;
        told.await.map_err(|_| Left)
    }

    /// Has the desk answer what was asked before this, and no more.
    pub(super) fn stop(&self) {
        // A desk that is left already needs no word.
        drop(self.0.send(Job::Stop));
    }
}

/// What was asked and is not answered yet.
pub(super) struct Questions(Receiver<Job>);

/// A bell, and where its rings arrive.
pub(super) fn bell() -> (Bell, Questions) {
    let (sender, receiver) = channel();
    (Bell(sender), Questions(receiver))
}

impl Questions {
    /// Answers until the bell says stop, or is gone.
    pub(super) fn answer(self, desk: &mut Desk<'_>) {
        while let Ok(Job::Answer(question)) = self.0.recv() {
            question(desk);
        }
    }
}
