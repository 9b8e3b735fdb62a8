//! The confusion matrix: how often each class was taken for each other one.

use cairn_dataset::ClassId;

/// Counts of (true class, predicted class) over a test set: rows are true classes, columns are predicted
/// ones.
///
/// A photo for which the network named no class (see [`Scores`](crate::Scores)) has a row but no column: it
/// counts in its class's [`support`](Self::support) and in the [`total`](Self::total), and is right for
/// nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row after row.
    counts: Vec<usize>,
    /// For each true class, the photos without a predicted one.
    unscored: Vec<usize>,
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
        Self { classes, counts: vec![0; classes * classes], unscored: vec![0; classes] }
    }

    /// Counts one photo; `predicted` is `None` when the network named no class.
    ///
    /// # Panics
    /// When a class is outside the matrix.
    pub fn add(&mut self, truth: ClassId, predicted: Option<ClassId>) {
        match predicted {
            Some(predicted) => {
                let cell = self.cell(truth, predicted);
                self.counts[cell] += 1;
            }
            None => self.unscored[truth.index()] += 1,
        }
    }

    /// The classes in order.
    pub(crate) fn class_ids(&self) -> impl Iterator<Item = ClassId> + Clone + use<> {
        (0..self.classes).map(ClassId::new)
    }

    /// Number of classes: the matrix has as many rows, and as many columns.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// How many photos of `truth` were taken for `predicted`.
    ///
    /// # Panics
    /// When a class is outside the matrix.
    pub fn count(&self, truth: ClassId, predicted: ClassId) -> usize {
        self.counts[self.cell(truth, predicted)]
    }

    /// How many photos show `class`.
    pub fn support(&self, class: ClassId) -> usize {
        self.row(class).iter().sum::<usize>() + self.unscored[class.index()]
    }

    /// How many photos were taken for `class`.
    pub fn predicted(&self, class: ClassId) -> usize {
        (0..self.classes).map(|row| self.counts[row * self.classes + class.index()]).sum()
    }

    /// How many photos were taken for what they show.
    pub fn correct(&self) -> usize {
        (0..self.classes).map(|class| self.counts[class * self.classes + class]).sum()
    }

    /// How many photos were counted.
    pub fn total(&self) -> usize {
        self.counts.iter().sum::<usize>() + self.unscored()
    }

    /// How many photos the network named no class for, because its output was not a number.
    pub fn unscored(&self) -> usize {
        self.unscored.iter().sum()
    }

    /// For each class in turn, how many photos of `truth` were taken for it.
    pub fn row(&self, truth: ClassId) -> &[usize] {
        let start = truth.index() * self.classes;
        &self.counts[start..start + self.classes]
    }

    /// Every pair of classes of which one was predicted for the other, the most frequent first; equally frequent
    /// pairs in class order.
    pub fn most_confused(&self) -> Vec<ConfusedPair> {
        let mut pairs: Vec<ConfusedPair> = self
            .class_ids()
            .flat_map(|truth| self.class_ids().map(move |predicted| (truth, predicted)))
            .filter(|(truth, predicted)| truth != predicted)
            .map(|(truth, predicted)| ConfusedPair { truth, predicted, count: self.count(truth, predicted) })
            .filter(|pair| pair.count > 0)
            .collect();
        // The sort is stable, so that pairs equally frequent keep their class order.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs
    }

    fn cell(&self, truth: ClassId, predicted: ClassId) -> usize {
        // Checked here, since a column too far would silently be a cell of the next row.
        assert!(
            predicted.index() < self.classes,
            "class {predicted} is not among the {} classes",
            self.classes
        );
        truth.index() * self.classes + predicted.index()
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
