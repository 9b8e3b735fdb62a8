//! A synthetic data set: photos of made-up landmarks, drawn from a seed. It needs no downloads.
//!
//! Each photo is a scene of its own. A landmark is built from flat faces and beams, with proportions of its own. A
//! camera is put in front of it. Hour and weather light the faces, which are painted from the farthest to the nearest.
//! Other things are around it and partly before it. The picture goes through a lens with faults. Sky, ground,
//! materials and clutter come from the same lists for every kind, so that only shape tells the kinds apart.
//!
//! ```
//! use cairn_synthetic::{Kind, draw};
//!
//! let photo = draw(Kind::Lighthouse, 7, 64);
//! assert_eq!(photo.width().max(photo.height()), 64);
//! assert!(photo == draw(Kind::Lighthouse, 7, 64));
//! ```

mod backdrop;
mod canvas;
mod clutter;
mod colour;
mod dice;
mod ground;
mod kind;
mod landmark;
mod lens;
mod light;
mod noise;
mod paint;
mod scene;
mod set;
mod sky;
mod solid;
mod space;

pub use kind::Kind;
pub use set::{DrawnSet, DrawnSetError, Outcome};

use cairn_photo::Photo;
use rand::{RngExt, SeedableRng};

use dice::Dice;

/// Draws the photo of one made-up landmark; `side` is its longer side in pixels.
///
/// It is landscape (4:3), portrait (3:4) or square. Kind and seed decide everything in it: the same ones give
/// the same pixels, on every machine whose sine and cosine round alike.
///
/// # Panics
/// If `side` is zero or so large that the picture does not fit in memory.
pub fn draw(kind: Kind, seed: u64, side: u32) -> Photo {
    assert!(side > 0, "a photo has at least one pixel");
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"cairn drawn photo").update(kind.name().as_bytes()).update(&seed.to_le_bytes());
    let mut dice = Dice::from_seed(hasher.finalize().into());
    let shorter = (side * 3).div_ceil(4);
    let (width, height) = match dice.random_range(0..5) {
        0..3 => (side, shorter),
        3 => (shorter, side),
        _ => (side, side),
    };
    scene::photograph(kind, width, height, &mut dice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn same_kind_and_seed_give_the_same_pixels() {
        for kind in Kind::ALL {
            assert!(draw(kind, 5, 48) == draw(kind, 5, 48), "{kind}");
        }
    }

    #[test]
    fn another_seed_or_kind_gives_another_photo() {
        for kind in Kind::ALL {
            assert!(draw(kind, 5, 48) != draw(kind, 6, 48), "{kind}");
        }
        assert!(draw(Kind::Castle, 5, 48) != draw(Kind::Dome, 5, 48));
    }

    #[test]
    fn every_kind_draws_at_any_size_with_the_longer_side_as_asked() {
        for kind in Kind::ALL {
            for side in [1, 2, 7, 33, 96] {
                let photo = draw(kind, 11, side);
                assert_eq!(photo.width().max(photo.height()), side, "{kind}");
            }
        }
    }

    #[test]
    fn a_larger_photo_shows_the_same_scene() {
        // The same scene at two sizes, shrunk to the same few pixels, differs by noise and sharpness only;
        // two scenes differ by far more.
        let small = |seed, side| draw(Kind::Lighthouse, seed, side).resized(8, 8).into_pixels();
        let difference = |a: &[u8], b: &[u8]| {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a.abs_diff(b))).sum::<f64>() / a.len() as f64
        };
        let (mut same, mut other) = (0.0, 0.0);
        for seed in 0..12 {
            same += difference(&small(seed, 64), &small(seed, 128));
            other += difference(&small(seed, 64), &small(seed + 1, 128));
        }
        assert!(same * 3.0 < other, "same scene {same}, other scenes {other}");
    }

    #[test]
    fn folders_are_numbered_in_the_order_of_the_kinds() {
        let folders = Kind::ALL.map(Kind::folder);
        assert_eq!(folders[0], "00.Pyramid");
        assert_eq!(folders[6], "06.Suspension_Bridge");
        assert!(folders.is_sorted());
    }

    #[test]
    fn mean_colour_does_not_give_the_kind_away() {
        let mean_colour = |kind, seed| {
            let photo = draw(kind, seed, 32);
            let mut sum = [0.0f64; 3];
            for pixel in photo.pixels().chunks_exact(3) {
                for channel in 0..3 {
                    sum[channel] += f64::from(pixel[channel]);
                }
            }
            sum.map(|level| level * 3.0 / photo.pixels().len() as f64)
        };
        let colours = |kind, seeds: std::ops::Range<u64>| -> Vec<[f64; 3]> {
            seeds.into_par_iter().map(|seed| mean_colour(kind, seed)).collect()
        };
        let centres = Kind::ALL.map(|kind| {
            let seen = colours(kind, 0..24);
            [0, 1, 2]
                .map(|channel| seen.iter().map(|colour| colour[channel]).sum::<f64>() / seen.len() as f64)
        });
        let (mut right, mut all) = (0, 0);
        for (index, kind) in Kind::ALL.into_iter().enumerate() {
            for colour in colours(kind, 100..116) {
                let distance = |centre: &[f64; 3]| -> f64 {
                    centre.iter().zip(colour).map(|(a, b)| (a - b).powi(2)).sum()
                };
                let nearest = (0..centres.len())
                    .min_by(|&a, &b| distance(&centres[a]).total_cmp(&distance(&centres[b])));
                right += usize::from(nearest == Some(index));
                all += 1;
            }
        }
        assert!(right * 100 < all * 35, "the nearest mean colour names {right} of {all} right");
    }
}
