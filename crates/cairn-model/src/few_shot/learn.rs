//! Classes that are added without training: a class is the mean embedding of a few photos, its prototype.
//!
//! After Snell et al., "Prototypical Networks for Few-shot Learning" (NIPS 2017): the network is left as it is. Whether a
//! photo shows the learned class or a trained one, the margin between prototypes decides; which of the trained ones, their
//! logits do.

use std::mem;

use cairn_dataset::{Class, ClassList};
use cairn_photo::Photo;

use crate::bundle::Bundle;
use crate::{Embedding, EmbeddingBank, FewShot, Model, OodScore, Rejection};

/// Why a class could not be learned or forgotten.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// The model has no scale for likenesses.
    #[error("this model is not calibrated to learn landmarks from a few photos: run `cairn calibrate` first")]
    NotCalibrated,
    /// A name that says nothing.
    #[error("a landmark needs a name")]
    NoName,
    /// A class without a photo.
    #[error("there is no photo to learn {name:?} from")]
    NoPhotos {
        /// The class.
        name: String,
    },
    /// Trained classes stay as they are.
    #[error("the model was trained on {name:?}: only learned landmarks can be replaced or forgotten")]
    Trained {
        /// The class.
        name: String,
    },
    /// No learned class is called so.
    #[error("{name:?} is not a learned landmark; those are: {}", list(.learned))]
    NotLearned {
        /// What was asked for.
        name: String,
        /// Those that there are.
        learned: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What became of a class that was to be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnOutcome {
    /// There was none of this name.
    Added,
    /// It takes the place of one that was learned before.
    Replaced,
}

/// What a calibration tells a model.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// How it tells landmarks from other photos.
    pub rejection: Rejection,
    /// The trained classes' prototypes, the space in which learned ones are compared with them, and the photos that
    /// show no landmark, which are kept where the score needs them.
    pub bank: EmbeddingBank,
    /// [`FewShot::scale`].
    pub scale: f64,
    /// [`FewShot::offset`].
    pub offset: f64,
}

impl Model {
    /// Takes over what a calibration found. LearnOutcome classes stay.
    pub fn calibrate(&mut self, calibration: Calibration) {
        let Calibration { rejection, bank: calibrated, scale, offset } = calibration;
        self.use_own_threshold();
        let Bundle { info, bank, .. } = self.bundle_mut();
        info.rejection = Some(rejection);
        let classes = info.learning.take().map(|learning| learning.classes).unwrap_or_default();
        info.learning = Some(FewShot { scale, offset, classes });
        let learned = mem::take(&mut bank.learned);
        let by_likeness = rejection.score == OodScore::Similarity;
        let non_landmarks = if by_likeness { calibrated.non_landmarks } else { Vec::new() };
        *bank = EmbeddingBank { learned, non_landmarks, ..calibrated };
    }

    /// Adds a class from photos that show it, or replaces it if it was learned before. The name is one as of a
    /// class folder: `12.Eiffel_Tower` is shown as "Eiffel Tower".
    ///
    /// The photos are of any size ([`Model::load_photo`]), and looked at as those to be named will be. The prototype is the
    /// [mean](crate::Whitening::mean) of them and their mirror images.
    ///
    /// # Errors
    /// When the model is not calibrated for it, there is no photo or no name, or the model was trained on a class of
    /// this name.
    pub fn learn(&mut self, name: &str, photos: &[Photo]) -> Result<LearnOutcome, LearnError> {
        let embeddings = photos.iter().flat_map(|photo| self.embeddings_to_learn(photo.clone()));
        let embeddings: Vec<Embedding> = embeddings.collect();
        self.learn_embeddings(name, &embeddings)
    }

    /// What [`Model::learn_embeddings`] learns from one photo of any size: the embeddings of it and of its mirror image,
    /// by the model's views. So many photos can be learned from without keeping them in memory.
    pub fn embeddings_to_learn(&self, mut photo: Photo) -> Vec<Embedding> {
        let upright = self.output_of(&photo).embedding;
        // In place: the photo may be a large one.
        photo.flip_horizontally();
        vec![upright, self.output_of(&photo).embedding]
    }

    /// [`Model::learn`] from the [embeddings](Model::embeddings_to_learn) of all photos.
    ///
    /// # Errors
    /// As [`Model::learn`].
    pub fn learn_embeddings(
        &mut self,
        name: &str,
        embeddings: &[Embedding],
    ) -> Result<LearnOutcome, LearnError> {
        let class = Class::from_folder(name.trim());
        if class.name.is_empty() {
            return Err(LearnError::NoName);
        }
        let trained = &self.info().classes;
        if trained.find(&class.folder).or_else(|| trained.find(&class.name)).is_some() {
            return Err(LearnError::Trained { name: class.name });
        }
        let Bundle { info, bank, .. } = self.bundle_mut();
        let (Some(learning), Some(whitening)) = (&mut info.learning, &bank.whitening) else {
            return Err(LearnError::NotCalibrated);
        };
        let Some(prototype) = whitening.mean(embeddings) else {
            return Err(LearnError::NoPhotos { name: class.name });
        };
        let prototypes = &mut bank.learned;
        let before = learning.classes.find(&class.folder).or_else(|| learning.classes.find(&class.name));
        match before {
            Some(id) => {
                prototypes[id.index()] = prototype;
                Ok(LearnOutcome::Replaced)
            }
            None => {
                learning.classes.push(class);
                prototypes.push(prototype);
                Ok(LearnOutcome::Added)
            }
        }
    }

    /// Takes away a class that was [learned](Model::learn), by its folder or its name in any case.
    ///
    /// # Errors
    /// When no learned class is called so.
    pub fn forget(&mut self, name: &str) -> Result<Class, LearnError> {
        if self.info().classes.find(name).is_some() {
            return Err(LearnError::Trained { name: name.to_owned() });
        }
        let Bundle { info, bank, .. } = self.bundle_mut();
        let Some(learning) = &mut info.learning else {
            return Err(LearnError::NotLearned { name: name.to_owned(), learned: Vec::new() });
        };
        let Some(id) = learning.classes.find(name) else {
            let learned = learning.classes.iter().map(|(_, class)| class.name.clone()).collect();
            return Err(LearnError::NotLearned { name: name.to_owned(), learned });
        };
        bank.learned.remove(id.index());
        Ok(learning.classes.remove(id))
    }

    /// The classes that the model tells apart, in the order of [`ModelOutput::logits`](crate::ModelOutput::logits): those that it
    /// was trained on, then those that it learned.
    pub fn classes(&self) -> ClassList {
        let mut classes = self.info().classes.clone();
        for (_, class) in self.info().learning.iter().flat_map(|learning| learning.classes.iter()) {
            classes.push(class.clone());
        }
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neighbours::made_up::clustered;
    use crate::untrained::untrained;
    use crate::{INDEX_FROM, ModelOptions, NeighbourSearch, Probability, Whitening};
    use cairn_nets::{Architecture, Precision};
    use cairn_photo::Framing;

    const SIDE: u32 = 16;

    /// A network with random weights for two classes.
    fn model() -> Model {
        let framing = Framing::ShortSideCrop { short_side: SIDE, crop: SIDE };
        let mut model = untrained(Architecture::ThreeConv, SIDE as usize, framing);
        model.set_temperature(2.0);
        model.with_precision(Precision::F32)
    }

    fn calibration(score: OodScore, model: &Model) -> Calibration {
        let outputs: Vec<Embedding> =
            model.forward(&[stripes(0), stripes(5)]).into_iter().map(|output| output.embedding).collect();
        let embedding = outputs[0].clone();
        let bank = EmbeddingBank {
            prototypes: outputs.clone(),
            centres: vec![],
            non_landmarks: vec![embedding],
            learned: vec![],
            whitening: Whitening::of(&[], &outputs, 0.3),
        };
        Calibration { rejection: Rejection::new(score, 0.5), bank, scale: 12.0, offset: -4.0 }
    }

    fn calibrated() -> Model {
        let mut model = model();
        model.calibrate(calibration(OodScore::Energy, &model));
        model
    }

    /// A picture that looks different for each `seed`, and in the mirror.
    fn stripes(seed: u32) -> Photo {
        let value = |i: u32| (i * (seed + 3) * 7 % 256) as u8;
        Photo::from_pixels(SIDE, SIDE, (0..SIDE * SIDE * 3).map(value).collect()).unwrap()
    }

    fn logits(model: &Model, photo: &Photo) -> Vec<f32> {
        model.forward(std::slice::from_ref(photo)).remove(0).logits
    }

    #[test]
    fn a_learned_class_has_the_odds_that_its_margin_says_against_the_likeliest_trained_one() {
        let mut model = calibrated();
        let before = logits(&model, &stripes(9));
        assert_eq!(model.learn("07.Old_Mill", &[stripes(1), stripes(2)]), Ok(LearnOutcome::Added));
        let classes: Vec<String> = model.classes().iter().map(|(_, class)| class.name.clone()).collect();
        assert_eq!(classes, ["Pyramid", "Dome", "Old Mill"]);

        let after = logits(&model, &stripes(9));
        assert_eq!(after[..2], before);
        // By hand. The space is centred between the prototypes of the two trained classes; no variance was measured.
        let direction =
            |photo: &Photo| model.forward(std::slice::from_ref(photo)).remove(0).embedding.values().to_vec();
        let trained = [direction(&stripes(0)), direction(&stripes(5))];
        let from_centre = |photo: &Photo| -> Vec<f64> {
            let middle = |i: usize| (f64::from(trained[0][i]) + f64::from(trained[1][i])) / 2.0;
            direction(photo).iter().enumerate().map(|(i, &value)| f64::from(value) - middle(i)).collect()
        };
        let unit = |values: Vec<f64>| -> Vec<f64> {
            let length = values.iter().map(|value| value * value).sum::<f64>().sqrt();
            values.iter().map(|value| value / length).collect()
        };
        let photos =
            [stripes(1), stripes(1).flipped_horizontally(), stripes(2), stripes(2).flipped_horizontally()];
        let photos = photos.map(|photo| unit(from_centre(&photo)));
        let prototype = unit((0..photos[0].len()).map(|i| photos.iter().map(|p| p[i]).sum()).collect());
        let photo = unit(from_centre(&stripes(9)));
        let cosine = |other: &[f64]| photo.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
        let nearest =
            [0, 5].map(|seed| cosine(&unit(from_centre(&stripes(seed))))).into_iter().fold(-1.0, f64::max);
        let margin = cosine(&prototype) - nearest;

        let probabilities = Probability::softmax(&after, 2.0);
        let [pyramid, dome, mill] = [0, 1, 2].map(|class| f64::from(probabilities[class].value()));
        let (found, expected) = ((mill / pyramid.max(dome)).ln(), 12.0 * margin - 4.0);
        assert!((found - expected).abs() < 1e-3, "{found} should be {expected}");
        let sum: f64 = probabilities.iter().map(|probability| f64::from(probability.value())).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }

    #[test]
    fn what_was_learned_is_in_the_bundle_and_gone_once_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        for score in OodScore::ALL {
            let mut model = model();
            model.calibrate(calibration(score, &model));
            let before = model.forward(&[stripes(9)]);
            model.learn("Old Mill", &[stripes(1)]).unwrap();
            model.learn("New Mill", &[stripes(2)]).unwrap();
            model.save(&path).unwrap();
            let mut opened = Model::open(&path).unwrap().with_precision(Precision::F32);
            assert_eq!((opened.info(), opened.bank()), (model.info(), model.bank()));
            assert_eq!(opened.forward(&[stripes(9)]), model.forward(&[stripes(9)]));

            opened.forget("old mill").unwrap();
            assert_eq!(logits(&opened, &stripes(9))[2], logits(&model, &stripes(9))[3], "New Mill moves up");
            opened.forget("New Mill").unwrap();
            assert_eq!(opened.forward(&[stripes(9)]), before);
            opened.save(&path).unwrap();
            assert!(Model::open(&path).unwrap().bank().learned.is_empty());
        }
    }

    #[test]
    fn photos_that_show_no_landmark_are_kept_only_where_the_score_needs_them() {
        for score in OodScore::ALL {
            let mut model = model();
            model.calibrate(calibration(score, &model));
            let kept = model.bank().non_landmarks.len();
            assert_eq!(kept, if score == OodScore::Similarity { 1 } else { 0 }, "{score:?}");
            assert_eq!(model.bank().prototypes.len(), 2);
        }
    }

    #[test]
    fn a_class_learned_again_is_learned_from_the_new_photos_alone() {
        let mut model = calibrated();
        model.learn("Old Mill", &[stripes(1)]).unwrap();
        assert_eq!(model.learn("old mill", &[stripes(2)]), Ok(LearnOutcome::Replaced));
        let again = logits(&model, &stripes(9));
        let mut fresh = calibrated();
        fresh.learn("Old Mill", &[stripes(2)]).unwrap();
        assert_eq!(again, logits(&fresh, &stripes(9)));
    }

    #[test]
    fn very_many_learned_classes_have_the_odds_of_the_exact_search_or_none() {
        let mut model = calibrated();
        let table = clustered(INDEX_FROM, 400, model.network().feature_count(), 5);
        let Bundle { info, bank, .. } = model.bundle_mut();
        for row in 0..table.len() {
            info.learning.as_mut().unwrap().classes.push(Class::from_folder(format!("{row}.Mill")));
            bank.learned.push(Embedding::stored(table.row(row)));
        }
        let exact = logits(&model, &stripes(9));
        let options = ModelOptions { neighbours: NeighbourSearch::Indexed, ..model.options().clone() };
        let indexed = logits(&model.with_options(options).unwrap(), &stripes(9));
        assert_eq!(indexed[..2], exact[..2]);
        let known: Vec<usize> = (2..exact.len()).filter(|&class| indexed[class].is_finite()).collect();
        assert_eq!(known.len(), 256);
        assert!(known.iter().all(|&class| indexed[class] == exact[class]));
    }

    #[test]
    fn calibrating_again_keeps_what_was_learned() {
        let mut model = calibrated();
        model.learn("Old Mill", &[stripes(1)]).unwrap();
        model.calibrate(calibration(OodScore::Similarity, &model));
        assert_eq!(model.classes().len(), 3);
        assert_eq!(logits(&model, &stripes(9)).len(), 3);
    }

    #[test]
    fn what_cannot_be_learned_or_forgotten_says_why() {
        let photos = [stripes(1)];
        let mut model = model();
        assert_eq!(model.learn("Old Mill", &photos), Err(LearnError::NotCalibrated));
        assert!(matches!(model.forget("Old Mill"), Err(LearnError::NotLearned { .. })));
        let mut model = calibrated();
        assert_eq!(model.learn(" ", &photos), Err(LearnError::NoName));
        assert!(matches!(model.learn("Old Mill", &[]), Err(LearnError::NoPhotos { .. })));
        for name in ["dome", "1.Dome", "5.Dome"] {
            assert!(matches!(model.learn(name, &photos), Err(LearnError::Trained { .. })), "{name}");
        }
        assert!(matches!(model.forget("Dome"), Err(LearnError::Trained { .. })));
        model.learn("Old Mill", &photos).unwrap();
        let message = model.forget("New Mill").unwrap_err().to_string();
        assert_eq!(message, "\"New Mill\" is not a learned landmark; those are: Old Mill");
    }
}
