//! Checks that a training step fits into memory before it ends the process.
//!
//! An allocation that fails aborts a Rust program, and Linux more often kills it without a word. So steps on two and on
//! four photos are rehearsed and their peaks measured. Elsewhere than on Linux nothing is measured and nothing refused.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use burn::module::Module;
use burn::tensor::Device;
use cairn_nets::{Network, Precision};

use crate::TrainError;
use crate::engine::step::rehearse;

/// Photos in the rehearsals: what each photo takes is the difference, what is left over a step takes in any case.
const REHEARSED: [usize; 2] = [2, 4];

/// Refuses a batch whose step does not fit into free memory; `with_head` says whether all of the last layer learns in it. The
/// memory of GPUs is not checked.
pub(crate) fn check_fits(
    network: &Network,
    batch: usize,
    side: usize,
    precision: Precision,
    with_head: bool,
    device: &Device,
) -> Result<(), TrainError> {
    if *device != Device::flex() {
        return Ok(());
    }
    let (Some(before), Some(available)) = (resident_bytes(), available_bytes()) else { return Ok(()) };
    // On running statistics of its own: a clone would share them, and a resumed run would rehearse into them once more.
    let understudy = network.valid().train();
    let device = &device.clone().autodiff();
    let [few, more] =
        REHEARSED.map(|photos| peak_of(|| rehearse(&understudy, photos, side, precision, with_head, device)));
    let (Some(few), Some(more)) = (few, more) else { return Ok(()) };
    // Never less than the photo itself: pages that earlier work left to the allocator hide what a small network takes.
    let pixels = (3 * side * side * size_of::<f32>()) as u64;
    let photo = (more.saturating_sub(few) / (REHEARSED[1] - REHEARSED[0]) as u64).max(pixels);
    let step = few.saturating_sub(before).saturating_sub(photo * REHEARSED[0] as u64);
    let needed = step.saturating_add(photo.saturating_mul(batch as u64));
    if needed <= available {
        return Ok(());
    }
    let fitting = largest_batch(available.saturating_sub(step), photo).min(batch - 1);
    Err(TrainError::Memory { batch, needed_mib: needed >> 20, available_mib: available >> 20, fitting })
}

/// How often memory is measured during a rehearsed step.
const SAMPLE_EVERY: Duration = Duration::from_micros(200);

/// The peak of resident memory while `work` ran, in bytes.
///
/// The kernel keeps the peak of the process's whole life. It could be cleared, but it belongs to the program around this
/// library. So it counts where `work` raised it; otherwise the most that was seen from time to time does.
fn peak_of(work: impl FnOnce()) -> Option<u64> {
    let before = peak_memory()?;
    let seen = most_during(work, || resident_bytes().unwrap_or(0));
    let after = peak_memory()?;
    Some(if after > before { after } else { seen })
}

/// The most that `measure` gave while `work` ran.
fn most_during(work: impl FnOnce(), measure: impl Fn() -> u64 + Sync) -> u64 {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(measure());
                thread::sleep(SAMPLE_EVERY);
            }
            most
        });
        // Also when `work` panics: the scope waits for the thread.
        let end = EndOnDrop(&done);
        work();
        drop(end);
        watching.join().unwrap_or(0)
    })
}

struct EndOnDrop<'a>(&'a AtomicBool);

impl Drop for EndOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The largest power of two of photos that leaves an eighth of the memory free.
fn largest_batch(available: u64, photo: u64) -> usize {
    let photos = (available - available / 8) / photo.max(1);
    photos.checked_ilog2().map_or(0, |power| 1 << power)
}

fn resident_bytes() -> Option<u64> {
    status_field("VmRSS:")
}

/// The peak of resident memory of this process, in bytes; `None` on other systems than Linux.
pub fn peak_memory() -> Option<u64> {
    status_field("VmHWM:")
}

fn status_field(name: &str) -> Option<u64> {
    kibibytes(&fs::read_to_string("/proc/self/status").ok()?, name)
}

/// Free memory of the machine, or of the control group (a container) if that is less.
fn available_bytes() -> Option<u64> {
    let machine = kibibytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    let group = |file: &str| -> Option<u64> {
        fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()?.trim().parse().ok()
    };
    match (group("memory.max"), group("memory.current")) {
        (Some(most), Some(used)) => Some(machine.min(most.saturating_sub(used))),
        _ => Some(machine),
    }
}

/// The value of a `Name:   123 kB` line, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use cairn_nets::{Architecture, Init, NetworkSpec, Pooling};
    use cairn_reference::{Need, skip};

    #[test]
    fn the_suggested_batch_is_the_largest_power_of_two_that_leaves_room() {
        assert_eq!(largest_batch(1 << 30, 1 << 20), 512); // 896 photos fit
        assert_eq!(largest_batch(1 << 20, 1 << 20), 0);
        assert_eq!(largest_batch(2 << 20, 1 << 20), 1);
    }

    #[test]
    fn a_line_of_proc_is_read_in_bytes() {
        assert_eq!(kibibytes("VmPeak:\t 9 kB\nVmHWM:\t  12 kB\n", "VmHWM:"), Some(12 * 1024));
        assert_eq!(kibibytes("VmPeak:\t 9 kB\n", "VmHWM:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_keeps_its_peak_of_memory_and_what_runs_below_it_is_still_seen() {
        // Touched, so that it is resident, and given back to the system at once.
        let taken = |mib: usize| drop(std::hint::black_box(vec![1_u8; mib << 20]));
        taken(400);
        let (peak, before) = (peak_memory().unwrap(), resident_bytes().unwrap());
        let measured = AtomicUsize::new(0);
        let measure = || {
            let bytes = resident_bytes().unwrap();
            measured.fetch_add(1, Ordering::Relaxed);
            bytes
        };
        let hold = || {
            let held = std::hint::black_box(vec![1_u8; 100 << 20]);
            // The first of the two may have begun before.
            let two_more = measured.load(Ordering::Relaxed) + 2;
            while measured.load(Ordering::Relaxed) < two_more {
                thread::yield_now();
            }
            drop(held);
        };
        let seen = most_during(hold, measure);
        assert!(peak_memory().unwrap() >= peak, "the peak of the process was forgotten");
        // Other tests of this process take and give back memory meanwhile.
        assert!(seen >= before.saturating_add(20 << 20), "{seen} of {before}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_batch_far_beyond_memory_is_refused_with_one_that_fits() {
        if peak_of(|| ()).is_none() || available_bytes().is_none() {
            skip(Need::MemoryFigures, "this system does not say how much memory a process uses");
            return;
        }
        let device = Device::flex();
        let spec = NetworkSpec {
            architecture: Architecture::ThreeConv,
            classes: 2,
            side: 64,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        let network = spec.build(Init::Default, 0, &device).unwrap().train();
        let error = check_fits(&network, 1 << 40, 64, Precision::F32, true, &device).unwrap_err();
        let TrainError::Memory { fitting, .. } = error else { panic!("{error:?}") };
        // What other tests of the process take and give back meanwhile is measured too, so that the two rehearsals may
        // differ widely: what is sure to fit is little.
        let fitting = fitting.min(8);
        assert!(
            fitting > 0 && check_fits(&network, fitting, 64, Precision::F32, true, &device).is_ok(),
            "{error}"
        );
    }
}
