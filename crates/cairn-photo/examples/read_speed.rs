//! How many photos a second one thread reads, whole and at the size that a network wants:
//!
//!     cargo run --release -p cairn-photo --example read_speed -- PHOTO...

// A program for the command line, not a library.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use cairn_photo::{Limits, Photo, PhotoError, ReadSize};

fn main() -> Result<(), PhotoError> {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    for size in [ReadSize::Full, ReadSize::ShortSide(256)] {
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let began = Instant::now();
            for path in &paths {
                // Whole photos are resized too, so that both ways end alike.
                Photo::open_at(path, size, &Limits::default())?.resized_short_side(256);
            }
            best = best.min(began.elapsed());
        }
        println!("{size:?}: {:.1} photos a second", paths.len() as f64 / best.as_secs_f64());
    }
    Ok(())
}
