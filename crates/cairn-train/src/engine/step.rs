//! One batch: forward, loss, backward.

use std::ops::Range;
use std::sync::Arc;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor};
use cairn_dataset::Batch;
use cairn_kernels::layers::images;
use cairn_nets::{Network, Precision};

use crate::engine::arcface::{ArcFace, Margined};
use crate::engine::centres::NearestCentre;
use crate::engine::loss::{Loss, Targets};
use crate::engine::sampled_classes::{HeadGradient, LearningRows, SampledClasses};
use crate::engine::teachers::Teachers;

/// The figures of one step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepOutcome {
    /// Mean loss over the batch, in nats.
    pub loss: f64,
    /// Photos that were classified correctly.
    pub correct: usize,
    /// Photos in the batch.
    pub photos: usize,
    /// The centre of its own class that is nearest to each photo; empty where classes have one centre.
    pub nearest: Vec<NearestCentre>,
}

/// The input of one step: photos or features, with their targets.
#[derive(Debug, Clone)]
pub(crate) struct StepInput {
    pub input: Input,
    pub targets: Targets,
    /// The classes that targets are of; all if `None`.
    pub sampled: Option<Arc<SampledClasses>>,
}

/// Photos, or features of photos.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    /// `[photos, 3, height, width]`
    Images(Tensor<4>),
    /// `[photos, features]`
    Features(Tensor<2>),
}

impl StepInput {
    /// Some photos of a batch on an autodiff device, with the answers of the teachers if there are any.
    pub(crate) fn of(
        batch: &Batch,
        photos: Range<usize>,
        classes: ClassesOf<'_>,
        teachers: Option<&Teachers>,
        device: &Device,
    ) -> Self {
        let rows = |width: usize| photos.start * width..photos.end * width;
        let (labels, classes, sampled) = match classes {
            ClassesOf::All(classes) => (batch.soft_labels(classes), classes, None),
            ClassesOf::Sampled(sampled) => {
                let labels = batch.soft_labels_of(sampled.classes());
                (labels, sampled.classes().len(), Some(Arc::clone(sampled)))
            }
        };
        let labels = labels[rows(classes)].to_vec();
        let pixels = &batch.pixels[rows(3 * batch.height * batch.width)];
        let images = images(pixels, [photos.len(), 3, batch.height, batch.width], device);
        let answers = teachers.map(|teachers| teachers.answers(pixels, &images.clone().inner()));
        Self { input: Input::Images(images), targets: Targets { labels, answers }, sampled }
    }
}

/// The classes that a step learns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ClassesOf<'a> {
    /// All, so many.
    All(usize),
    /// Some of them.
    Sampled(&'a Arc<SampledClasses>),
}

/// The gradients of a step.
#[derive(Debug)]
pub(crate) struct StepGradients {
    /// Of the network's parameters.
    pub network: GradientsParams,
    /// Of the head's, where classes are sampled.
    pub head: Option<HeadGradient>,
}

/// A step that a GPU may still be computing.
#[derive(Debug)]
pub(crate) struct Launched {
    /// Of the mean loss.
    gradients: StepGradients,
    /// `[1]`
    loss: Tensor<1>,
    /// `[photos, classes]`
    logits: Tensor<2>,
    /// Nearest centres, `[photos, classes]`.
    nearest: Option<Tensor<2, Int>>,
    /// `[photos * classes]`
    labels: Vec<f32>,
    sampled: Option<Arc<SampledClasses>>,
}

impl Launched {
    /// Waits for the result of the step.
    pub(crate) fn outcome(self) -> (StepGradients, StepOutcome) {
        let [photos, classes] = self.logits.dims();
        let nearest = self.nearest.map_or_else(Vec::new, |nearest| {
            let centres: Vec<i64> = nearest.into_data().iter::<i64>().collect();
            let mut nearest = nearest_centres(&centres, &self.labels, classes);
            if let Some(sampled) = &self.sampled {
                nearest.iter_mut().for_each(|own| own.class = sampled.classes()[own.class].index());
            }
            nearest
        });
        let correct = count_correct(self.logits, &self.labels);
        let loss = f64::from(self.loss.into_data().iter::<f32>().next().unwrap_or(f32::NAN));
        (self.gradients, StepOutcome { loss, correct, photos, nearest })
    }
}

/// Launches the step of a batch, which must not be empty. Its input and the network are on an autodiff device.
pub(crate) fn launch(network: &Network, batch: StepInput, loss: &Loss, precision: Precision) -> Launched {
    let StepInput { input, targets, sampled } = batch;
    let plain = |logits| Margined { logits, nearest: None };
    let whole = loss;
    let (rows, loss) = match &sampled {
        Some(sampled) => {
            let centres = loss.margins.as_ref().map_or(1, ArcFace::centres);
            (LearningRows::of(network, sampled.outputs(centres)), &loss.of_classes(sampled))
        }
        None => (None, whole),
    };
    let features = |input| match input {
        Input::Images(images) => network.features(images, precision),
        Input::Features(features) => features,
    };
    let Margined { logits, nearest } = match (&loss.margins, input, &rows, &sampled) {
        (None, input, Some(LearningRows { rows, .. }), Some(sampled)) => {
            let logits = network.classify_by(features(input), rows);
            let corrections = sampled.corrections(&logits.device());
            plain(logits + corrections)
        }
        (None, Input::Images(images), ..) => plain(network.forward(images, precision)),
        (None, Input::Features(features), ..) => plain(network.classify(features)),
        (Some(margins), input, Some(LearningRows { rows, .. }), _) => {
            margins.logits_by(rows.weight.clone(), features(input), &targets.labels)
        }
        (Some(margins), input, None, _) => margins.logits(network, features(input), &targets.labels),
    };
    let loss = loss.of(logits.clone(), &targets);
    let graph = loss.backward();
    let head = rows.and_then(|rows| rows.gradient(&graph));
    let gradients = StepGradients { network: GradientsParams::from_grads(graph, network), head };
    Launched {
        gradients,
        loss: loss.inner(),
        logits: logits.inner(),
        nearest: nearest.map(Tensor::inner),
        labels: targets.labels,
        sampled,
    }
}

/// The gradients of the mean loss over a batch, as [`launch`] computes them.
pub(crate) fn backward(
    network: &Network,
    batch: StepInput,
    loss: &Loss,
    precision: Precision,
) -> (StepGradients, StepOutcome) {
    launch(network, batch, loss, precision).outcome()
}

/// Computes a step on photos of zeros and drops the result, to measure its memory; of the last layer only where `with_head` says
/// so.
pub(crate) fn rehearse(
    network: &Network,
    photos: usize,
    side: usize,
    precision: Precision,
    with_head: bool,
    device: &Device,
) {
    let images = Tensor::<4>::zeros([photos, 3, side, side], device);
    let outputs =
        if with_head { network.forward(images, precision) } else { network.features(images, precision) };
    let gradients = outputs.mean().backward();
    drop(GradientsParams::from_grads(gradients, network));
}

/// The number of photos whose largest logit is at the class with the largest label; the first of equals counts.
fn count_correct(logits: Tensor<2>, labels: &[f32]) -> usize {
    let [_, classes] = logits.dims();
    let logits: Vec<f32> = logits.into_data().iter::<f32>().collect();
    let rows = logits.chunks_exact(classes).zip(labels.chunks_exact(classes));
    rows.filter(|(logits, labels)| greatest(logits) == greatest(labels)).count()
}

/// Of each photo's centres, `[photos * classes]`, the one of the class with the largest label.
fn nearest_centres(centres: &[i64], labels: &[f32], classes: usize) -> Vec<NearestCentre> {
    let rows = centres.chunks_exact(classes).zip(labels.chunks_exact(classes));
    let own = rows.filter_map(|(centres, labels)| {
        let class = greatest(labels)?;
        Some(NearestCentre { class, centre: usize::try_from(centres[class]).ok()? })
    });
    own.collect()
}

/// The place of the largest value; the first of equals.
fn greatest(row: &[f32]) -> Option<usize> {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use burn::module::Module;
    use burn::tensor::TensorData;
    use cairn_nets::{Architecture, HeadIds, Init, NetworkSpec, Pooling};
    use cairn_reference::python_with;
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::optimizer::Optimizer;
    use crate::engine::parameter_groups::ParameterGroups;
    use crate::engine::sampled_classes::tests::batch;
    use crate::recipe::{OptimiserRecipe, Recipe};

    const CLASSES: usize = 12;
    const LABELS: [usize; 4] = [3, 9, 3, 0];

    fn network() -> Network {
        let spec = NetworkSpec {
            architecture: Architecture::ThreeConv,
            classes: CLASSES,
            side: 16,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        spec.build(Init::Default, 1, &Device::flex()).unwrap().train()
    }

    fn features(network: &Network) -> Tensor<2> {
        let count = network.feature_count();
        let value = |i: usize| ((i * 7919 % 1013) as f32 / 506.5 - 1.0) * 0.3;
        let values = TensorData::new((0..4 * count).map(value).collect::<Vec<_>>(), [4, count]);
        Tensor::from_data(values, &Device::flex().autodiff())
    }

    /// With label smoothing, and with margins if they are asked for.
    fn loss(margins: bool) -> Loss {
        let mut recipe = Recipe::find("demo").unwrap();
        recipe.training.label_smoothing = 0.1;
        recipe.metric = margins.then(|| toml::from_str("scale = 16.0\nmargin = 0.3").unwrap());
        Loss::new(&recipe, &[], CLASSES)
    }

    fn sampled(count: usize, seed: u64) -> Arc<SampledClasses> {
        Arc::new(SampledClasses::draw(&batch(&LABELS), CLASSES, count, seed))
    }

    /// The step of all features, which have gradients too, on all classes or these.
    fn step(
        network: &Network,
        features: Tensor<2>,
        loss: &Loss,
        sampled: Option<Arc<SampledClasses>>,
    ) -> (StepGradients, StepOutcome) {
        let labels = match &sampled {
            Some(sampled) => batch(&LABELS).soft_labels_of(sampled.classes()),
            None => batch(&LABELS).soft_labels(CLASSES),
        };
        let targets = Targets { labels, answers: None };
        backward(
            network,
            StepInput { input: Input::Features(features), targets, sampled },
            loss,
            Precision::F32,
        )
    }

    fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((f64::from(*found) - expected).abs() < tolerance, "{what} {place}: {found} {expected}");
        }
    }

    #[test]
    fn all_classes_sampled_are_the_full_loss_and_its_gradients() {
        let network = network();
        let HeadIds { weight, bias } = network.head_ids().unwrap();
        for margins in [false, true] {
            let (mut full, expected) = step(&network, features(&network), &loss(margins), None);
            let all = Some(sampled(CLASSES, 1));
            let (found, outcome) = step(&network, features(&network), &loss(margins), all);
            assert!((outcome.loss - expected.loss).abs() < 1e-6, "{outcome:?} {expected:?}");
            assert_eq!((outcome.correct, outcome.photos), (expected.correct, expected.photos));
            let head = found.head.unwrap();
            let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
            let expected = wide(numbers(full.network.remove::<2>(weight).unwrap()));
            assert_close(&numbers(head.rows.weight), &expected, 1e-6, "weight");
            if !margins {
                let expected = wide(numbers(full.network.remove::<1>(bias).unwrap()));
                assert_close(&numbers(head.rows.bias), &expected, 1e-6, "bias");
            }
        }
    }

    #[test]
    fn sampled_losses_gradients_and_steps_are_pytorchs() {
        let Some(python) = python_with(&["torch"]) else { return };
        let network = network();
        let state = network.valid().state_dict();
        let width = network.feature_count();
        let rows = |values: &[f32]| values.chunks_exact(width).map(<[f32]>::to_vec).collect::<Vec<_>>();
        let samples = [sampled(6, 1), sampled(7, 2)];
        let classes = samples.each_ref().map(|sampled| sampled.outputs(1));
        let given = json!({
            "features": rows(&numbers(features(&network))),
            "weight": rows(state.values("fc2.weight").unwrap()),
            "bias": state.values("fc2.bias").unwrap(),
            "labels": LABELS,
            "classes": classes,
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("given.json");
        std::fs::write(&path, given.to_string()).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sampled_classes_reference.py");
        let answers: Value = serde_json::from_str(&python.run(&script, &[path.as_os_str()])).unwrap();
        let expected = |of: &str, what: &str| -> Vec<f64> {
            serde_json::from_value(answers[of][what].clone()).unwrap_or_else(|error| panic!("{error}"))
        };
        for (name, margins) in [("softmax", false), ("arcface", true)] {
            let features = features(&network).require_grad();
            let sampled = Some(Arc::clone(&samples[0]));
            let (gradients, outcome) = step(&network, features, &loss(margins), sampled);
            let loss = answers[name]["loss"].as_f64().unwrap();
            assert!((outcome.loss - loss).abs() < 1e-5, "{name}: {} {loss}", outcome.loss);
            let head = gradients.head.unwrap();
            assert_close(&numbers(head.rows.weight), &expected(name, "weight"), 1e-5, name);
            if !margins {
                assert_close(&numbers(head.rows.bias), &expected(name, "bias"), 1e-5, name);
            }
        }
        let adam =
            OptimiserRecipe::Adam { learning_rate: 0.01, weight_decay: 0.0, decay_biases_and_norms: true };
        let mut optimizer = Optimizer::new(adam, ParameterGroups::default());
        let mut stepped = network;
        for sampled in samples {
            let (gradients, _) = step(&stepped, features(&stepped), &loss(false), Some(sampled));
            stepped = optimizer.step(0.01, stepped, gradients);
        }
        let state = stepped.valid().state_dict();
        for (name, what) in [("fc2.weight", "weight"), ("fc2.bias", "bias")] {
            // A step is 0.01 long, and Adam divides small gradients by their own size.
            assert_close(state.values(name).unwrap(), &expected("stepped", what), 3e-4, name);
        }
    }

    #[test]
    fn a_mixed_photo_counts_for_the_centre_of_the_class_that_it_shows_most_of() {
        let found = nearest_centres(&[2, 0, 1, 1], &[0.4, 0.6, 0.7, 0.3], 2);
        assert_eq!(found, [NearestCentre { class: 1, centre: 0 }, NearestCentre { class: 0, centre: 1 }]);
    }

    #[test]
    fn a_photo_is_right_when_its_likeliest_class_is_and_the_first_of_equals_counts() {
        let logits = Tensor::<2>::from_floats([[1.0, 3.0], [2.0, 2.0], [5.0, 1.0]], &Device::flex());
        assert_eq!(count_correct(logits, &[0.0, 1.0, 0.7, 0.3, 0.4, 0.6]), 2);
    }
}
