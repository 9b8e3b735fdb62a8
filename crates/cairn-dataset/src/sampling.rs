//! Which photos an epoch shows, and in which order.

use std::collections::HashMap;

use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::Example;
use crate::rng::order_rng;

/// Which photos an epoch shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// Each photo once.
    #[default]
    EachOnce,
    /// As many photos as there are, every class as often as every other (to within one photo). Within a class, the
    /// photos take turns: none is shown again before all others have been.
    ClassBalanced,
}

/// Tar files whose photos are shuffled together. As many stay in the operating system's cache while they are read.
const TARS_AT_ONCE: usize = 16;

/// The examples of this epoch, in its order.
///
/// Of photos in many tar files, those of some tar files at a time are in one order by chance, and which those are, changes with
/// each epoch: so a disk or a network reads long stretches. (A class-balanced epoch is one order by chance all the same.)
pub(crate) fn order(sampling: Sampling, seed: u64, epoch: usize, examples: &[Example]) -> Vec<u32> {
    let mut rng = order_rng(seed, epoch);
    match sampling {
        Sampling::EachOnce => match in_tars(examples) {
            tars if tars.len() > TARS_AT_ONCE => tars_in_turn(tars, &mut rng),
            _ => shuffled((0_u32..).take(examples.len()).collect(), &mut rng),
        },
        Sampling::ClassBalanced => shuffled(class_balanced(examples, &mut rng), &mut rng),
    }
}

fn shuffled(mut order: Vec<u32>, rng: &mut impl Rng) -> Vec<u32> {
    order.shuffle(rng);
    order
}

/// The photos of each tar file, those that are in none as if they were in one; in the order of the examples.
fn in_tars(examples: &[Example]) -> Vec<Vec<u32>> {
    let mut tars: Vec<Vec<u32>> = Vec::new();
    let mut places: HashMap<Option<usize>, usize> = HashMap::new();
    for (number, example) in (0_u32..).zip(examples) {
        let next = tars.len();
        let place = *places.entry(example.place.tar()).or_insert(next);
        if place == next {
            tars.push(Vec::new());
        }
        tars[place].push(number);
    }
    tars
}

fn tars_in_turn(mut tars: Vec<Vec<u32>>, rng: &mut impl Rng) -> Vec<u32> {
    tars.shuffle(rng);
    tars.chunks(TARS_AT_ONCE).flat_map(|tars| shuffled(tars.concat(), rng)).collect()
}

/// As many examples as there are, class by class.
fn class_balanced(examples: &[Example], rng: &mut impl Rng) -> Vec<u32> {
    let classes = examples.iter().map(|example| example.class.index() + 1).max().unwrap_or(0);
    let mut members = vec![Vec::new(); classes];
    for (number, example) in (0_u32..).zip(examples) {
        members[example.class.index()].push(number);
    }
    members.retain(|class| !class.is_empty());
    // Each epoch draws which classes get the photos that are left over.
    members.shuffle(rng);
    let count = members.len();
    let mut chosen = Vec::with_capacity(examples.len());
    for (at, class) in members.iter_mut().enumerate() {
        let mut share = (examples.len() + count - 1 - at) / count;
        // An epoch that shows only a part of a class shows any part of it.
        while share > 0 {
            class.shuffle(rng);
            let turn = &class[..share.min(class.len())];
            chosen.extend(turn);
            share -= turn.len();
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::photo_place::PhotoBase;
    use crate::{ClassId, PhotoPlace};

    /// As many examples of each class as given.
    fn examples(counts: &[usize]) -> Vec<Example> {
        let classes = counts.iter().enumerate().flat_map(|(class, &count)| std::iter::repeat_n(class, count));
        classes
            .map(|class| Example { place: Path::new("photo").into(), class: ClassId::new(class) })
            .collect()
    }

    #[test]
    fn an_order_holds_every_number_once_and_changes_with_seed_and_epoch() {
        let order = |seed, epoch| order(Sampling::EachOnce, seed, epoch, &examples(&[60, 40]));
        let mut sorted = order(1, 2);
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..100));
        assert_eq!(order(1, 2), order(1, 2));
        assert_ne!(order(1, 2), order(1, 3));
        assert_ne!(order(1, 2), order(2, 2));
    }

    #[test]
    fn in_a_balanced_epoch_every_class_is_shown_as_often_and_its_photos_take_turns() {
        let counts = [70, 0, 20, 10, 3];
        let examples = examples(&counts);
        let mut seen = vec![0; examples.len()];
        for epoch in 0..40 {
            let order = order(Sampling::ClassBalanced, 5, epoch, &examples);
            assert_eq!(order.len(), 103);
            let mut shown = vec![0; examples.len()];
            order.iter().for_each(|&number| shown[number as usize] += 1);
            let mut first = 0;
            for count in counts.into_iter().filter(|&count| count > 0) {
                let class = &shown[first..first + count];
                let total: usize = class.iter().sum();
                assert!((25..=26).contains(&total), "{total} of a class");
                let (least, most) = (class.iter().min().unwrap(), class.iter().max().unwrap());
                assert!(most - least <= 1, "photos take turns: {class:?}");
                first += count;
            }
            seen.iter_mut().zip(shown).for_each(|(seen, shown)| *seen += shown);
        }
        assert!(seen.iter().all(|&times| times > 0), "over the epochs every photo is shown");
    }

    #[test]
    fn photos_of_some_tar_files_at_a_time_are_shuffled_and_each_is_shown_once_in_an_epoch() {
        const TARS: usize = 40;
        const PHOTOS: usize = 30;
        let tars: Vec<_> = (0..TARS)
            .map(|tar| Arc::new(PhotoBase::Tar { file: format!("{tar}.tar").into(), named: true }))
            .collect();
        let examples: Vec<Example> = (0..TARS * PHOTOS)
            .map(|photo| Example {
                // By class, as a data set lists them: the photos of a tar file are not next to each other.
                place: PhotoPlace::known(&tars[photo % TARS], Path::new("a.jpg"), 0, 1),
                class: ClassId::new(photo / TARS),
            })
            .collect();
        let first = order(Sampling::EachOnce, 1, 0, &examples);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..(TARS * PHOTOS) as u32));
        assert_eq!(order(Sampling::EachOnce, 1, 0, &examples), first);
        assert_ne!(order(Sampling::EachOnce, 1, 1, &examples), first);
        let tar = |number: &u32| *number as usize % TARS;
        for stretch in first.chunks(TARS_AT_ONCE * PHOTOS) {
            let read: HashSet<usize> = stretch.iter().map(tar).collect();
            assert!(read.len() <= TARS_AT_ONCE, "{}", read.len());
        }
        // Not one tar file after the other: a batch has photos of most of those that are read.
        let batch: HashSet<usize> = first[..64].iter().map(tar).collect();
        assert!(batch.len() >= 12, "{}", batch.len());
    }

    #[test]
    fn no_examples_make_no_order() {
        assert!(order(Sampling::ClassBalanced, 0, 0, &[]).is_empty());
    }
}
