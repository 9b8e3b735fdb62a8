//! A space in which photos of one landmark differ alike in every direction.
//!
//! A network is trained to tell its own classes apart, and most of what still differs between photos of one class lies
//! in a few directions: the hour, the distance, the side. A landmark that it was not trained on is found by what is
//! left. So the variance within classes is evened out before photos are compared, as linear discriminant analysis does
//! (Fisher, "The use of multiple measurements in taxonomic problems", 1936), with the covariance drawn towards a
//! multiple of the identity (Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
//! 2004).

use burn::tensor::{Device, Tensor, TensorData};

use crate::Embedding;

/// Directions that are evened out at most, those of the greatest variance.
const MOST_DIRECTIONS: usize = 128;
/// Steps of the orthogonal iteration. Directions that have not parted by then are of nearly one variance, and evened
/// out by nearly the same factor.
const STEPS: usize = 20;

/// What makes the variance within classes alike in every direction.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Whitening {
    /// The mean of the classes' prototypes: `[features]`.
    pub(crate) centre: Vec<f32>,
    /// A row for each direction, `[features]` each, of length `sqrt(1 - f)`, where `f` is what lengths in that
    /// direction are multiplied by.
    pub(crate) directions: Vec<Vec<f32>>,
}

impl Whitening {
    /// The whitening by photos of known classes, each with the index of its class's prototype. `None` of no prototype.
    /// `shrinkage` times the mean variance is added to that of every direction.
    ///
    /// # Panics
    /// If there is no prototype of an index, or embeddings are not of one length.
    pub fn of(photos: &[(&Embedding, usize)], prototypes: &[Embedding], shrinkage: f64) -> Option<Self> {
        let features = prototypes.first()?.values().len();
        let mut centre = vec![0.0; features];
        for prototype in prototypes {
            let share = prototypes.len() as f32;
            centre.iter_mut().zip(prototype.values()).for_each(|(sum, value)| *sum += value / share);
        }
        // A class's mean has its prototype's direction, and is shorter the more its photos differ.
        let (mut sums, mut counts) = (vec![0.0; prototypes.len()], vec![0.0; prototypes.len()]);
        for &(photo, class) in photos {
            sums[class] += photo.cosine(&prototypes[class]);
            counts[class] += 1.0;
        }
        let mut deviations = Vec::with_capacity(photos.len() * features);
        for &(photo, class) in photos {
            let length = (sums[class] / counts[class]) as f32;
            let mean = prototypes[class].values().iter().map(|value| value * length);
            deviations.extend(photo.values().iter().zip(mean).map(|(value, mean)| value - mean));
        }
        let directions = directions(&deviations, features, shrinkage);
        Some(Self { centre, directions })
    }

    /// The direction of an embedding in the evened space.
    pub fn apply(&self, embedding: &Embedding) -> Embedding {
        let centred: Vec<f32> = embedding.values().iter().zip(&self.centre).map(|(a, b)| a - b).collect();
        let mut evened = centred.clone();
        for direction in &self.directions {
            let along = dot(direction, &centred);
            evened.iter_mut().zip(direction).for_each(|(value, part)| *value -= along * part);
        }
        Embedding::of(&evened)
    }

    /// The embedding whose evened direction is the mean of these ones' evened directions; `None` of none.
    ///
    /// What is evened first weighs every photo alike; a mean of photos as they come is drawn to those that lie far out
    /// in the directions in which photos differ most.
    ///
    /// # Panics
    /// If they are not of the centre's length.
    pub fn mean<'a>(&self, embeddings: impl IntoIterator<Item = &'a Embedding> + Clone) -> Option<Embedding> {
        let evened: Vec<Embedding> = embeddings.clone().into_iter().map(|photo| self.apply(photo)).collect();
        let mean = Embedding::mean(&evened)?;
        let mut deviation = mean.values().to_vec();
        for direction in &self.directions {
            let factor = 1.0 - dot(direction, direction);
            let along = dot(direction, mean.values()) / factor;
            deviation.iter_mut().zip(direction).for_each(|(value, part)| *value += along * part);
        }
        // Where the ray from the centre meets the sphere of all embeddings, within which a mean of some of them lies.
        let (square, inward) = (dot(&deviation, &deviation), dot(&deviation, &self.centre));
        let room = (1.0 - dot(&self.centre, &self.centre)).max(0.0);
        let length = ((inward * inward + square * room).sqrt() - inward) / square;
        if !(length.is_finite() && length > 0.0) {
            return Embedding::mean(embeddings);
        }
        let on_sphere: Vec<f32> =
            self.centre.iter().zip(&deviation).map(|(centre, value)| centre + length * value).collect();
        Some(Embedding::of(&on_sphere))
    }
}

/// [`Whitening::directions`] of deviations from prototypes, `[photos, features]`.
fn directions(deviations: &[f32], features: usize, shrinkage: f64) -> Vec<Vec<f32>> {
    let photos = deviations.len() / features.max(1);
    let count = MOST_DIRECTIONS.min(features).min(photos);
    if count == 0 {
        return Vec::new();
    }
    let total: f64 = deviations.iter().map(|&d| f64::from(d).powi(2)).sum::<f64>() / photos as f64;
    // Begins with photos from all over: what varies at all is in them.
    let photo = |i: usize| deviations[i * photos / count * features..][..features].to_vec();
    let mut rows: Vec<Vec<f32>> = (0..count).map(photo).collect();
    let device = Device::flex();
    let deviations =
        Tensor::<2>::from_data(TensorData::new(deviations.to_vec(), [photos, features]), &device);
    // [features, features]
    let covariance = deviations.clone().transpose().matmul(deviations).div_scalar(photos as f64);
    let mut variances = vec![0.0; count];
    for _ in 0..STEPS {
        orthonormalise(&mut rows);
        let flat = TensorData::new(rows.concat(), [count, features]);
        let turned: Vec<f32> = Tensor::<2>::from_data(flat, &device)
            .matmul(covariance.clone())
            .into_data()
            .iter::<f32>()
            .collect();
        let turned: Vec<Vec<f32>> = turned.chunks_exact(features).map(<[f32]>::to_vec).collect();
        // Rayleigh quotients: of directions of length 1.
        variances =
            rows.iter().zip(&turned).map(|(row, turned)| f64::from(dot(row, turned)).max(0.0)).collect();
        rows = turned;
    }
    orthonormalise(&mut rows);
    let added = shrinkage * total / features as f64;
    let others = (total - variances.iter().sum::<f64>()).max(0.0) / (features - count).max(1) as f64;
    for (row, variance) in rows.iter_mut().zip(variances) {
        // Where nothing varies at all, nothing is to be evened out.
        let factor = ((others + added) / (variance + added)).sqrt();
        let length = if factor < 1.0 { (1.0 - factor).sqrt() } else { 0.0 };
        row.iter_mut().for_each(|value| *value *= length as f32);
    }
    rows
}

/// Makes each row orthogonal to those before it, and of length 1 (modified Gram-Schmidt). A row of which nothing is
/// left becomes zero.
fn orthonormalise(rows: &mut [Vec<f32>]) {
    for i in 0..rows.len() {
        let (before, rest) = rows.split_at_mut(i);
        let row = &mut rest[0];
        let whole = dot(row, row).sqrt();
        for other in before.iter() {
            let along = dot(other, row);
            row.iter_mut().zip(other).for_each(|(value, part)| *value -= along * part);
        }
        let length = dot(row, row).sqrt();
        // Less than rounding leaves of a row that was a sum of the others.
        let scale = if length > 1e-5 * whole { length.recip() } else { 0.0 };
        row.iter_mut().for_each(|value| *value *= scale);
    }
}

/// Summed in eight lanes, so that the loop is vectorised.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<8>();
    let (b_lanes, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Photos around two prototypes that vary by much along the third axis and by little along the others.
    fn photos() -> (Vec<Embedding>, Vec<(Embedding, usize)>) {
        let prototypes = vec![Embedding::of(&[1.0, 0.2, 0.0, 0.0]), Embedding::of(&[0.2, 1.0, 0.0, 0.0])];
        let photos = (0..200).map(|i| {
            let class = i % 2;
            let noise = |factor: f32| (i as f32 * factor).sin();
            let values = prototypes[class].values();
            let moved = [
                values[0] + 0.02 * noise(1.3),
                values[1] + 0.02 * noise(2.1),
                0.5 * noise(0.7),
                0.02 * noise(3.3),
            ];
            (Embedding::stored(&moved), class)
        });
        let photos = photos.collect();
        (prototypes, photos)
    }

    fn whitening(prototypes: &[Embedding], photos: &[(Embedding, usize)]) -> Whitening {
        let photos: Vec<(&Embedding, usize)> = photos.iter().map(|(photo, class)| (photo, *class)).collect();
        Whitening::of(&photos, prototypes, 0.3).unwrap()
    }

    #[test]
    fn lengths_are_multiplied_by_the_inverse_root_of_the_variance_drawn_towards_the_mean() {
        let (prototypes, photos) = photos();
        let found = whitening(&prototypes, &photos);
        // In f64: the covariance's diagonal, which is nearly all of it here.
        let mut variances = [0.0_f64; 4];
        for (photo, class) in &photos {
            for (i, variance) in variances.iter_mut().enumerate() {
                let d = f64::from(photo.values()[i] - prototypes[*class].values()[i]);
                *variance += d * d / photos.len() as f64;
            }
        }
        let added = 0.3 * variances.iter().sum::<f64>() / 4.0;
        // With as many directions as features, none are left: lengths are in proportion to that of no variance.
        let expected = variances.map(|variance| (added / (variance + added)).sqrt());
        for axis in 0..4 {
            let unit: Vec<f32> = (0..4).map(|i| if i == axis { 1.0 } else { 0.0 }).collect();
            let along: f32 = found.directions.iter().map(|direction| dot(direction, &unit).powi(2)).sum();
            assert!(
                (f64::from(1.0 - along) - expected[axis]).abs() < 0.02,
                "axis {axis}: {along}, {expected:?}"
            );
        }
    }

    #[test]
    fn photos_of_one_class_come_closer_to_each_other_than_to_another_class() {
        let (prototypes, photos) = photos();
        let whitening = whitening(&prototypes, &photos);
        let [own, other] = [&prototypes[0], &prototypes[1]].map(|prototype| whitening.apply(prototype));
        for (photo, _) in photos.iter().filter(|(_, class)| *class == 0) {
            let evened = whitening.apply(photo);
            assert!(
                evened.cosine(&own) - evened.cosine(&other)
                    > photo.cosine(&prototypes[0]) - photo.cosine(&prototypes[1])
            );
        }
    }

    #[test]
    fn the_mean_of_photos_evens_to_the_mean_of_the_evened_photos() {
        let (prototypes, photos) = photos();
        let whitening = whitening(&prototypes, &photos);
        let few: Vec<&Embedding> = photos.iter().map(|(photo, _)| photo).take(7).collect();
        let mean = whitening.apply(&whitening.mean(few.iter().copied()).unwrap());
        let evened: Vec<Embedding> = few.iter().map(|photo| whitening.apply(photo)).collect();
        let expected = Embedding::mean(&evened).unwrap();
        assert!(mean.cosine(&expected) > 1.0 - 1e-6, "{mean:?}, not {expected:?}");
        // Not what evening the mean gives: the third axis, along which photos lie far apart, counts for more there.
        let other = whitening.apply(&Embedding::mean(few.iter().copied()).unwrap());
        assert!(other.cosine(&expected) < 1.0 - 1e-4, "{other:?}");
        assert_eq!(whitening.mean(&[]), None);
    }

    #[test]
    fn photos_that_do_not_vary_are_left_as_they_are_but_for_the_centre() {
        let prototypes = [Embedding::of(&[1.0, 0.0]), Embedding::of(&[0.0, 1.0])];
        let photos = [(prototypes[0].clone(), 0), (prototypes[1].clone(), 1)];
        let evened = whitening(&prototypes, &photos).apply(&prototypes[0]);
        assert!((evened.values()[0] - 0.5_f32.sqrt()).abs() < 1e-6, "{evened:?}");
        assert_eq!(Whitening::of(&[], &[], 0.3), None);
    }
}
