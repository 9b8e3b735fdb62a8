//! Labels that are likely wrong and photos that are odd, by the features of a model.

mod softmax_regression;

use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::{ClassId, Example};
use cairn_eval::{LabelIssue, label_issues, odd_ones};
use cairn_model::{Embedding, Model};
use cairn_photo::PhotoError;

use softmax_regression::SoftmaxRegression;

/// Parts of the photos; each is judged by a classifier that learned from the others.
const FOLDS: usize = 5;

/// Nearest photos that say how odd a photo is.
const NEIGHBOURS: usize = 5;

/// What [`check_labels`] found.
#[derive(Debug)]
pub struct LabelCheck {
    /// The photos that could be read; findings are by place among these.
    pub photos: Vec<Example>,
    /// Labels that are likely wrong, the likeliest first.
    pub issues: Vec<LabelIssue>,
    /// Photos that are like no others, the oddest first, with their mean cosine to the five nearest.
    pub odd: Vec<(usize, f64)>,
    /// The share of photos whose label is the most probable class of the classifier that did not learn from it.
    pub agreement: f64,
    /// Photos that were left out.
    pub bad_photos: Vec<PhotoError>,
}

/// Why labels cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabelCheckError {
    /// Too few photos.
    #[error(
        "{readable} photos of {classes} classes are too few to check labels by; give at least {FOLDS} of each of two classes"
    )]
    TooFew {
        /// Photos that could be read.
        readable: usize,
        /// Classes with at least five of these.
        classes: usize,
    },
}

/// Checks the labels of `examples`, of `classes` classes, by the embeddings that `model` gives of them. `on_photo` is called
/// after each photo.
///
/// The photos fall into five folds, of each class as many into each. A softmax regression on the embeddings of four of them
/// gives the probabilities of the fifth ([`label_issues`] reads them). So the model itself must not have learned from these
/// labels, or only its last layer: a backbone that learned them by heart agrees with them.
///
/// # Errors
/// [`LabelCheckError::TooFew`] when less than two classes have five photos that can be read.
pub fn check_labels(
    model: &Model,
    examples: &[Example],
    classes: usize,
    mut on_photo: impl FnMut(),
) -> Result<LabelCheck, LabelCheckError> {
    let (mut photos, mut embeddings, mut bad_photos) = (Vec::new(), Vec::new(), Vec::new());
    for (example, output) in examples.iter().zip(model.outputs(examples)) {
        match output {
            Ok(output) => {
                photos.push(example.clone());
                embeddings.push(output.embedding);
            }
            Err(error) => bad_photos.push(error),
        }
        on_photo();
    }
    let labels: Vec<ClassId> = photos.iter().map(|photo| photo.class).collect();
    let mut counts = vec![0_usize; classes];
    labels.iter().for_each(|label| counts[label.index()] += 1);
    let large = counts.iter().filter(|&&count| count >= FOLDS).count();
    if large < 2 {
        return Err(LabelCheckError::TooFew { readable: photos.len(), classes: large });
    }
    let features = Features::of(&embeddings);
    let probabilities = out_of_fold(&features, &labels, classes);
    let right = |(row, label): (&Vec<f64>, &ClassId)| row.iter().all(|&p| p <= row[label.index()]);
    let agreement = probabilities.iter().zip(&labels).filter(|&pair| right(pair)).count();
    Ok(LabelCheck {
        issues: label_issues(&labels, &probabilities),
        odd: odd_ones(&features.likeness()),
        agreement: agreement as f64 / photos.len() as f64,
        photos,
        bad_photos,
    })
}

/// The fold of each photo: those of a class go into the folds in turn.
fn folds(labels: &[ClassId], classes: usize) -> Vec<usize> {
    let mut seen = vec![0_usize; classes];
    labels
        .iter()
        .map(|label| {
            seen[label.index()] += 1;
            (seen[label.index()] - 1) % FOLDS
        })
        .collect()
}

/// The probabilities of each photo by a classifier of the other folds: `[photos][classes]`.
fn out_of_fold(features: &Features, labels: &[ClassId], classes: usize) -> Vec<Vec<f64>> {
    let folds = folds(labels, classes);
    let mut probabilities = vec![Vec::new(); labels.len()];
    for fold in 0..FOLDS {
        let (held, others): (Vec<usize>, Vec<usize>) =
            (0..labels.len()).partition(|&photo| folds[photo] == fold);
        if held.is_empty() {
            continue;
        }
        let learned: Vec<ClassId> = others.iter().map(|&photo| labels[photo]).collect();
        let classifier = SoftmaxRegression::fit(features.rows(&others), &learned, classes);
        for (photo, row) in held.iter().zip(classifier.probabilities(features.rows(&held))) {
            probabilities[*photo] = row;
        }
    }
    probabilities
}

/// Embeddings of photos, row by row.
struct Features {
    width: usize,
    /// `[photos][width]`, of length one
    values: Vec<f32>,
}

impl Features {
    fn of(embeddings: &[Embedding]) -> Self {
        let width = embeddings.first().map_or(0, |embedding| embedding.values().len());
        Self { width, values: embeddings.iter().flat_map(|embedding| embedding.values()).copied().collect() }
    }

    /// `[photos, width]`
    fn rows(&self, photos: &[usize]) -> Tensor<2> {
        let row = |&photo: &usize| &self.values[photo * self.width..(photo + 1) * self.width];
        let values: Vec<f32> = photos.iter().flat_map(row).copied().collect();
        Tensor::from_data(TensorData::new(values, [photos.len(), self.width]), &Device::flex())
    }

    /// The mean cosine of each photo to the five that are nearest to it.
    fn likeness(&self) -> Vec<f64> {
        /// Photos that are compared with all others at a time.
        const BLOCK: usize = 256;
        let all: Vec<usize> = (0..self.values.len() / self.width.max(1)).collect();
        let transposed = self.rows(&all).transpose();
        let of_block = |block: &[usize]| -> Vec<f64> {
            let cosines: Vec<f32> =
                self.rows(block).matmul(transposed.clone()).into_data().iter::<f32>().collect();
            let rows = block.iter().zip(cosines.chunks_exact(all.len()));
            rows.map(|(&photo, cosines)| nearest_mean(photo, cosines)).collect()
        };
        all.chunks(BLOCK).flat_map(of_block).collect()
    }
}

/// The mean of the greatest but `own`.
fn nearest_mean(own: usize, cosines: &[f32]) -> f64 {
    let mut others: Vec<f32> = cosines.to_vec();
    others.swap_remove(own);
    others.sort_by(|a, b| b.total_cmp(a));
    others.truncate(NEIGHBOURS);
    others.iter().map(|&cosine| f64::from(cosine)).sum::<f64>() / others.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_of_a_class_fall_into_the_folds_in_turn() {
        let labels: Vec<ClassId> = [0, 1, 0, 0, 1, 0, 0, 0].map(ClassId::new).to_vec();
        assert_eq!(folds(&labels, 2), [0, 0, 1, 2, 1, 3, 4, 0]);
    }

    /// Clusters on a circle, one for each class.
    fn clusters(classes: usize, each: usize) -> (Vec<Embedding>, Vec<ClassId>) {
        let place = |class: usize, n: usize| {
            let angle = (class as f32 + 0.06 * (n % 7) as f32) / classes as f32 * std::f32::consts::TAU;
            Embedding::of(&[angle.cos(), angle.sin(), 0.1 * (n % 3) as f32])
        };
        let pairs = (0..classes).flat_map(|class| (0..each).map(move |n| (class, n)));
        pairs.map(|(class, n)| (place(class, n), ClassId::new(class))).unzip()
    }

    #[test]
    fn labels_that_were_changed_are_found_and_no_others() {
        let (embeddings, mut labels) = clusters(4, 20);
        labels[3] = ClassId::new(2);
        labels[50] = ClassId::new(0);
        let probabilities = out_of_fold(&Features::of(&embeddings), &labels, 4);
        let mut found: Vec<(usize, usize)> = label_issues(&labels, &probabilities)
            .iter()
            .map(|issue| (issue.photo, issue.suggested.index()))
            .collect();
        found.sort_unstable();
        assert_eq!(found, [(3, 0), (50, 2)]);
    }

    #[test]
    fn a_photo_apart_from_all_clusters_is_the_oddest() {
        let (mut embeddings, _) = clusters(3, 20);
        embeddings[7] = Embedding::of(&[0.0, 0.0, -1.0]);
        let odd = odd_ones(&Features::of(&embeddings).likeness());
        assert_eq!(odd.first().map(|(photo, _)| *photo), Some(7), "{odd:?}");
    }
}
