//! An arena: regions of memory that are kept, and blocks cut from them.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::aligned::Line;

/// The least size of a region in bytes. It is address space, not memory: the system gives a page when it is first
/// written to.
const REGION_BYTES: usize = if cfg!(miri) { 1 << 20 } else { 256 << 20 };

/// Memory that is kept from one block to the next.
#[derive(Debug)]
pub(super) struct Arena {
    /// A region's index is its blocks' name for it, so a region that was freed leaves a hole.
    regions: Mutex<Vec<Option<Region>>>,
}

impl Arena {
    pub(super) const fn new() -> Self {
        Self { regions: Mutex::new(Vec::new()) }
    }

    fn regions(&self) -> MutexGuard<'_, Vec<Option<Region>>> {
        // Nothing in here panics half-way.
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of at least one line, from the first region that has room for it.
    pub(super) fn cut(&'static self, lines: usize) -> Block {
        let mut regions = self.regions();
        let found = regions.iter_mut().enumerate().find_map(|(at, region)| {
            let cut = region.as_mut()?.cut(lines)?;
            Some((at, cut))
        });
        let (region, (first, lines)) = found.unwrap_or_else(|| {
            let mut region = Region::new(lines.max(REGION_BYTES / size_of::<Line>()));
            let cut = region.cut(lines).expect("a new region is as large as the block");
            let at = regions.iter().position(Option::is_none).unwrap_or(regions.len());
            if at == regions.len() {
                regions.push(None);
            }
            regions[at] = Some(region);
            (at, cut)
        });
        Block { arena: self, lines, region, first }
    }

    /// Frees regions without blocks, and gives the pages between the blocks of the others back to the system.
    pub(super) fn trim(&self) {
        for region in self.regions().iter_mut() {
            match region {
                Some(used) if used.gaps.are_all(used.lines) => *region = None,
                Some(used) => used.discard_gaps(),
                None => {}
            }
        }
    }
}

/// Memory that blocks are cut from.
#[derive(Debug)]
struct Region {
    allocation: NonNull<u8>,
    layout: Layout,
    /// The first line in the allocation.
    start: NonNull<Line>,
    lines: usize,
    gaps: Gaps,
}

// SAFETY: the region owns its allocation and uses it only to free it; what is in the lines belongs to the blocks.
unsafe impl Send for Region {}

impl Region {
    /// All zero.
    fn new(lines: usize) -> Self {
        // Aligned as the system's allocator does by itself: for more, the standard library would write the zeros, and so
        // touch every page.
        let layout = Layout::array::<u128>((lines + 1) * (size_of::<Line>() / size_of::<u128>()));
        let layout = layout.expect("no map is half of all addresses long");
        // SAFETY: the layout is not empty.
        let allocation = unsafe { alloc_zeroed(layout) };
        let allocation = NonNull::new(allocation).unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: less than a line further on, and there is one line more than asked for.
        let start = unsafe { allocation.add(allocation.align_offset(align_of::<Line>())) };
        Self { allocation, layout, start: start.cast(), lines, gaps: Gaps::one(lines) }
    }

    fn cut(&mut self, lines: usize) -> Option<(usize, NonNull<[Line]>)> {
        let first = self.gaps.cut(lines)?;
        // SAFETY: a line of this region.
        let start = unsafe { self.start.add(first) };
        Some((first, NonNull::slice_from_raw_parts(start, lines)))
    }

    /// Gives the whole pages of gaps back to the system. They read as zeros afterwards.
    #[cfg(all(target_os = "linux", not(miri)))]
    fn discard_gaps(&mut self) {
        // SAFETY: asks for a constant of the system.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let Ok(page) = usize::try_from(page) else { return };
        for (&first, &lines) in &self.gaps.lengths {
            // SAFETY: a line of this region, and the one after the gap's last.
            let (start, end) = unsafe { (self.start.add(first), self.start.add(first + lines)) };
            let start: NonNull<u8> = start.cast();
            let before = start.align_offset(page);
            let length = (end.addr().get() - start.addr().get()).saturating_sub(before) / page * page;
            if length > 0 {
                // SAFETY: whole pages of private memory that belong to no block, and so to this region alone. Where
                // the system refuses, they stay as they are.
                unsafe { libc::madvise(start.as_ptr().add(before).cast(), length, libc::MADV_DONTNEED) };
            }
        }
    }

    /// Other systems have other ways, which are untested.
    #[cfg(not(all(target_os = "linux", not(miri))))]
    fn discard_gaps(&mut self) {}
}

impl Drop for Region {
    fn drop(&mut self) {
        debug_assert!(self.gaps.are_all(self.lines), "a block outlives its region");
        // SAFETY: allocated with this layout, and no block is left: `Arena::trim` drops no other region.
        unsafe { dealloc(self.allocation.as_ptr(), self.layout) };
    }
}

/// A part of a region with one owner. It begins with what an earlier block left there.
#[derive(Debug)]
pub(super) struct Block {
    arena: &'static Arena,
    lines: NonNull<[Line]>,
    region: usize,
    first: usize,
}

// SAFETY: a block is the only way to its lines, as a box is to what is in it.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(region) = &mut self.arena.regions()[self.region] {
            region.gaps.fill(self.first, self.lines.len());
        }
    }
}

impl Deref for Block {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        // SAFETY: initialised since the region was made, which stays as long as it has blocks, and nobody else's.
        unsafe { self.lines.as_ref() }
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [Line] {
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { self.lines.as_mut() }
    }
}

/// The free parts of a region: the lengths of gaps by where they begin, with something in use between any two.
#[derive(Debug)]
struct Gaps {
    lengths: BTreeMap<usize, usize>,
}

impl Gaps {
    fn one(length: usize) -> Self {
        Self { lengths: BTreeMap::from([(0, length)]) }
    }

    /// Whether they are all of a region of this length.
    fn are_all(&self, length: usize) -> bool {
        self.lengths.get(&0) == Some(&length)
    }

    /// Takes from the first gap that is long enough: so what is in use is close together, and the rest is never touched.
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
    fn blocks_never_overlap_and_what_comes_back_is_one_gap_again() {
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
        for round in 0..if cfg!(miri) { 100 } else { 2000 } {
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
        assert!(gaps.are_all(total));
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
    fn blocks_longer_than_a_region_get_one_of_their_own() {
        static ARENA: Arena = Arena::new();
        let lines = REGION_BYTES / size_of::<Line>();
        let (_small, mut large) = (ARENA.cut(1), ARENA.cut(lines + 1));
        assert_eq!(ARENA.regions().len(), 2);
        assert_eq!(large.len(), lines + 1);
        large[lines] = Line::ZERO;
    }

    #[test]
    fn trimming_frees_regions_without_blocks_and_leaves_blocks_alone() {
        static ARENA: Arena = Arena::new();
        let lines = REGION_BYTES / size_of::<Line>();
        let (mut kept, large) = (ARENA.cut(3), ARENA.cut(lines));
        kept.fill(Line::filled(7));
        drop(large);
        ARENA.trim();
        assert_eq!(ARENA.regions().iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        assert!(kept.iter().all(|line| *line == Line::filled(7)));
        let again = ARENA.cut(lines);
        assert_eq!(again.region, 1, "a hole is used again");
        drop((kept, again));
        ARENA.trim();
        assert!(ARENA.regions().iter().all(Option::is_none));
    }

    #[test]
    #[cfg(all(target_os = "linux", not(miri)))]
    fn trimming_gives_the_pages_between_blocks_back() {
        static ARENA: Arena = Arena::new();
        let lines = (1 << 20) / size_of::<Line>();
        let (mut first, mut between, mut last) = (ARENA.cut(lines), ARENA.cut(lines), ARENA.cut(lines));
        for block in [&mut first, &mut between, &mut last] {
            block.fill(Line::filled(7));
        }
        drop(between);
        ARENA.trim();
        assert!(first.iter().chain(last.iter()).all(|line| *line == Line::filled(7)));
        // The system gives zeros for pages that it took back. A part of a page at either end stays.
        let again = ARENA.cut(lines);
        let zeros = again.iter().filter(|line| **line == Line::ZERO).count();
        assert!(zeros > lines * 9 / 10, "{zeros} of {lines} lines were given back");
    }
}
