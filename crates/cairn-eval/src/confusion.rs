//! The confusion matrix: how often each class was taken for each other one.

use std::collections::BTreeMap;

use cairn_dataset::ClassId;

/// Counts of (true class, predicted class) over a test set: rows are true classes, columns are predicted
/// ones.
///
/// A photo for which the network named no class (see [`Scores`](crate::Scores)) has a row but no column: it
/// counts in its class's [`support`](Self::support) and in the [`total`](Self::total), and is right for
/// nobody.
///
/// Cells without a photo take no memory: of very many classes nearly all are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    /// Cells with photos, by their true and their predicted class.
    counts: BTreeMap<(ClassId, ClassId), usize>,
    /// For each true class, all its photos.
    support: Vec<usize>,
    /// For each class, the photos that were taken for it.
    predicted: Vec<usize>,
    /// Photos without a predicted class.
    unscored: usize,
}

/// Photos of one class that were taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfusedPair {
    /// What the photos show.
    pub truth: ClassId,
    /// What they were taken for.
    pub predicted: ClassId,
    /// How many they are.
    pub count: usize,
}

impl ConfusionMatrix {
    /// An empty matrix over `classes` classes.
    pub fn new(classes: usize) -> Self {
        Self { counts: BTreeMap::new(), support: vec![0; classes], predicted: vec![0; classes], unscored: 0 }
    }

    /// Counts one photo; `predicted` is `None` when the network named no class.
    ///
    /// # Panics
    /// When a class is outside the matrix.
    pub fn add(&mut self, truth: ClassId, predicted: Option<ClassId>) {
        self.check(truth);
        self.support[truth.index()] += 1;
        match predicted {
            Some(predicted) => {
                self.check(predicted);
                self.predicted[predicted.index()] += 1;
                *self.counts.entry((truth, predicted)).or_default() += 1;
            }
            None => self.unscored += 1,
        }
    }

    /// The classes in order.
    pub(crate) fn class_ids(&self) -> impl Iterator<Item = ClassId> + Clone + use<> {
        (0..self.classes()).map(ClassId::new)
    }

    /// Number of classes: the matrix has as many rows, and as many columns.
    pub fn classes(&self) -> usize {
        self.support.len()
    }

    /// How many photos of `truth` were taken for `predicted`.
    ///
    /// # Panics
    /// When a class is outside the matrix.
    pub fn count(&self, truth: ClassId, predicted: ClassId) -> usize {
        self.check(truth);
        self.check(predicted);
        self.counts.get(&(truth, predicted)).copied().unwrap_or_default()
    }

    /// How many photos show `class`.
    pub fn support(&self, class: ClassId) -> usize {
        self.support[class.index()]
    }

    /// How many photos were taken for `class`.
    pub fn predicted(&self, class: ClassId) -> usize {
        self.predicted[class.index()]
    }

    /// How many photos were taken for what they show.
    pub fn correct(&self) -> usize {
        self.class_ids().map(|class| self.count(class, class)).sum()
    }

    /// How many photos were counted.
    pub fn total(&self) -> usize {
        self.support.iter().sum()
    }

    /// How many photos the network named no class for, because its output was not a number.
    pub fn unscored(&self) -> usize {
        self.unscored
    }

    /// For each class in turn, how many photos of `truth` were taken for it.
    ///
    /// # Panics
    /// When the class is outside the matrix.
    pub fn row(&self, truth: ClassId) -> Vec<usize> {
        self.class_ids().map(|predicted| self.count(truth, predicted)).collect()
    }

    /// Every pair of classes of which one was predicted for the other, the most frequent first; equally frequent
    /// pairs in class order.
    pub fn most_confused(&self) -> Vec<ConfusedPair> {
        let cells = self.counts.iter().filter(|((truth, predicted), _)| truth != predicted);
        let mut pairs: Vec<ConfusedPair> =
            cells.map(|(&(truth, predicted), &count)| ConfusedPair { truth, predicted, count }).collect();
        // The sort is stable, so that pairs equally frequent keep their class order.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs
    }

    fn check(&self, class: ClassId) {
        assert!(class.index() < self.classes(), "class {class} is not among the {} classes", self.classes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn confused_pairs_stand_most_frequent_first_then_in_class_order() {
        let mut confusion = ConfusionMatrix::new(3);
        for (truth, predicted) in [(2, 0), (0, 0), (0, 0), (0, 0), (1, 2), (1, 2), (0, 2)] {
            confusion.add(ClassId::new(truth), Some(ClassId::new(predicted)));
        }
        confusion.add(ClassId::new(1), None);
        let pairs: Vec<_> = confusion
            .most_confused()
            .iter()
            .map(|p| (p.truth.index(), p.predicted.index(), p.count))
            .collect();
        assert_eq!(pairs, [(1, 2, 2), (0, 2, 1), (2, 0, 1)]);
    }

    #[test]
    #[should_panic(expected = "class 3 is not among the 3 classes")]
    fn a_predicted_class_beyond_the_matrix_is_refused() {
        ConfusionMatrix::new(3).add(ClassId::new(0), Some(ClassId::new(3)));
    }
}
