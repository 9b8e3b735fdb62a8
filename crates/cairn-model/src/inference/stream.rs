//! A stream of photos: worker threads take each from its file to an answer, so that decoding and the network overlap.
//!
//! A worker computes on its own thread alone. Many photos on one thread each take less time than one photo on many threads:
//! no layer waits for the slowest of them.

use std::any::Any;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::ThreadPoolBuilder;

use super::load::PhotoSource;

/// Photos that are taken from the stream for each worker, before the first of them is done: one large photo keeps no worker
/// waiting, and few photos or answers are in memory.
const PHOTOS_EACH: usize = 8;

/// What a worker does to a photo.
type Work<T> = dyn Fn(PhotoSource) -> T + Send + Sync;

/// A photo, and where its answer goes: what the work gave, or the panic that ended it.
struct Task<T> {
    photo: PhotoSource,
    answer: SyncSender<Result<T, Box<dyn Any + Send>>>,
}

/// The answers to a stream of photos, in the order of the photos. No more than some photos for each worker are taken from
/// `photos` ahead of the answers.
pub(super) struct Stream<I, T> {
    photos: I,
    work: Arc<Work<T>>,
    most_workers: usize,
    workers: usize,
    tasks: Sender<Task<T>>,
    queue: Arc<Mutex<Receiver<Task<T>>>>,
    /// Of the photos that were taken, in order.
    answers: VecDeque<Receiver<Result<T, Box<dyn Any + Send>>>>,
}

impl<I, T> Stream<I, T>
where
    I: Iterator,
    I::Item: Into<PhotoSource>,
    T: Send + 'static,
{
    /// Does `work` to each of `photos` on this number of `threads`.
    pub(super) fn new(
        photos: I,
        threads: NonZeroUsize,
        work: impl Fn(PhotoSource) -> T + Send + Sync + 'static,
    ) -> Self {
        let (tasks, queue) = channel();
        Self {
            photos,
            work: Arc::new(work),
            most_workers: threads.get(),
            workers: 0,
            tasks,
            queue: Arc::new(Mutex::new(queue)),
            answers: VecDeque::new(),
        }
    }

    /// Gives photos to workers until enough are on their way.
    fn feed(&mut self) {
        while self.answers.len() < self.most_workers * PHOTOS_EACH {
            let Some(photo) = self.photos.next() else { return };
            if self.workers < self.most_workers {
                self.start_worker();
            }
            let (answer, receiver) = sync_channel(1);
            self.answers.push_back(receiver);
            // The queue lives as long as this does.
            drop(self.tasks.send(Task { photo: photo.into(), answer }));
        }
    }

    /// Starts another worker. One that the system does not let start is done without, unless it is the first.
    fn start_worker(&mut self) {
        let pool = ThreadPoolBuilder::new().num_threads(1).thread_name(|_| "photo".to_owned()).build();
        match pool {
            Ok(pool) => {
                let (queue, work) = (Arc::clone(&self.queue), Arc::clone(&self.work));
                // The pool ends after its last job, which this is.
                pool.spawn(move || run(&queue, &*work));
                self.workers += 1;
            }
            Err(error) if self.workers == 0 => panic!("no thread can be started: {error}"),
            Err(_) => self.most_workers = self.workers,
        }
    }
}

/// A worker's life: until no photo can come any more.
fn run<T>(queue: &Mutex<Receiver<Task<T>>>, work: &Work<T>) {
    loop {
        // Nothing is half done under the lock.
        let task = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Task { photo, answer }) = task else { return };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(photo)));
        // Whoever asked may have lost interest.
        drop(answer.send(outcome));
    }
}

impl<I, T> Iterator for Stream<I, T>
where
    I: Iterator,
    I::Item: Into<PhotoSource>,
    T: Send + 'static,
{
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.feed();
        let answer = self.answers.pop_front()?.recv();
        match answer.expect("a worker answers each photo, even by a panic") {
            Ok(answer) => Some(answer),
            Err(panic) => resume_unwind(panic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_photo::Photo;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn photos(count: u32) -> impl Iterator<Item = Photo> {
        (1..=count).map(|width| Photo::filled(width, 1, [0; 3]))
    }

    fn width(source: PhotoSource) -> u32 {
        let PhotoSource::Pixels(photo) = source else { unreachable!("pixels were given") };
        photo.width()
    }

    fn threads(count: usize) -> NonZeroUsize {
        NonZeroUsize::new(count).unwrap()
    }

    #[test]
    fn answers_come_in_the_order_of_the_photos_whichever_is_done_first() {
        for count in [1, 3, 8] {
            let slow_at_first = |source| {
                let width = width(source);
                std::thread::sleep(Duration::from_micros(u64::from(60 - width) * 30));
                width
            };
            let answers: Vec<u32> = Stream::new(photos(60), threads(count), slow_at_first).collect();
            assert_eq!(answers, (1..=60).collect::<Vec<_>>(), "{count} threads");
        }
    }

    #[test]
    fn no_more_photos_are_taken_than_are_wanted_soon_and_work_ends_with_the_stream() {
        let taken = AtomicUsize::new(0);
        let counted = photos(1000).inspect(|_| {
            taken.fetch_add(1, Ordering::Relaxed);
        });
        let mut stream = Stream::new(counted, threads(2), width);
        assert_eq!(stream.by_ref().take(3).count(), 3);
        let most = 3 + 2 * PHOTOS_EACH;
        assert!(taken.load(Ordering::Relaxed) <= most, "{taken:?}");
        let work = Arc::downgrade(&stream.work);
        drop(stream);
        // Workers hold the work until they notice.
        while work.strong_count() > 0 {
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_panic_of_the_work_reaches_the_one_who_asked() {
        let stream = Stream::new(photos(3), threads(2), |source| assert_ne!(width(source), 2, "the second"));
        let caught = catch_unwind(AssertUnwindSafe(|| stream.count()));
        assert!(caught.is_err());
    }

    #[test]
    fn a_worker_computes_on_its_own_thread() {
        let pools: Vec<usize> =
            Stream::new(photos(4), threads(2), |_| rayon::current_num_threads()).collect();
        assert_eq!(pools, [1; 4]);
    }
}
