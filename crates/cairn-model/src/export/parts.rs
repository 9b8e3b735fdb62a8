//! A model taken apart for export.

use cairn_nets::graph::Graph;
use cairn_nets::{Precision, StateDict};

use super::{ExportError, Exportable, TensorRef, WeightFormat};
use crate::bundle::Bundle;
use crate::{BundleInfo, EmbeddingBank, Model, OodScore};

/// A model's graph and a copy of its tensors, beside what its bundle says: what an [`Exportable`] borrows from.
///
/// What the bundle keeps beside the network stays out: landmarks learned without training, and a rejection score that
/// needs them.
#[derive(Debug, Clone)]
pub struct ModelParts {
    graph: Graph,
    weights: StateDict,
    pub(super) info: BundleInfo,
    /// What predictions call the classes, in their order.
    pub(super) names: Vec<String>,
}

impl Model {
    /// The model taken apart for export.
    pub fn parts(&self) -> ModelParts {
        let mut info = self.info().clone();
        info.learning = None;
        info.views = self.views();
        info.rejection = info.rejection.filter(|rejection| rejection.score != OodScore::Similarity);
        let names = info.classes.iter().map(|(_, class)| self.landmark_name(class).to_owned()).collect();
        let (graph, weights) = (self.network().graph(info.network.side), self.network().state_dict());
        ModelParts { graph, weights, info, names }
    }

    /// The model that an export in `format` holds: without what stays out, its weights rounded as they are stored,
    /// computing in f32. It is what an exported model is compared with, and what the price of rounding is measured on.
    ///
    /// # Errors
    /// [`ExportError::Weights`] when the tensors do not fit the network that they came from.
    pub fn as_exported(&self, format: WeightFormat) -> Result<Self, ExportError> {
        let parts = self.parts();
        let exportable = parts.exportable();
        let mut rounded = StateDict::default();
        for (name, tensor) in &exportable.tensors {
            rounded.insert(name, tensor.shape, exportable.rounded(name, *tensor, format));
        }
        let network = self.network().clone().with_state_dict(rounded)?;
        let bundle = Bundle::new(network, parts.info, EmbeddingBank::default());
        Ok(Self::from_bundle(bundle).with_precision(Precision::F32))
    }
}

impl ModelParts {
    /// What the writers of the formats take.
    pub fn exportable(&self) -> Exportable<'_> {
        let tensors = self.weights.shapes().filter_map(|(name, shape)| {
            self.weights.values(name).map(|values| (name, TensorRef { shape, values }))
        });
        Exportable {
            graph: &self.graph,
            tensors: tensors.collect(),
            preprocess: &self.info.preprocess,
            views: self.info.views,
            temperature: self.info.temperature as f32,
            class_names: self.names.iter().map(String::as_str).collect(),
        }
    }
}
