//! What photos say of a network's maps: their ranges, and their means.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor};
use cairn_kernels::in_pool;
use cairn_kernels::layers;

use super::fold::Folded;
use super::histogram::Histogram;
use super::plan::{Kind, Layer, Plan, Step};
use super::settings::{Int8Settings, LevelScale, QuantiseError};
use super::tensor::QuantisedTensor;
use crate::graph::Graph;
use crate::{Network, StateDict};

/// What the maps of a network are like, on the photos that it has looked at in f32.
#[derive(Debug, Clone)]
pub struct Calibration {
    graph: Graph,
    plan: Plan,
    weights: StateDict,
    side: usize,
    /// Of each step.
    histograms: Vec<Histogram>,
    /// Of each step, the sums of its channels over all pixels.
    sums: Vec<Vec<f64>>,
    /// Of each step, how many pixels those are.
    pixels: Vec<u64>,
    photos: usize,
}

impl Calibration {
    /// Of a network that looks at square photos of `side` pixels.
    pub fn new(network: &Network, side: usize) -> Self {
        let graph = network.graph(side);
        let plan = Plan::of(&graph);
        let count = plan.steps.len();
        Self {
            graph,
            weights: network.state_dict(),
            side,
            histograms: vec![Histogram::new(); count],
            sums: vec![Vec::new(); count],
            pixels: vec![0; count],
            photos: 0,
            plan,
        }
    }

    /// Looks at normalised photos, `[count, 3, side, side]`.
    ///
    /// # Errors
    /// When the graph does not fit the weights.
    ///
    /// # Panics
    /// When `pixels` are no whole photos.
    pub fn observe(&mut self, pixels: &[f32]) -> Result<(), QuantiseError> {
        let photo_len = 3 * self.side * self.side;
        assert!(pixels.len().is_multiple_of(photo_len), "{} numbers are no whole photos", pixels.len());
        let count = pixels.len() / photo_len;
        in_pool(|| {
            let images = layers::images(pixels, [count, 3, self.side, self.side], &Device::flex());
            let computed = self.graph.compute(&self.weights, images)?;
            for (index, step) in self.plan.steps.iter().enumerate() {
                let output: Tensor<4> = computed.output(step.output);
                let [_, _, _, channels] = output.dims();
                let values: Vec<f32> = output.into_data().iter::<f32>().collect();
                self.histograms[index].add(&values);
                self.sums[index].resize(channels, 0.0);
                self.pixels[index] += (values.len() / channels) as u64;
                for pixel in values.chunks_exact(channels) {
                    for (sum, value) in self.sums[index].iter_mut().zip(pixel) {
                        *sum += f64::from(*value);
                    }
                }
            }
            self.photos += count;
            Ok(())
        })
    }

    /// How many photos it has looked at.
    pub fn photos(&self) -> usize {
        self.photos
    }

    /// The paths of the layers that can compute in 8 bits, in the order of the network: all but the one that gives the
    /// logits, and those in groups.
    pub fn layers(&self) -> Vec<String> {
        let layers = self.plan.layers().filter(|(_, layer)| !layer.groups_of_several(&self.weights));
        layers.map(|(_, layer)| layer.path.clone()).collect()
    }

    /// What the levels of every map mean, with these layers in floats beside those that can be in nothing else.
    ///
    /// # Errors
    /// When it has looked at no photo, or there is no such layer.
    pub fn settings(&self, float: impl IntoIterator<Item = String>) -> Result<Int8Settings, QuantiseError> {
        if self.photos == 0 {
            return Err(QuantiseError::NoPhotos);
        }
        let in_groups = self.plan.layers().filter(|(_, layer)| layer.groups_of_several(&self.weights));
        let in_groups = in_groups.map(|(_, layer)| layer.path.clone());
        let float: BTreeSet<String> = float.into_iter().chain(in_groups).collect();
        let unknown = float.iter().find(|path| !self.plan.layers().any(|(_, layer)| layer.path == **path));
        if let Some(path) = unknown {
            return Err(QuantiseError::Layer(path.clone()));
        }
        let steps = self.plan.steps.iter().zip(&self.histograms);
        let ranges = steps.filter(|(step, _)| step.kind.has_range());
        let ranges =
            ranges.map(|(step, histogram)| (step.name.clone(), LevelScale::from(histogram.best_levels())));
        Ok(Int8Settings { ranges: ranges.collect(), float })
    }

    /// The network's tensors with the weights of all layers but those in floats rounded to 8 bits, and these weights as they
    /// are rounded, by name. The first layers, whose weights take the photo's normalisation in, are rounded when the network is
    /// made and stay as they are here; so does the layer that gives the logits.
    ///
    /// What rounding moves a channel's mean by is taken from its bias or norm, as far as the photos say it.
    ///
    /// # Errors
    /// When tensors are missing.
    pub fn rounded(
        &self,
        settings: &Int8Settings,
    ) -> Result<(StateDict, BTreeMap<String, QuantisedTensor>), QuantiseError> {
        let (mut tensors, mut rounded) = (self.weights.clone(), BTreeMap::new());
        for (step, layer) in self.plan.layers() {
            if settings.float.contains(&layer.path)
                || layer.groups_of_several(&tensors)
                || step.inputs[0] == 0
            {
                continue;
            }
            let missing = || layer.fault(&layer.weight);
            let (shape, values) = tensors
                .shape(&layer.weight)
                .map(<[usize]>::to_vec)
                .zip(self.weights.values(&layer.weight))
                .ok_or_else(missing)?;
            let quantised = QuantisedTensor::of(&shape, values);
            let found = quantised.dequantised();
            let lost = self.lost_means(step, layer, &shape, values, &found);
            let folded = Folded::of(layer, shape[0], &self.weights)?;
            if let Some(name) = layer.shift()
                && let Some((shift_shape, mut shift)) = tensors.take(name)
            {
                for ((shift, lost), factor) in shift.iter_mut().zip(lost).zip(folded.factors) {
                    *shift += (lost * if layer.norm.is_some() { factor } else { 1.0 }) as f32;
                }
                tensors.insert(name, &shift_shape, shift);
            }
            tensors.insert(&layer.weight, &shape, found);
            rounded.insert(layer.weight.clone(), quantised);
        }
        Ok((tensors, rounded))
    }

    /// By how much the mean of each output channel falls when `values` become `found`.
    fn lost_means(
        &self,
        step: &Step,
        layer: &Layer,
        shape: &[usize],
        values: &[f32],
        found: &[f32],
    ) -> Vec<f64> {
        let input = step.inputs[0];
        let pixels = self.pixels[input].max(1) as f64;
        let means: Vec<f64> = self.sums[input].iter().map(|sum| sum / pixels).collect();
        let (outputs, inputs) = (shape[0], shape[1]);
        let taps = shape[2..].iter().product::<usize>();
        let group_outputs = outputs / layer.groups;
        (0..outputs)
            .map(|output| {
                let first = output / group_outputs * inputs;
                let lost = |channel: usize| -> f64 {
                    let at = (output * inputs + channel) * taps;
                    let difference: f64 =
                        (at..at + taps).map(|at| f64::from(values[at]) - f64::from(found[at])).sum();
                    difference * means.get(first + channel).copied().unwrap_or_default()
                };
                (0..inputs).map(lost).sum()
            })
            .collect()
    }
}

impl Layer {
    /// Whether it is of several groups of several channels each, for which there are no kernels of bytes.
    pub(super) fn groups_of_several(&self, tensors: &StateDict) -> bool {
        let shape = tensors.shape(&self.weight).unwrap_or_default();
        self.groups > 1 && (shape.get(1) != Some(&1) || shape.first() != Some(&self.groups))
    }
}

impl Kind {
    /// Whether the output's levels have a meaning of their own, and not that of the input's.
    pub(super) fn has_range(&self) -> bool {
        !matches!(
            self,
            Self::Photo
                | Self::MaxPool(_)
                | Self::Flatten
                | Self::AdaptiveAverage { .. }
                | Self::Same
                | Self::Logits { .. }
        )
    }
}
