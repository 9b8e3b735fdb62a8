//! Sampled classes: of very many, a step learns those that its photos show and some others by chance.
//!
//! With margins that is Partial FC (An et al. 2021, "Partial FC: Training 10 Million Identities on a Single Machine",
//! <https://arxiv.org/abs/2010.05222>), whose softmax is over the sampled classes as if there were no others. Without margins it
//! is a sampled softmax (Jean et al. 2015, <https://arxiv.org/abs/1412.2007>) with the log-Q correction of Bengio and Senécal
//! (2008): the sum over the classes that no photo shows is that of those sampled, divided by the share of them that is sampled.

use std::collections::BTreeSet;

use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::{Batch, ClassId};
use cairn_nets::{HeadRows, Network};
use chacha20::ChaCha8Rng;
use rand::SeedableRng;
use rand::seq::index;

/// The classes of a step, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SampledClasses {
    classes: Vec<ClassId>,
    /// Whether photos of the batch show each of them.
    shown: Vec<bool>,
    /// The share of all classes that no photo shows that is among them.
    share: f64,
}

impl SampledClasses {
    /// Those that the photos of a batch show, and as many others, all as likely, as make `count` together; of all `classes`. If
    /// the photos show more than `count`, there are no others.
    pub(crate) fn draw(batch: &Batch, classes: usize, count: usize, seed: u64) -> Self {
        let shown: BTreeSet<usize> = batch.labels.iter().map(|class| class.index()).collect();
        let others = classes - shown.len();
        let drawn = count.saturating_sub(shown.len()).min(others);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut numbers = index::sample(&mut rng, others, drawn).into_vec();
        numbers.sort_unstable();
        // The n-th of those that are not shown: as far behind as there are shown ones before it.
        let mut before = shown.iter().peekable();
        let mut passed = 0;
        let mut all: Vec<(usize, bool)> = shown.iter().map(|&class| (class, true)).collect();
        for number in numbers {
            while before.next_if(|&&class| class <= number + passed).is_some() {
                passed += 1;
            }
            all.push((number + passed, false));
        }
        all.sort_unstable();
        Self {
            classes: all.iter().map(|&(class, _)| ClassId::new(class)).collect(),
            shown: all.iter().map(|&(_, shown)| shown).collect(),
            share: drawn as f64 / others.max(1) as f64,
        }
    }

    /// The classes, in order.
    pub(crate) fn classes(&self) -> &[ClassId] {
        &self.classes
    }

    /// The outputs of a head of so many centres for each class.
    pub(crate) fn outputs(&self, centres: usize) -> Vec<u32> {
        let of_class = |class: &ClassId| {
            let first = class.index() * centres;
            // A head has fewer than 2^32 outputs.
            (first..first + centres).map(|output| output as u32)
        };
        self.classes.iter().flat_map(of_class).collect()
    }

    /// What is added to the logits of the classes so that the sum of their exponentials is on average that of all classes: `[1,
    /// classes]`, minus the logarithm of how likely each was to be here.
    pub(crate) fn corrections(&self, device: &Device) -> Tensor<2> {
        let other = -self.share.ln();
        let values: Vec<f32> =
            self.shown.iter().map(|&shown| if shown { 0.0 } else { other as f32 }).collect();
        let count = values.len();
        Tensor::from_data(TensorData::new(values, [1, count]), device)
    }

    /// The figures of these classes, of those of all.
    pub(crate) fn of<T: Copy>(&self, all: &[T]) -> Vec<T> {
        self.classes.iter().map(|class| all[class.index()]).collect()
    }
}

/// Weights of a head's outputs on their way through a step, with gradients.
#[derive(Debug)]
pub(crate) struct LearningRows {
    outputs: Vec<u32>,
    pub(crate) rows: HeadRows,
}

/// The gradients of the weights of some of a head's outputs.
#[derive(Debug, Clone)]
pub(crate) struct HeadGradient {
    /// The outputs.
    pub(crate) outputs: Vec<u32>,
    /// Of their weights.
    pub(crate) rows: HeadRows,
}

impl LearningRows {
    /// Takes the weights of these outputs out of a network on an autodiff device; `None` where its head is not linear.
    pub(crate) fn of(network: &Network, outputs: Vec<u32>) -> Option<Self> {
        let HeadRows { weight, bias } = network.head_rows(&outputs)?;
        let rows = HeadRows {
            weight: Tensor::from_inner(weight).require_grad(),
            bias: Tensor::from_inner(bias).require_grad(),
        };
        Some(Self { outputs, rows })
    }

    /// Their gradients. A bias that the loss does not depend on has zeros.
    pub(crate) fn gradient(self, gradients: &burn::tensor::Gradients) -> Option<HeadGradient> {
        let Self { outputs, rows: HeadRows { weight, bias } } = self;
        let weight = weight.grad(gradients)?;
        let bias = bias.grad(gradients).unwrap_or_else(|| Tensor::zeros([outputs.len()], &weight.device()));
        Some(HeadGradient { outputs, rows: HeadRows { weight, bias } })
    }
}

impl HeadGradient {
    /// On another device.
    pub(crate) fn moved_to(self, device: &Device) -> Self {
        let HeadRows { weight, bias } = self.rows;
        Self { rows: HeadRows { weight: weight.to_device(device), bias: bias.to_device(device) }, ..self }
    }

    /// Each tensor after `change`.
    pub(crate) fn map(self, change: impl Fn(Tensor<1>) -> Tensor<1>) -> Self {
        let HeadRows { weight, bias } = self.rows;
        let dims = weight.dims();
        let weight = change(weight.reshape([dims[0] * dims[1]])).reshape(dims);
        Self { rows: HeadRows { weight, bias: change(bias) }, ..self }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use cairn_dataset::Pixels;

    use super::*;

    /// A batch of photos of these classes, without pixels.
    pub(crate) fn batch(labels: &[usize]) -> Batch {
        Batch {
            number: 0,
            pixels: Pixels::default(),
            labels: labels.iter().map(|&class| ClassId::new(class)).collect(),
            examples: (0..labels.len()).collect(),
            weights: vec![1.0; labels.len()],
            height: 1,
            width: 1,
            views: 1,
            mixed_labels: None,
            bad: Vec::new(),
        }
    }

    #[test]
    fn the_classes_of_the_photos_are_always_there_and_others_as_often_as_each_other() {
        let batch = batch(&[7, 0, 7, 19]);
        let mut drawn = [0_usize; 20];
        for seed in 0..3_400 {
            let sampled = SampledClasses::draw(&batch, 20, 8, seed);
            assert_eq!(sampled, SampledClasses::draw(&batch, 20, 8, seed));
            assert!(sampled.classes().is_sorted() && sampled.classes().len() == 8);
            sampled.classes().iter().for_each(|class| drawn[class.index()] += 1);
            assert_eq!(sampled.share, 5.0 / 17.0);
        }
        for (class, times) in drawn.into_iter().enumerate() {
            // 5 of 17 in 3,400 draws: 1,000, to within five standard deviations.
            let expected = if [0, 7, 19].contains(&class) { 3_400..=3_400 } else { 870..=1_130 };
            assert!(expected.contains(&times), "{class}: {times}");
        }
    }

    #[test]
    fn all_classes_are_sampled_where_as_many_are_asked_for_and_those_shown_where_fewer_are() {
        let batch = batch(&[3, 1]);
        for count in [5, 9] {
            let all = SampledClasses::draw(&batch, 5, count, 1);
            assert_eq!(all.outputs(1), [0, 1, 2, 3, 4]);
            let corrections: Vec<f32> = all.corrections(&Device::flex()).into_data().iter::<f32>().collect();
            assert_eq!(corrections, [0.0; 5]);
        }
        let shown = SampledClasses::draw(&batch, 5, 1, 1);
        assert_eq!((shown.outputs(1), shown.outputs(2)), (vec![1, 3], vec![2, 3, 6, 7]));
        assert_eq!(shown.of(&[10, 11, 12, 13, 14]), [11, 13]);
        let labels = batch.soft_labels_of(shown.classes());
        assert_eq!(labels, [0.0, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn the_corrected_sum_is_on_average_that_of_all_classes() {
        let batch = batch(&[2]);
        let logits: Vec<f64> = (0..30).map(|class| f64::from(class).sin()).collect();
        let exact: f64 = logits.iter().map(|logit| logit.exp()).sum();
        let draws = 4_000;
        let mean = (0..draws)
            .map(|seed| {
                let sampled = SampledClasses::draw(&batch, 30, 10, seed);
                let corrections: Vec<f32> =
                    sampled.corrections(&Device::flex()).into_data().iter::<f32>().collect();
                let terms = sampled.of(&logits).into_iter().zip(corrections);
                terms.map(|(logit, correction)| (logit + f64::from(correction)).exp()).sum::<f64>()
            })
            .sum::<f64>()
            / draws as f64;
        assert!((mean / exact - 1.0).abs() < 0.02, "{mean} {exact}");
    }
}
