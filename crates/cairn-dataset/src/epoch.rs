//! One epoch under way: worker threads that prepare photos ahead, and the iterator that hands out batches in order.
//!
//! The unit of work is a photo, not a batch, so that all workers hasten the batch that is awaited. The iterator
//! hands photos to the workers, never more than `prefetch` batches ahead: that is what bounds the memory. Whichever
//! worker puts the last photo into a batch sends the batch to the iterator, which puts the batches in order.

use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cairn_photo::{ReadSize, TestViews};
use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::filling::{BatchPlans, Filling};
use crate::pixels::SparePixels;
use crate::rng::photo_rng;
use crate::{BadPhoto, Batch, Example, InputSize, PhotoCache, View};

/// The batches of an epoch, in order. Dropping it stops the workers after the photo in their hands.
#[derive(Debug)]
pub struct Epoch {
    /// Batches that the workers have not been given yet.
    ahead: BatchPlans,
    /// Batches that the workers have been given and that are not handed out yet.
    under_way: usize,
    /// Batches finished before their turn.
    early: BTreeMap<usize, Batch>,
    /// The number of the batch to hand out next.
    next: usize,
    prefetch: usize,
    size: InputSize,
    views: usize,
    memory: Arc<SparePixels>,
    jobs: Option<Sender<Job>>,
    finished: Receiver<Batch>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
    waited: Duration,
}

/// One photo to be put into its batch.
#[derive(Debug)]
struct Job {
    filling: Arc<Mutex<Filling>>,
    position: usize,
    example: usize,
}

impl Epoch {
    /// Starts the workers on the first of these batches.
    pub(crate) fn start(
        work: PhotoWork,
        batches: BatchPlans,
        memory: Arc<SparePixels>,
        workers: usize,
        prefetch: usize,
    ) -> Epoch {
        let (jobs, jobs_of_workers) = unbounded();
        let (finished_of_workers, finished) = unbounded();
        let stop = Arc::new(AtomicBool::new(false));
        let (size, views) = (work.size, work.views.count());
        let work = Arc::new(work);
        let workers = (0..workers)
            .map(|_| {
                let (work, stop) = (Arc::clone(&work), Arc::clone(&stop));
                let (jobs, finished) = (jobs_of_workers.clone(), finished_of_workers.clone());
                thread::spawn(move || work.run(&jobs, &finished, &stop))
            })
            .collect();
        let mut epoch = Epoch {
            next: batches.batches.start,
            ahead: batches,
            under_way: 0,
            early: BTreeMap::new(),
            prefetch,
            size,
            views,
            memory,
            jobs: Some(jobs),
            finished,
            stop,
            workers,
            waited: Duration::ZERO,
        };
        epoch.hand_to_workers(prefetch);
        epoch
    }

    /// How long [`Iterator::next`] has waited for data, in all.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Hands batches to the workers until `count` are under way.
    fn hand_to_workers(&mut self, count: usize) {
        let Some(jobs) = &self.jobs else { return };
        while self.under_way < count {
            let Some(plan) = self.ahead.next() else { return };
            let examples = plan.examples.clone();
            let filling = Arc::new(Mutex::new(Filling::new(plan, self.size, self.views, &self.memory)));
            for (position, example) in examples.into_iter().enumerate() {
                // Sending fails only once every worker is gone, and then `next` says so.
                let _ = jobs.send(Job { filling: Arc::clone(&filling), position, example });
            }
            self.under_way += 1;
        }
    }

    fn stop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the workers that wait for a job.
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker cannot fail: it catches the panics of its photos.
            let _ = worker.join();
        }
    }
}

impl Iterator for Epoch {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        self.hand_to_workers(self.prefetch.saturating_add(1));
        if self.under_way == 0 {
            self.stop();
            return None;
        }
        let asked = Instant::now();
        let batch = loop {
            if let Some(batch) = self.early.remove(&self.next) {
                break batch;
            }
            // The workers run until `stop`, which only this thread calls, and catch every photo's panic.
            let batch = self.finished.recv().expect("workers outlive the batches under way");
            self.early.insert(batch.number, batch);
        };
        self.waited += asked.elapsed();
        self.next += 1;
        self.under_way -= 1;
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.ahead.len() + self.under_way;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Epoch {}
impl FusedIterator for Epoch {}

impl Drop for Epoch {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the workers of an epoch do to a photo.
#[derive(Debug)]
pub(crate) struct PhotoWork {
    pub(crate) examples: Arc<[Example]>,
    pub(crate) view: Arc<View>,
    pub(crate) read_size: ReadSize,
    pub(crate) views: TestViews,
    pub(crate) cache: Arc<PhotoCache>,
    pub(crate) size: InputSize,
    pub(crate) seed: u64,
    pub(crate) epoch: usize,
}

impl PhotoWork {
    /// A worker's life: photo after photo, until there are no more or it is told to stop.
    fn run(&self, jobs: &Receiver<Job>, finished: &Sender<Batch>, stop: &AtomicBool) {
        let mut pixels = vec![0.0; self.views.count() * self.size.numbers()];
        for Job { filling, position, example } in jobs {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let example = &self.examples[example];
            let photo = self.prepare(example, &mut pixels).map(|()| pixels.as_slice());
            // Held for one copy. No panic can happen meanwhile that would leave the batch half filled.
            let batch = filling.lock().unwrap_or_else(PoisonError::into_inner).put(position, example, photo);
            if let Some(batch) = batch {
                // Nobody listens any more once the epoch is dropped.
                let _ = finished.send(batch);
            }
        }
    }

    /// Reads the photo and writes it to `pixels` (`[views, 3, height, width]`) as the network sees it.
    fn prepare(&self, example: &Example, pixels: &mut [f32]) -> Result<(), BadPhoto> {
        let photo = self.cache.read(&example.place, self.read_size)?;
        BadPhoto::guard(&example.place, || {
            match &*self.view {
                View::Train { .. } => {
                    let mut rng = photo_rng(self.seed, self.epoch, &example.relative_path());
                    self.view.write_chw(&photo, &mut rng, pixels);
                }
                View::Test(preprocess) => {
                    let views = preprocess.views(&photo, self.views);
                    for (view, pixels) in views.iter().zip(pixels.chunks_exact_mut(self.size.numbers())) {
                        preprocess.normalisation.write_chw(view, pixels);
                    }
                }
            }
            Ok(())
        })
    }
}
