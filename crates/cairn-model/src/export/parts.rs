//! A model taken apart for export.

use cairn_nets::graph::Graph;
use cairn_nets::{Precision, StateDict};

use super::{ExportError, Exportable, TensorRef, WeightFormat};
use crate::{BundleInfo, Model};

/// A model's graph and a copy of its tensors, beside what its bundle says: what an [`Exportable`] borrows from.
#[derive(Debug, Clone)]
pub struct ModelParts<'a> {
    graph: Graph,
    weights: StateDict,
    info: &'a BundleInfo,
}

impl Model {
    /// The model taken apart for export.
    pub fn parts(&self) -> ModelParts<'_> {
        let info = self.info();
        let graph = self.network().graph(info.network.side);
        ModelParts { graph, weights: self.network().state_dict(), info }
    }

    /// The same model with its weights rounded as exports in `format` store them, computing in f32 as exported models
    /// do: what to compare an exported model with, and what to measure the price of rounding on.
    ///
    /// # Errors
    /// [`ExportError::Weights`] when the graph's tensors are not the network's.
    pub fn rounded(&self, format: WeightFormat) -> Result<Self, ExportError> {
        let parts = self.parts();
        let exportable = parts.exportable();
        let rounded = parts
            .weights
            .clone()
            .map_values(|name, shape, values| exportable.rounded(name, TensorRef { shape, values }, format));
        Ok(self.with_weights(&rounded)?.with_precision(Precision::F32))
    }
}

impl ModelParts<'_> {
    /// What the writers of the formats take.
    pub fn exportable(&self) -> Exportable<'_> {
        let tensors = self.weights.shapes().filter_map(|(name, shape)| {
            self.weights.values(name).map(|values| (name, TensorRef { shape, values }))
        });
        Exportable {
            graph: &self.graph,
            tensors: tensors.collect(),
            preprocess: &self.info.preprocess,
            temperature: 1.0,
            class_names: self.info.classes.iter().map(|(_, class)| class.name.as_str()).collect(),
        }
    }
}
