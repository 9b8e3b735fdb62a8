//! One budget of memory for all threads that decode photos.

use std::cell::Cell;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};

/// The environment variable that sets the budget, in megabytes.
const VARIABLE: &str = "CAIRN_DECODE_MEMORY";

/// The budget where the memory of the machine is not known.
const UNKNOWN_MACHINE: u64 = 1 << 30;

/// How much memory all threads together may use to decode photos.
///
/// A reader asks for what a photo takes (by the file's header) before it decodes it, and waits until there is room.
/// Readers are served in the order in which they ask, so that a large photo is not passed over forever.
///
/// No two readers can wait for each other: a thread gives back all it holds before it asks for more, and a thread that
/// holds something already (as a thread pool's may that runs a second photo while it waits within a first) gets what it
/// asks for without waiting.
#[derive(Debug)]
pub struct MemoryBudget {
    total: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    /// The number of the next reader to come, and of the one whose turn it is.
    next: u64,
    turn: u64,
}

thread_local! {
    /// How many reservations this thread holds.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

impl MemoryBudget {
    /// A budget of `total` bytes.
    pub fn new(total: u64) -> MemoryBudget {
        MemoryBudget { total, state: Mutex::default(), changed: Condvar::new() }
    }

    /// The budget of this process: as many megabytes as the environment variable `CAIRN_DECODE_MEMORY` says, else a
    /// quarter of the memory of the machine or of the process's control group, whichever is less; 1 GiB where neither is
    /// known (on other systems than Linux).
    pub fn of_process() -> &'static MemoryBudget {
        static BUDGET: LazyLock<MemoryBudget> = LazyLock::new(|| {
            let set = std::env::var(VARIABLE).ok().and_then(|value| value.trim().parse::<u64>().ok());
            let of_machine = || memory_of_process(Path::new("/")).map_or(UNKNOWN_MACHINE, |bytes| bytes / 4);
            MemoryBudget::new(set.map_or_else(of_machine, |megabytes| megabytes.saturating_mul(1_000_000)))
        });
        &BUDGET
    }

    /// All bytes of the budget.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that are reserved now.
    pub fn used(&self) -> u64 {
        self.lock().used
    }

    /// Waits until there is room for `bytes` and reserves them; `None` if they are more than the whole budget.
    pub fn reserve(&self, bytes: u64) -> Option<Reservation<'_>> {
        if bytes > self.total {
            return None;
        }
        let mut state = self.lock();
        if HELD.get() == 0 {
            let ticket = state.next;
            state.next += 1;
            while state.turn != ticket || state.used + bytes > self.total {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.turn += 1;
            // The next in line may have room, too.
            self.changed.notify_all();
        }
        state.used += bytes;
        HELD.set(HELD.get() + 1);
        Some(Reservation { budget: self, bytes, of_this_thread: PhantomData })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Sums of numbers: a panic elsewhere leaves them whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Memory that a reader may use. It is given back when this is dropped, on the thread that reserved it.
#[derive(Debug)]
pub struct Reservation<'a> {
    budget: &'a MemoryBudget,
    bytes: u64,
    of_this_thread: PhantomData<*const ()>,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
        self.budget.lock().used -= self.bytes;
        self.budget.changed.notify_all();
    }
}

/// Bytes of memory that this process may use, by Linux's files under `root`: those of the machine, or fewer where a
/// control group has a limit.
fn memory_of_process(root: &Path) -> Option<u64> {
    let machine =
        std::fs::read_to_string(root.join("proc/meminfo")).ok().and_then(|text| total_memory(&text));
    let groups = std::fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().filter_map(|line| {
        // Number, controllers, path. Version 2 has the number 0 and no controllers.
        let mut fields = line.splitn(3, ':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        if number == "0" && controllers.is_empty() {
            least_limit(&root.join("sys/fs/cgroup"), path, "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            least_limit(&root.join("sys/fs/cgroup/memory"), path, "memory.limit_in_bytes")
        } else {
            None
        }
    });
    limits.chain(machine).min()
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The least limit of the control group at `path` and of those around it. Within a container the path may be that of
/// the machine outside, and the group be mounted at the root.
fn least_limit(mount: &Path, path: &str, file: &str) -> Option<u64> {
    let group = mount.join(path.trim_start_matches('/'));
    let groups = group.ancestors().take_while(|group| group.starts_with(mount));
    // "max" is no number.
    groups.filter_map(|group| std::fs::read_to_string(group.join(file)).ok()?.trim().parse().ok()).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    #[test]
    fn a_reader_waits_until_there_is_room() {
        let budget = MemoryBudget::new(100);
        let first = budget.reserve(70).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| budget.reserve(40).map(|_| budget.used()));
            std::thread::sleep(Duration::from_millis(50));
            assert!(!second.is_finished());
            drop(first);
            assert_eq!(second.join().unwrap(), Some(40));
        });
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn more_than_the_whole_budget_is_refused_at_once() {
        let budget = MemoryBudget::new(100);
        assert!(budget.reserve(101).is_none());
        assert!(budget.reserve(100).is_some());
    }

    #[test]
    fn a_large_photo_is_not_passed_over_by_small_ones() {
        let budget = MemoryBudget::new(100);
        let first = budget.reserve(60).unwrap();
        let served = Mutex::new(Vec::new());
        let mut asked = budget.lock().next;
        std::thread::scope(|scope| {
            // 20 bytes are free now, but not beside 90: whoever is served second waits for the first to end.
            for bytes in [90, 20] {
                let (budget, served) = (&budget, &served);
                scope.spawn(move || {
                    let held = budget.reserve(bytes);
                    served.lock().unwrap().push(bytes);
                    drop(held);
                });
                asked += 1;
                while budget.lock().next < asked {
                    std::thread::yield_now();
                }
            }
            std::thread::sleep(Duration::from_millis(50));
            assert!(served.lock().unwrap().is_empty(), "20 bytes were there, but 90 were asked for before");
            drop(first);
        });
        assert_eq!(*served.lock().unwrap(), [90, 20]);
    }

    #[test]
    fn a_thread_that_holds_memory_already_never_waits() {
        let budget = MemoryBudget::new(100);
        let _first = budget.reserve(90).unwrap();
        let second = budget.reserve(90).unwrap();
        assert_eq!(budget.used(), 180);
        drop(second);
        assert_eq!(budget.used(), 90);
    }

    #[test]
    fn many_threads_never_use_more_than_the_budget_and_all_end() {
        let budget = MemoryBudget::new(1000);
        let most = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (budget, most) = (&budget, &most);
                scope.spawn(move || {
                    for round in 0..200 {
                        let held = budget.reserve(1 + (thread * 131 + round * 37) % 1000);
                        most.fetch_max(budget.used(), Ordering::Relaxed);
                        drop(held);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 1000);
        assert_eq!(budget.used(), 0);
    }

    /// A folder that looks like the root of a Linux machine with 8 GiB.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::TempDir::new().unwrap();
        for (name, text) in files.iter().chain([&("proc/meminfo", "MemTotal:  8388608 kB\nMemFree: 1 kB\n")])
        {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_memory_of_the_process_is_the_machines_or_the_control_groups() {
        let gibibytes = |files: &[(&str, &str)]| memory_of_process(machine(files).path()).unwrap() >> 30;
        assert_eq!(gibibytes(&[]), 8);
        let second = ("proc/self/cgroup", "0::/user/job\n");
        assert_eq!(gibibytes(&[second, ("sys/fs/cgroup/user/job/memory.max", "max\n")]), 8);
        assert_eq!(gibibytes(&[second, ("sys/fs/cgroup/user/job/memory.max", "2147483648\n")]), 2);
        assert_eq!(
            gibibytes(&[second, ("sys/fs/cgroup/user/memory.max", "1073741824\n")]),
            1,
            "of a group around it"
        );
        assert_eq!(gibibytes(&[second, ("sys/fs/cgroup/memory.max", "3221225472\n")]), 3, "in a container");
        let first = ("proc/self/cgroup", "3:cpu:/a\n5:memory,hugetlb:/job\n0::/\n");
        assert_eq!(
            gibibytes(&[first, ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824\n")]),
            1
        );
        assert_eq!(
            gibibytes(&[first, ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n")]),
            8
        );
        assert_eq!(memory_of_process(Path::new("/no such folder")), None);
    }
}
