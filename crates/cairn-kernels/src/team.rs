//! How the tasks of a layer are spread over threads: over the rayon pool, over a team that stays awake, or not at all.
//!
//! A layer of a small network, on one photo, takes some microseconds: less than it takes to wake a thread that waits in the
//! pool. So a thread that has a whole network to compute takes the others of the pool into its [`Team`] for as long: between
//! layers they spin, and begin with a task within a fraction of a microsecond.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::disjoint_slice::DisjointSlice;

/// Where the tasks of a layer go that this thread begins.
#[derive(Clone, Copy)]
enum Spread {
    /// To the current rayon pool.
    Pool,
    /// To this team, which this thread leads.
    Team(*const Team),
    /// Nowhere: this thread does them all.
    Alone,
}

thread_local! {
    static SPREAD: Cell<Spread> = const { Cell::new(Spread::Pool) };
}

/// Does `work` with tasks spread in this way.
fn spreading<T>(spread: Spread, work: impl FnOnce() -> T) -> T {
    /// Puts back what was.
    struct Before(Spread);
    impl Drop for Before {
        fn drop(&mut self) {
            SPREAD.set(self.0);
        }
    }
    let _before = Before(SPREAD.replace(spread));
    work()
}

/// Runs `work` on a thread of the current rayon pool, as [`in_pool`](crate::in_pool) does, and keeps the pool's other threads
/// awake until it ends, so that convolutions and pools in it begin on all of them at once.
///
/// It is for one photo's way through a network: some milliseconds in which threads spin when they have nothing to do. Threads
/// that are busy with other work do not join, and nothing waits for them.
pub fn in_team<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let team = Team::default();
    rayon::scope(|scope| {
        if !matches!(SPREAD.get(), Spread::Pool) {
            return work();
        }
        let others = rayon::current_num_threads() - 1;
        if others == 0 {
            return spreading(Spread::Alone, work);
        }
        let _ends = EndOnDrop(&team);
        for _ in 0..others {
            scope.spawn(|_| team.help());
        }
        spreading(Spread::Team(&raw const team), work)
    })
}

/// Does `work` on this thread alone: convolutions and pools in it do not spread their tasks. For parts of a batch, of which every
/// thread has one.
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    spreading(Spread::Alone, work)
}

/// Does tasks `0..count`, in any order, on all threads that the calling thread has at hand. It returns when all are done.
pub(crate) fn spread(count: usize, task: impl Fn(usize) + Sync) {
    match SPREAD.get() {
        Spread::Pool if count > 1 => (0..count).into_par_iter().with_max_len(1).for_each(&task),
        // SAFETY: a team lives while its leader has it for a place to spread to: `in_team` puts back what was before.
        Spread::Team(team) if count > 1 => unsafe { &*team }.spread(count, &task),
        _ => (0..count).for_each(task),
    }
}

/// Hands out chunks of `values`, with the index of each, to tasks; the last may be shorter.
pub(crate) fn spread_chunks<T: Send>(values: &mut [T], len: usize, task: impl Fn(usize, &mut [T]) + Sync) {
    let all = values.len();
    let values = DisjointSlice::new(values);
    spread(all.div_ceil(len), |index| {
        // SAFETY: every chunk is a part of its own.
        task(index, unsafe { values.part(index * len..all.min((index + 1) * len)) });
    });
}

/// The same for what is made of `input`, which is as long: each task has a chunk of it, and the same chunk of `output`.
pub(crate) fn spread_map<T: Sync, U: Send>(
    input: &[T],
    output: &mut [U],
    len: usize,
    task: impl Fn(&[T], &mut [U]) + Sync,
) {
    spread_chunks(output, len, |index, output| task(&input[index * len..][..output.len()], output));
}

/// Over how many threads tasks are spread.
pub(crate) fn threads() -> usize {
    match SPREAD.get() {
        Spread::Alone => 1,
        Spread::Pool | Spread::Team(_) => rayon::current_num_threads(),
    }
}

/// Tasks that a leader hands to threads that wait for them.
///
/// `claims` has, in its lower half, how many tasks of the present job nobody has taken yet, and the job's number in its upper
/// half. Whoever lowers it by one has taken a task; and the leader, who waits until all tasks are done, keeps the job in place.
#[derive(Default)]
struct Team {
    claims: AtomicU64,
    /// Tasks that are not done.
    left: AtomicUsize,
    job: UnsafeCell<Option<Job>>,
    ended: AtomicBool,
    /// Why a task of the present job panicked.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// A function of a task's number, and what it has borrowed.
#[derive(Clone, Copy)]
struct Job {
    count: usize,
    run: unsafe fn(*const (), usize),
    task: *const (),
}

// SAFETY: the leader alone writes `job`, when no task is left to take; others read it only when they have taken one, which they
// learn through `claims`. The task that it points to is `Sync`.
unsafe impl Sync for Team {}
// SAFETY: as above: what `job` points to may be used from any thread.
unsafe impl Send for Team {}

/// Spins for a while, then lets other threads of the machine run in between.
#[derive(Default)]
struct Spin(u32);

impl Spin {
    fn wait(&mut self) {
        /// About a tenth of a millisecond.
        const PATIENCE: u32 = 4_000;
        if self.0 < PATIENCE {
            self.0 += 1;
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}

impl Team {
    /// The leader's part: hands out tasks, takes some too, and waits for all.
    fn spread<F: Fn(usize) + Sync>(&self, count: usize, task: &F) {
        /// # Safety
        /// `task` must be a `&F` that is alive.
        unsafe fn run<F: Fn(usize)>(task: *const (), index: usize) {
            // SAFETY: as the caller promises.
            unsafe { (*task.cast::<F>())(index) }
        }
        let waiting =
            u32::try_from(count).unwrap_or_else(|_| panic!("{count} tasks are too many for a layer"));
        // SAFETY: all tasks of the job before are done, so nobody reads it.
        unsafe { *self.job.get() = Some(Job { count, run: run::<F>, task: (&raw const *task).cast() }) };
        self.left.store(count, Ordering::Relaxed);
        let number = (self.claims.load(Ordering::Relaxed) >> 32).wrapping_add(1);
        self.claims.store(number << 32 | u64::from(waiting), Ordering::Release);
        while self.take_one() {}
        let mut spin = Spin::default();
        while self.left.load(Ordering::Acquire) > 0 {
            spin.wait();
        }
        if let Some(panic) = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take() {
            resume_unwind(panic);
        }
    }

    /// Takes a task and does it, if one is left.
    fn take_one(&self) -> bool {
        let mut claims = self.claims.load(Ordering::Acquire);
        let waiting = loop {
            let waiting = claims as u32;
            if waiting == 0 {
                return false;
            }
            match self.claims.compare_exchange_weak(claims, claims - 1, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break waiting as usize,
                Err(now) => claims = now,
            }
        };
        // SAFETY: a task of this job is taken and not done: until then the leader neither changes the job nor lets go of what
        // it borrows.
        let Some(job) = (unsafe { *self.job.get() }) else { unreachable!("tasks come with a job") };
        // SAFETY: as above.
        let done = || spreading(Spread::Alone, || unsafe { (job.run)(job.task, job.count - waiting) });
        if let Err(panic) = catch_unwind(AssertUnwindSafe(done)) {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
        self.left.fetch_sub(1, Ordering::Release);
        true
    }

    /// Everybody else's part: does tasks until the leader ends it.
    fn help(&self) {
        let mut spin = Spin::default();
        while !self.ended.load(Ordering::Relaxed) {
            match self.take_one() {
                true => spin = Spin::default(),
                false => spin.wait(),
            }
        }
    }
}

/// Lets a team's helpers go, also when its leader panics.
struct EndOnDrop<'a>(&'a Team);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(work)
    }

    /// How often each of so many tasks was done.
    fn counts(count: usize) -> Vec<usize> {
        let done: Vec<AtomicUsize> = (0..count).map(|_| AtomicUsize::new(0)).collect();
        spread(count, |task| {
            done[task].fetch_add(1, Ordering::Relaxed);
        });
        done.into_iter().map(AtomicUsize::into_inner).collect()
    }

    #[test]
    fn every_task_is_done_once_however_they_are_spread() {
        for threads in [1, 2, 3] {
            on_threads(threads, || {
                for count in [0, 1, 2, 3, 7, 100] {
                    assert_eq!(counts(count), vec![1; count], "in the pool");
                    assert_eq!(alone(|| counts(count)), vec![1; count], "alone");
                    in_team(|| {
                        for _ in 0..50 {
                            assert_eq!(counts(count), vec![1; count], "in a team of {threads}");
                        }
                    });
                }
            });
        }
    }

    #[test]
    fn chunks_are_handed_out_whole_and_the_last_one_shorter() {
        let mut values = [0; 10];
        in_team(|| spread_chunks(&mut values, 4, |index, chunk| chunk.fill(10 * index + chunk.len())));
        assert_eq!(values, [4, 4, 4, 4, 14, 14, 14, 14, 22, 22]);
    }

    #[test]
    fn each_chunk_of_an_output_is_made_of_its_own_of_the_input() {
        let input: Vec<usize> = (0..11).collect();
        let mut output = vec![0; 11];
        in_team(|| {
            spread_map(&input, &mut output, 4, |input, output| {
                output.iter_mut().zip(input).for_each(|(to, from)| *to = from * from);
            });
        });
        assert_eq!(output, input.iter().map(|value| value * value).collect::<Vec<_>>());
    }

    #[test]
    fn alone_every_task_is_done_by_the_thread_that_begins_them() {
        let this = std::thread::current().id();
        alone(|| spread(20, |_| assert_eq!(std::thread::current().id(), this)));
        assert_eq!(alone(threads), 1);
    }

    #[test]
    fn tasks_of_a_task_are_done_where_it_is() {
        let done = AtomicUsize::new(0);
        in_team(|| {
            spread(3, |_| {
                spread(4, |_| {
                    done.fetch_add(1, Ordering::Relaxed);
                });
            });
        });
        assert_eq!(done.into_inner(), 12);
    }

    #[test]
    fn a_panic_reaches_the_leader_when_all_tasks_are_done_and_the_team_goes_on() {
        on_threads(3, || {
            in_team(|| {
                let done = AtomicUsize::new(0);
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    spread(9, |task| {
                        done.fetch_add(1, Ordering::Relaxed);
                        assert!(task != 4, "the fifth");
                    });
                }));
                let message = caught.expect_err("the fifth");
                assert_eq!(message.downcast_ref::<&str>(), Some(&"the fifth"));
                assert_eq!(done.into_inner(), 9);
                assert_eq!(counts(5), vec![1; 5]);
            });
            assert_eq!(counts(5), vec![1; 5]);
        });
    }

    #[test]
    fn teams_within_a_team_and_beside_another_do_their_own() {
        on_threads(2, || {
            (0..8).into_par_iter().for_each(|count| {
                in_team(|| {
                    assert_eq!(counts(count), vec![1; count]);
                    assert_eq!(in_team(|| counts(count)), vec![1; count]);
                });
            });
        });
    }
}
