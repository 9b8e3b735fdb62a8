//! A layer's bias and batch norm as a factor and a term of each output channel.

use super::plan::Layer;
use super::settings::QuantiseError;
use crate::StateDict;
use crate::graph::NodeProblem;

/// `product * factor + term` for each output channel, where the product is that of weights and input alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Folded {
    pub(super) factors: Vec<f64>,
    pub(super) terms: Vec<f64>,
}

impl Folded {
    pub(super) fn of(layer: &Layer, outputs: usize, weights: &StateDict) -> Result<Self, QuantiseError> {
        let values = |name: &String| -> Result<Vec<f64>, QuantiseError> {
            let values = weights.values(name).filter(|values| values.len() == outputs);
            let values = values.ok_or_else(|| layer.fault(name))?;
            Ok(values.iter().map(|&value| f64::from(value)).collect())
        };
        let bias = layer.bias.as_ref().map_or_else(|| Ok(vec![0.0; outputs]), values)?;
        let Some(norm) = &layer.norm else { return Ok(Self { factors: vec![1.0; outputs], terms: bias }) };
        let (scale, shift) = (values(&norm.weight)?, values(&norm.bias)?);
        let (mean, variance) = (values(&norm.mean)?, values(&norm.variance)?);
        let factor = |channel: usize| scale[channel] / (variance[channel] + norm.epsilon).sqrt();
        let factors: Vec<f64> = (0..outputs).map(factor).collect();
        let term = |channel: usize| (bias[channel] - mean[channel]) * factors[channel] + shift[channel];
        let terms = (0..outputs).map(term).collect();
        Ok(Self { factors, terms })
    }
}

impl Layer {
    /// A tensor of the layer that is missing or of another length.
    pub(super) fn fault(&self, tensor: &str) -> QuantiseError {
        let problem = NodeProblem::MissingTensor(tensor.to_owned());
        QuantiseError::Graph(crate::graph::GraphError { node: self.path.clone(), op: "layer", problem })
    }

    /// The name of the tensor to which a term of each output channel can be added, if there is one.
    pub(super) fn shift(&self) -> Option<&str> {
        self.norm.as_ref().map(|norm| norm.bias.as_str()).or(self.bias.as_deref())
    }
}
