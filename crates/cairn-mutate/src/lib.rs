//! For tests only: damages files at random, from a seed, to test that a parser gives an error and neither panics nor
//! takes long. The fuzz targets under `fuzz/` look for more of such files, guided by coverage.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use cairn_reference::CpuClock;

/// The longest that a parser may take for a small file.
pub const LONGEST: Duration = Duration::from_secs(10);

/// Numbers at which lengths, counts and offsets go wrong.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// The same in text, and what else a text may hold in the place of a number.
const WORDS: [&str; 12] = [
    "-1",
    "0",
    "65536",
    "4294967296",
    "18446744073709551616",
    "1e400",
    "-1e-400",
    "NaN",
    "null",
    "[]",
    "{}",
    "\"\u{202e}\"",
];

/// Random numbers by SplitMix64 (Steele et al. 2014), the same on every machine.
#[derive(Debug, Clone)]
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// The same damage for the same seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 below 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    /// A copy of `file` with one to eight faults: bits turned, numbers replaced, parts left out, doubled, moved or cut off.
    pub fn damaged(&mut self, file: &[u8]) -> Vec<u8> {
        let mut bytes = file.to_vec();
        for _ in 0..=self.below(8) {
            let place = self.below(bytes.len());
            let part = place..(place + 1 + self.below(64)).min(bytes.len());
            match self.below(10) {
                0..=1 if !bytes.is_empty() => bytes[place] ^= 1 << self.below(8),
                2 if !bytes.is_empty() => bytes[place] = self.next() as u8,
                3..=4 => {
                    let width = [1, 2, 4, 8][self.below(4)];
                    let mut digits = NUMBERS[self.below(NUMBERS.len())].to_le_bytes();
                    if self.below(2) == 0 {
                        digits[..width].reverse();
                    }
                    bytes.iter_mut().skip(place).zip(&digits[..width]).for_each(|(byte, new)| *byte = *new);
                }
                5 => drop(bytes.drain(part)),
                6 => {
                    let copied = bytes[part].to_vec();
                    let to = self.below(bytes.len() + 1);
                    drop(bytes.splice(to..to, copied));
                }
                7 => bytes.truncate(if self.below(8) == 0 { place } else { bytes.len() }),
                _ => self.replace_number(&mut bytes, place),
            }
        }
        bytes
    }

    /// Puts a word in the place of the next number in text after `place`.
    fn replace_number(&mut self, bytes: &mut Vec<u8>, place: usize) {
        let Some(start) = bytes.iter().skip(place).position(u8::is_ascii_digit).map(|ahead| place + ahead)
        else {
            return;
        };
        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let word = WORDS[self.below(WORDS.len())];
        drop(bytes.splice(start..start + length, word.bytes()));
    }
}

/// Shows `parse` so many damaged copies of each of the `seeds`, or as many times more as the environment variable
/// `CAIRN_CASES` says. `parse` says whether it took the file for whole.
///
/// Gives how many it took: of files with a fault or two, a parser that is reached at all takes some.
///
/// # Panics
/// When `parse` panics or takes longer than [`LONGEST`], after it has printed which case it was.
pub fn survives(seeds: &[Vec<u8>], cases: usize, mut parse: impl FnMut(&[u8]) -> bool) -> usize {
    let times = env::var("CAIRN_CASES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let cases = cases * times;
    let mut taken = 0;
    for (place, seed) in seeds.iter().enumerate() {
        for case in 0..cases {
            let damaged = Mutator::new((place * cases + case) as u64).damaged(seed);
            let clock = CpuClock::start();
            let outcome = catch_unwind(AssertUnwindSafe(|| parse(&damaged)));
            let took = clock.elapsed();
            match outcome {
                Ok(whole) => taken += usize::from(whole),
                Err(panic) => {
                    report(place, case, &damaged);
                    resume_unwind(panic);
                }
            }
            assert!(took < Some(LONGEST), "case {case} of seed {place} took {took:?}");
        }
    }
    taken
}

// A test says on standard error which case it was.
#[allow(clippy::print_stderr)]
fn report(place: usize, case: usize, damaged: &[u8]) {
    let start: String = damaged.iter().take(64).map(|byte| format!("{byte:02x}")).collect();
    eprintln!("case {case} of seed {place} panicked: {} bytes, {start}...", damaged.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_does_the_same_damage_and_others_do_other() {
        let file: Vec<u8> = (0..200).collect();
        let damaged = |seed| Mutator::new(seed).damaged(&file);
        assert_eq!(damaged(7), damaged(7));
        let changed = (0..100).filter(|&seed| damaged(seed) != file).count();
        assert!(changed > 80, "{changed} of 100 changed anything");
        assert!(
            (0..100).any(|seed| damaged(seed).len() > 200) && (0..100).any(|seed| damaged(seed).len() < 200)
        );
    }

    #[test]
    fn empty_files_and_texts_are_damaged_too() {
        for seed in 0..200 {
            Mutator::new(seed).damaged(&[]);
        }
        let found = (0..500)
            .any(|seed| Mutator::new(seed).damaged(b"{\"crop\":224}").windows(3).any(|w| w == b"1e4"));
        assert!(found);
    }

    #[test]
    #[should_panic(expected = "stumbled")]
    fn a_parser_that_panics_fails_the_test() {
        survives(&[vec![1, 2, 3]], 10, |_| panic!("stumbled"));
    }
}
