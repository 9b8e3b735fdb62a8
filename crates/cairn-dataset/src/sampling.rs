//! Which photos an epoch shows, and in which order.

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

/// The examples of this epoch, in its order.
pub(crate) fn order(sampling: Sampling, seed: u64, epoch: usize, examples: &[Example]) -> Vec<usize> {
    let mut rng = order_rng(seed, epoch);
    let mut order: Vec<usize> = match sampling {
        Sampling::EachOnce => (0..examples.len()).collect(),
        Sampling::ClassBalanced => class_balanced(examples, &mut rng),
    };
    order.shuffle(&mut rng);
    order
}

/// As many examples as there are, class by class.
fn class_balanced(examples: &[Example], rng: &mut impl Rng) -> Vec<usize> {
    let classes = examples.iter().map(|example| example.class.index() + 1).max().unwrap_or(0);
    let mut members = vec![Vec::new(); classes];
    for (number, example) in examples.iter().enumerate() {
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
    use super::*;
    use crate::ClassId;

    /// As many examples of each class as given.
    fn examples(counts: &[usize]) -> Vec<Example> {
        let classes = counts.iter().enumerate().flat_map(|(class, &count)| std::iter::repeat_n(class, count));
        classes
            .map(|class| Example {
                path: "photo".into(),
                relative_path: String::new(),
                class: ClassId::new(class),
                bytes: 0,
            })
            .collect()
    }

    #[test]
    fn an_order_holds_every_number_once_and_changes_with_seed_and_epoch() {
        let order = |seed, epoch| order(Sampling::EachOnce, seed, epoch, &examples(&[60, 40]));
        let mut sorted = order(1, 2);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
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
            order.iter().for_each(|&number| shown[number] += 1);
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
    fn no_examples_make_no_order() {
        assert!(order(Sampling::ClassBalanced, 0, 0, &[]).is_empty());
    }
}
