//! What a trained model must know before it can say "none of my landmarks" and learn new ones: measured on the photos
//! held back from its training, and on photos that show no landmark.

mod error;
mod sure;
mod unseen_kinds;

use std::path::PathBuf;

use cairn_dataset::{ClassId, Example, ImageFolder};
use cairn_eval::{
    Answer, Observation, OperatingPoint, PlattScale, RECALL, RejectionMetrics, Scores, Shows, platt_scaling,
    threshold_at_recall,
};
use cairn_model::{
    Backbone, BundleInfo, Calibration, Conformal, Embedding, EmbeddingBank, Model, ModelOutput, OodScore,
    PhotoSource, Probability, Rejection, Whitening,
};
use cairn_photo::PhotoError;

use crate::recipe::Recipe;
use crate::tools::answer::answer;

pub use error::CalibrateError;
use sure::{Distractors, sure_threshold};
pub use sure::{SureOutcome, calibrate_sure};
pub use unseen_kinds::UnseenKind;
use unseen_kinds::unseen_kinds;

/// From how many photos a class is usually learned.
const SHOTS: usize = 5;
/// How many times, at most, each class is learned from so many of its photos, to weigh margins.
const DRAWS: usize = 4;
/// What suits the classes that will be learned, by what the network's features learned.
struct FewShot {
    /// How much of the mean variance within classes is added to that of every direction before it is evened out.
    shrinkage: f64,
    /// How many times as often as one trained class a photo shows a class that somebody taught the model.
    prior: f64,
}

// Such a class is one of which its teacher has photos, hence a prior above 1. And where the features learned to tell these
// very classes apart, the one that plays unknown is told more easily than one that the network never saw, so that odds
// fitted on it are too severe; and what varies within classes lies in few directions. Chosen on validation photos and
// three classes left out of a training, at a loss of one point: docs/decisions/007-what-a-model-does-not-know.md.
const FINE_TUNED: FewShot = FewShot { shrinkage: 0.3, prior: 10.0 };
const FROZEN: FewShot = FewShot { shrinkage: 3.0, prior: 2.5 };
/// Features between the two.
const BLENDED: FewShot = FewShot { shrinkage: 3.0, prior: 4.0 };

/// Steps of k-means.
const STEPS: usize = 10;

/// What a calibration found.
#[derive(Debug)]
pub struct CalibrationOutcome {
    /// What the logits are divided by from now on.
    pub temperature: f64,
    /// How the model's backbone was trained. `None` if neither the bundle nor its recipe says so: then it was taken for
    /// fine-tuned.
    pub backbone: Option<Backbone>,
    /// How well each score tells landmarks from other photos.
    pub scores: Vec<ScoreQuality>,
    /// The score that the model goes by from now on.
    pub rejection: Rejection,
    /// What its threshold accepts of the validation photos and of the photos that show no landmark, and what its sure
    /// threshold accepts, where these are enough for one.
    pub points: Vec<OperatingPoint>,
    /// How the rejection does on each kind of photos without a landmark when it is chosen with the other kinds; empty where there
    /// are less than two.
    pub unseen_kinds: Vec<UnseenKind>,
    /// Photos that were left out.
    pub bad_photos: Vec<PhotoError>,
}

/// How well one score tells landmarks from other photos.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreQuality {
    /// The score.
    pub score: OodScore,
    /// On validation photos and photos that show no landmark; not numbers where there were none of these.
    pub metrics: RejectionMetrics,
    /// Where 95 % of the validation photos are accepted.
    pub threshold: f64,
}

/// A photo that could be read, and what the network made of it.
struct Seen {
    class: ClassId,
    output: ModelOutput,
}

/// Calibrates `model` on the data set that it was trained on, and on photos that show none of its landmarks, a list for
/// each kind of these. `on_photo` is called after each photo.
///
/// 1. The temperature is fitted to the validation photos. So are the sets of landmarks ([`Conformal`]): one number more or less
///    for the temperature changes little of what they promise.
/// 2. The score that tells validation photos from non-landmarks best, by AUROC, is chosen, with the threshold that
///    accepts 95 % of the validation photos. Without non-landmarks it is the confidence.
/// 3. The sure threshold is one that 2 % of the non-landmarks of any kind reach at most
///    ([`threshold_at_false_landmarks`](cairn_eval::threshold_at_false_landmarks)).
/// 4. Margins between prototypes are made odds, for classes to be learned later: every class in turn plays one that was
///    not trained, its prototype being the mean of five of its training photos. The scale is the one under which it is
///    most probable which validation photos show it.
///
/// # Errors
/// When the data set is not of the model's classes, its validation photos are all of one class, or not one photo of a
/// part or without a landmark can be read.
pub fn calibrate(
    model: &mut Model,
    data: &ImageFolder,
    non_landmarks: &[Vec<PathBuf>],
    mut on_photo: impl FnMut(),
) -> Result<CalibrationOutcome, CalibrateError> {
    let root = || data.root.clone();
    if data.classes != model.info().classes {
        return Err(CalibrateError::Classes { root: root() });
    }
    let mut bad_photos = Vec::new();
    let mut outputs = |photos: Vec<PhotoSource>| -> Vec<Option<ModelOutput>> {
        let seen = model.outputs(photos).map(|output| {
            on_photo();
            output.map_err(|error| bad_photos.push(error)).ok()
        });
        seen.collect()
    };
    let mut see = |examples: &[Example], part| {
        let read = examples.iter().zip(outputs(examples.iter().map(Into::into).collect()));
        let seen: Vec<Seen> = read
            .filter_map(|(example, output)| Some(Seen { class: example.class, output: output? }))
            .collect();
        if seen.is_empty() { Err(CalibrateError::NoPhotos { root: root(), part }) } else { Ok(seen) }
    };
    let train = see(&data.train, "training")?;
    let valid = see(&data.valid, "validation")?;
    let distractors =
        Distractors::seen(non_landmarks, |paths| outputs(paths.iter().map(Into::into).collect()))?;

    let temperature = temperature(&valid, data.classes.len());
    model.set_temperature(temperature);
    model.set_conformal(conformal(&valid, data.classes.len(), temperature));
    let prototypes = prototypes(&train, data.classes.len());
    let photos: Vec<(&Embedding, usize)> =
        train.iter().map(|seen| (&seen.output.embedding, seen.class.index())).collect();
    // There are as many prototypes as classes, and no model has none.
    let backbone = known_backbone(model.info());
    let few_shot = FewShot::fitting(backbone.unwrap_or(Backbone::FineTuned));
    let whitening = Whitening::of(&photos, &prototypes, few_shot.shrinkage).expect("a prototype");
    let centres: Vec<Vec<Embedding>> = (0..data.classes.len())
        .map(|class| centres(&whitening, &embeddings_of(&train, ClassId::new(class)).collect::<Vec<_>>()))
        .collect();
    let odds = weigh_margins(&whitening, &centres, few_shot.prior, &train, &valid)
        .ok_or_else(|| CalibrateError::OneClass { root: root() })?;
    let bank = EmbeddingBank {
        prototypes,
        centres: centres.concat(),
        non_landmarks: distractors.embeddings(),
        learned: Vec::new(),
        whitening: Some(whitening),
    };
    let answers_by = |score| answers(score, model, &bank, &valid, &distractors);
    let scores: Vec<ScoreQuality> =
        OodScore::ALL.into_iter().map(|score| quality(score, &answers_by(score))).collect();
    let ScoreQuality { score, threshold, .. } = best(&scores);
    let sure = sure_threshold(&distractors, score, threshold, &distractors.scores(score, model, &bank));
    let chosen = answers_by(score);
    let points = std::iter::once(threshold).chain(sure).map(|at| OperatingPoint::of(at, &chosen)).collect();
    let rejection = Rejection { score, threshold, sure };
    let unseen_kinds = unseen_kinds(model, &bank, &valid, &distractors);
    model.calibrate(Calibration { rejection, bank, scale: odds.scale, offset: odds.offset });
    if let Some(backbone) = backbone {
        model.set_backbone(backbone);
    }
    Ok(CalibrationOutcome { temperature, backbone, scores, rejection, points, unseen_kinds, bad_photos })
}

impl FewShot {
    /// By what the network's features learned from the data set.
    fn fitting(backbone: Backbone) -> Self {
        match backbone {
            Backbone::Frozen => FROZEN,
            Backbone::Blended => BLENDED,
            Backbone::FineTuned => FINE_TUNED,
        }
    }
}

/// How the model's backbone was trained: by its bundle, or by its recipe for bundles older than that field. `None` if
/// neither says so.
fn known_backbone(info: &BundleInfo) -> Option<Backbone> {
    // As written, whether or not this machine could train it.
    let by_recipe = || toml::from_str::<Recipe>(&info.provenance.recipe).ok().map(|recipe| recipe.backbone());
    info.backbone.or_else(by_recipe)
}

fn temperature(valid: &[Seen], classes: usize) -> f64 {
    let mut scores = Scores::new(classes);
    for seen in valid {
        scores.push(seen.class, &seen.output.logits[..classes]);
    }
    scores.fit_temperature()
}

/// The sets of landmarks that the validation photos promise. Learned classes are none of theirs.
fn conformal(valid: &[Seen], classes: usize, temperature: f64) -> Option<Conformal> {
    let truth = |seen: &Seen| {
        let probabilities = Probability::softmax(&seen.output.logits[..classes], temperature);
        probabilities[seen.class.index()]
    };
    Conformal::of(valid.iter().map(truth).collect())
}

/// The mean embedding of each class's photos. A class without a photo that could be read is like nothing.
fn prototypes(train: &[Seen], classes: usize) -> Vec<Embedding> {
    let photos_of = |class| embeddings_of(train, ClassId::new(class));
    let nothing = || Embedding::of(&vec![0.0; train[0].output.embedding.values().len()]);
    (0..classes).map(|class| Embedding::mean(photos_of(class)).unwrap_or_else(nothing)).collect()
}

fn embeddings_of(seen: &[Seen], class: ClassId) -> impl Iterator<Item = &Embedding> {
    seen.iter().filter(move |seen| seen.class == class).map(|seen| &seen.output.embedding)
}

/// What a model that goes by `score` answers for landmarks, then for other photos.
fn answers(
    score: OodScore,
    model: &Model,
    bank: &EmbeddingBank,
    landmarks: &[Seen],
    distractors: &Distractors,
) -> Vec<Answer> {
    let score_of = |output: &ModelOutput| match score {
        OodScore::Similarity => bank.similarity(&output.embedding, 0),
        OodScore::Confidence | OodScore::Energy | OodScore::Entropy => model.score(output, score),
    };
    let landmark = |seen: &Seen| answer(score_of(&seen.output), &seen.output, Some(seen.class));
    let others = distractors.scores(score, model, bank).into_iter().zip(&distractors.outputs);
    let other = |(score, output): (f64, &ModelOutput)| answer(score, output, None);
    landmarks.iter().map(landmark).chain(others.map(other)).collect()
}

fn quality(score: OodScore, answers: &[Answer]) -> ScoreQuality {
    let landmarks: Vec<f64> =
        answers.iter().filter(|a| a.shows != Shows::NoLandmark).map(|answer| answer.score).collect();
    // Without a landmark there would be no answers at all: `calibrate` has seen to that.
    let threshold = threshold_at_recall(&landmarks, RECALL).unwrap_or(f64::NEG_INFINITY);
    ScoreQuality { score, metrics: RejectionMetrics::of(answers), threshold }
}

/// The score of the highest AUROC; the first, which is the simplest, of equal ones or where there is none.
fn best(scores: &[ScoreQuality]) -> ScoreQuality {
    let mut best = scores[0];
    for &quality in scores {
        if quality.metrics.auroc > best.metrics.auroc {
            best = quality;
        }
    }
    best
}

/// The scale and offset that make the margin of a class's prototype the logarithm of odds; see [`calibrate`].
fn weigh_margins(
    whitening: &Whitening,
    centres: &[Vec<Embedding>],
    prior: f64,
    train: &[Seen],
    valid: &[Seen],
) -> Option<PlattScale> {
    let trained: Vec<Vec<Embedding>> = centres
        .iter()
        .map(|of_class| of_class.iter().map(|centre| whitening.apply(centre)).collect())
        .collect();
    let photos: Vec<(Embedding, ClassId)> =
        valid.iter().map(|seen| (whitening.apply(&seen.output.embedding), seen.class)).collect();
    let mut observations = Vec::new();
    for class in (0..trained.len()).map(ClassId::new) {
        let nearest_other: Vec<f64> =
            photos.iter().map(|(photo, _)| nearest_but(photo, &trained, class)).collect();
        let own: Vec<&Embedding> = embeddings_of(train, class).collect();
        for few in own.chunks(SHOTS).take(DRAWS) {
            let Some(prototype) = whitening.mean(few.iter().copied()) else { continue };
            let prototype = whitening.apply(&prototype);
            observations.extend(photos.iter().zip(&nearest_other).map(|((photo, shown), nearest)| {
                Observation {
                    score: photo.cosine(&prototype) - nearest,
                    // Here it shows it as often as any other.
                    known: -prior.ln(),
                    positive: *shown == class,
                }
            }));
        }
    }
    platt_scaling(&observations)
}

/// Similarity to the most similar centre of all trained classes but one.
fn nearest_but(photo: &Embedding, trained: &[Vec<Embedding>], class: ClassId) -> f64 {
    let others = trained.iter().enumerate().filter(|(other, _)| *other != class.index());
    others
        .flat_map(|(_, centres)| centres)
        .map(|centre| photo.cosine(centre))
        .fold(f64::NEG_INFINITY, f64::max)
}

/// One centre of a class's photos, or two of a class of many: its outside and its inside, say (k-means, Lloyd 1982, by
/// the angle between evened embeddings).
fn centres(whitening: &Whitening, photos: &[&Embedding]) -> Vec<Embedding> {
    if photos.len() < 2 * SHOTS {
        return whitening.mean(photos.iter().copied()).into_iter().collect();
    }
    let evened: Vec<Embedding> = photos.iter().map(|photo| whitening.apply(photo)).collect();
    let farthest = |from: &Embedding| {
        evened.iter().min_by(|a, b| a.cosine(from).total_cmp(&b.cosine(from))).expect("there are photos")
    };
    let first = farthest(&evened[0]);
    let mut two = [first.clone(), farthest(first).clone()];
    let mut in_second = Vec::new();
    for _ in 0..STEPS {
        in_second = evened.iter().map(|photo| photo.cosine(&two[1]) > photo.cosine(&two[0])).collect();
        for (part, centre) in two.iter_mut().enumerate() {
            let members = evened.iter().zip(&in_second).filter(|(_, second)| usize::from(**second) == part);
            *centre = Embedding::mean(members.map(|(photo, _)| photo)).unwrap_or_else(|| centre.clone());
        }
    }
    let parts = [false, true].map(|second| {
        let members = photos.iter().zip(&in_second).filter(move |(_, in_second)| **in_second == second);
        whitening.mean(members.map(|(photo, _)| *photo))
    });
    parts.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use cairn_model::{ClassList, Provenance};
    use cairn_nets::{Architecture, NetworkSpec, Pooling};
    use cairn_photo::{Framing, Normalisation, Preprocess, TestViews};

    use super::*;
    use crate::recipe::BUILT_IN_RECIPES;

    fn info(backbone: Option<Backbone>, recipe: &str) -> BundleInfo {
        BundleInfo {
            network: NetworkSpec {
                architecture: Architecture::ThreeConv,
                classes: 2,
                side: 8,
                dropout: 0.0,
                pooling: Pooling::Average,
            },
            classes: ClassList::from_folders(["a", "b"]),
            preprocess: Preprocess {
                framing: Framing::Squash { width: 8, height: 8 },
                normalisation: Normalisation::IMAGENET,
            },
            views: TestViews::One,
            rejection: None,
            learning: None,
            backbone,
            temperature: 1.0,
            conformal: None,
            provenance: Provenance {
                cairn: String::new(),
                recipe: recipe.to_owned(),
                data_fingerprint: String::new(),
                epoch: 1,
                valid_loss: 1.0,
                valid_accuracy: 0.5,
            },
        }
    }

    #[test]
    fn what_the_bundle_says_of_its_backbone_holds_whatever_its_recipe_says() {
        let recipe = |name| BUILT_IN_RECIPES.iter().find(|(built_in, _)| *built_in == name).unwrap().1;
        for recipe in
            ["", "# imported from elsewhere\n", "not = [ a recipe", recipe("quick"), recipe("probe")]
        {
            for backbone in Backbone::ALL {
                assert_eq!(known_backbone(&info(Some(backbone), recipe)), Some(backbone), "{recipe}");
            }
        }
        // Bundles of before they said so.
        assert_eq!(known_backbone(&info(None, recipe("quick"))), Some(Backbone::FineTuned));
        assert_eq!(known_backbone(&info(None, recipe("probe"))), Some(Backbone::Frozen));
        assert_eq!(known_backbone(&info(None, "# imported from elsewhere\n")), None);
    }

    #[test]
    fn a_class_of_many_photos_has_two_centres_and_a_class_of_few_has_one() {
        // Two views of a landmark, far apart, and its prototype between them.
        let view = |axis: usize, n: usize| {
            let mut values = [0.1, 0.1, 0.02 * (n % 3) as f32, 0.02 * (n % 5) as f32];
            values[axis] = 1.0;
            Embedding::of(&values)
        };
        let photos: Vec<Embedding> = (0..12).map(|n| view(usize::from(n >= 8), n)).collect();
        let prototypes = [Embedding::mean(&photos).expect("photos"), Embedding::of(&[0.0, 0.0, 1.0, 0.5])];
        let whitening = Whitening::of(&[], &prototypes, 0.3).expect("prototypes");
        let photos: Vec<&Embedding> = photos.iter().collect();

        let two = centres(&whitening, &photos);
        assert_eq!(two.len(), 2);
        for (centre, axis) in [(&two[0], 1), (&two[1], 0)] {
            let likeness = centre.cosine(&view(axis, 0));
            assert!(likeness > 0.98 && likeness > 1.5 * centre.cosine(&view(1 - axis, 0)), "{likeness}");
        }
        let few = centres(&whitening, &photos[4..]);
        assert_eq!(few.len(), 1);
        assert!(few[0].cosine(&view(0, 0)) > 0.5 && few[0].cosine(&view(1, 0)) > 0.5);
        assert_eq!(centres(&whitening, &[]), []);
    }
}
