//! Regions of memory that are kept, and stretches cut from them.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::aligned::Line;

/// What a region has at least, in bytes. Address space, not memory: the system gives a page when it is first written to.
const REGION_BYTES: usize = 256 << 20;

static REGIONS: Mutex<Vec<Region>> = Mutex::new(Vec::new());

fn regions() -> MutexGuard<'static, Vec<Region>> {
    // Nothing in here panics half-way.
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that is never handed back to the system.
#[derive(Debug)]
struct Region {
    start: NonNull<Line>,
    gaps: Gaps,
}

// SAFETY: the pointer is an address alone; what lies there belongs to the stretches.
unsafe impl Send for Region {}

impl Region {
    /// All zero.
    fn new(lines: usize) -> Self {
        // Aligned as the system's allocator does by itself: for more, the standard library would write the zeros, and so
        // touch every page.
        let layout = Layout::array::<u128>((lines + 1) * (size_of::<Line>() / size_of::<u128>()));
        let layout = layout.expect("no map is half of all addresses long");
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start).unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: less than a line, of which there is one more than asked for.
        let start = unsafe { start.add(start.align_offset(align_of::<Line>())) };
        Self { start: start.cast(), gaps: Gaps::one(lines) }
    }

    fn cut(&mut self, lines: usize) -> Option<(usize, NonNull<[Line]>)> {
        let first = self.gaps.cut(lines)?;
        // SAFETY: a line of this region.
        let start = unsafe { self.start.add(first) };
        Some((first, NonNull::slice_from_raw_parts(start, lines)))
    }
}

/// A part of a region that nobody else has. What it holds at first is left from before.
#[derive(Debug)]
pub(super) struct Stretch {
    lines: NonNull<[Line]>,
    region: usize,
    first: usize,
}

// SAFETY: a stretch is the only way to its lines, as a box is to what is in it.
unsafe impl Send for Stretch {}
// SAFETY: as above.
unsafe impl Sync for Stretch {}

impl Stretch {
    /// So many lines, at least one, from the first region that has room for them.
    pub(super) fn of(lines: usize) -> Self {
        let mut regions = regions();
        let found = regions.iter_mut().enumerate().find_map(|(at, region)| Some((at, region.cut(lines)?)));
        let (region, (first, lines)) = found.unwrap_or_else(|| {
            let mut region = Region::new(lines.max(REGION_BYTES / size_of::<Line>()));
            let cut = region.cut(lines).expect("it is as large as that, and new");
            regions.push(region);
            (regions.len() - 1, cut)
        });
        Self { lines, region, first }
    }
}

impl Drop for Stretch {
    fn drop(&mut self) {
        regions()[self.region].gaps.fill(self.first, self.lines.len());
    }
}

impl Deref for Stretch {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        // SAFETY: initialised since the region was made, there for as long as the program, and nobody else's.
        unsafe { self.lines.as_ref() }
    }
}

impl DerefMut for Stretch {
    fn deref_mut(&mut self) -> &mut [Line] {
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { self.lines.as_mut() }
    }
}

/// What is free of a region: the lengths of gaps by where they begin, with something in use between any two.
#[derive(Debug)]
struct Gaps {
    lengths: BTreeMap<usize, usize>,
}

impl Gaps {
    fn one(length: usize) -> Self {
        Self { lengths: BTreeMap::from([(0, length)]) }
    }

    /// Takes from the first gap that is long enough: so what is in use lies close together, and the rest is never touched.
    fn cut(&mut self, length: usize) -> Option<usize> {
        let (&start, &gap) = self.lengths.iter().find(|(_, gap)| **gap >= length)?;
        self.lengths.remove(&start);
        if gap > length {
            self.lengths.insert(start + length, gap - length);
        }
        Some(start)
    }

    /// Gives back what was cut, and makes one of the gaps that then meet.
    fn fill(&mut self, mut start: usize, mut length: usize) {
        if let Some(next) = self.lengths.remove(&(start + length)) {
            length += next;
        }
        if let Some((&before, &gap)) = self.lengths.range(..start).next_back()
            && before + gap == start
        {
            (start, length) = (before, gap + length);
        }
        self.lengths.insert(start, length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_never_overlap_and_what_comes_back_is_one_gap_again() {
        let total = 1000;
        let mut gaps = Gaps::one(total);
        let mut owners = vec![None; total];
        let mut cut: Vec<(usize, usize)> = Vec::new();
        // Lengths and places that follow no pattern, the same in every run.
        let mut state = 1_u32;
        let mut next = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for round in 0..2000 {
            let length = 1 + next(60);
            if let Some(start) = gaps.cut(length) {
                for owner in &mut owners[start..start + length] {
                    assert_eq!(owner.replace(round), None, "cut twice");
                }
                cut.push((start, length));
            }
            while cut.len() > 20 {
                let (start, length) = cut.swap_remove(next(cut.len()));
                owners[start..start + length].fill(None);
                gaps.fill(start, length);
            }
            let free: usize = gaps.lengths.values().sum();
            assert_eq!(free, owners.iter().filter(|owner| owner.is_none()).count());
        }
        for (start, length) in cut {
            gaps.fill(start, length);
        }
        assert_eq!(gaps.lengths, BTreeMap::from([(0, total)]));
    }

    #[test]
    fn the_lowest_gap_that_is_long_enough_is_taken() {
        let mut gaps = Gaps::one(100);
        let [first, _, third, _] = [10, 5, 30, 5].map(|length| gaps.cut(length).expect("there is room"));
        gaps.fill(first, 10);
        gaps.fill(third, 30);
        assert_eq!(gaps.cut(20), Some(third));
        assert_eq!(gaps.cut(10), Some(first));
        assert_eq!(gaps.cut(10), Some(third + 20));
        assert_eq!(gaps.cut(51), None);
    }

    #[test]
    fn stretches_longer_than_a_region_get_one_of_their_own() {
        let lines = REGION_BYTES / size_of::<Line>() + 1;
        let mut stretch = Stretch::of(lines);
        assert_eq!(stretch.len(), lines);
        stretch[lines - 1] = Line::ZERO;
    }
}
