//! A part of a linear head's outputs: what a step of a training with very many classes learns.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;
use burn::tensor::module::linear;
use cairn_kernels::layers::{put_columns, take_columns};

use crate::head::Head;
use crate::network::Network;
use crate::traceable::Features;

/// The weights of some outputs of a linear head.
#[derive(Debug, Clone)]
pub struct HeadRows {
    /// `[features, outputs]`
    pub weight: Tensor<2>,
    /// `[outputs]`
    pub bias: Tensor<1>,
}

/// What the parameters of a linear head are filed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadIds {
    /// The weight's.
    pub weight: ParamId,
    /// The bias's.
    pub bias: ParamId,
}

impl Network {
    /// The parameters of the head, where it is linear: of every network but SqueezeNet.
    pub fn head_ids(&self) -> Option<HeadIds> {
        match self.classifier().head() {
            Head::Linear { linear, .. } => Some(linear.ids()),
            Head::Convolution(_) => None,
        }
    }

    /// How many outputs the head has.
    pub fn head_outputs(&self) -> usize {
        match self.classifier().head() {
            Head::Linear { linear, .. } => linear.outputs(),
            Head::Convolution(head) => head.conv.outputs(),
        }
    }

    /// The weights of these outputs of a linear head, without gradients; `None` where the head is none.
    ///
    /// # Panics
    /// If there is no such output.
    pub fn head_rows(&self, outputs: &[u32]) -> Option<HeadRows> {
        match self.classifier().head() {
            Head::Linear { linear, .. } => Some(linear.rows(outputs)),
            Head::Convolution(_) => None,
        }
    }

    /// The logits of some outputs for features, `[batch, features]` to `[batch, outputs]`: what [`Network::classify`] gives for
    /// these outputs, through dropout (where gradients are wanted), by these weights instead of its own.
    pub fn classify_by(&self, features: Tensor<2>, rows: &HeadRows) -> Tensor<2> {
        let features = Features::Eager(features);
        let features = match self.classifier().head() {
            Head::Linear { dropout: Some(dropout), .. } => features.dropout(dropout),
            Head::Linear { dropout: None, .. } | Head::Convolution(_) => features,
        };
        linear(features.tensor(), rows.weight.clone(), Some(rows.bias.clone()))
    }

    /// The network with these weights, without gradients, in the place of those of [`Network::head_rows`].
    ///
    /// # Panics
    /// If there is no such output.
    #[must_use]
    pub fn with_head_rows(self, outputs: &[u32], rows: HeadRows) -> Self {
        match self.head_ids() {
            Some(ids) => self.map(&mut Replacer { ids, outputs, rows }),
            None => self,
        }
    }
}

struct Replacer<'a> {
    ids: HeadIds,
    outputs: &'a [u32],
    rows: HeadRows,
}

impl ModuleMapper for Replacer<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let taken = match param.id {
            id if id == self.ids.weight => self.rows.weight.clone(),
            id if id == self.ids.bias => self.rows.bias.clone().unsqueeze::<2>(),
            _ => return param,
        };
        let (id, tensor, mapper) = param.consume();
        let (dims, learns, device) = (tensor.dims(), tensor.is_require_grad(), tensor.device());
        // Outside of the graph nothing else holds the memory, so that it is written in place.
        let tensor = if device.is_autodiff() { tensor.inner() } else { tensor };
        let width = dims.last().copied().unwrap_or(1);
        let count: usize = dims.iter().product();
        let matrix: Tensor<2> = tensor.reshape([count / width.max(1), width]);
        let tensor: Tensor<D> = put_columns(matrix, taken, self.outputs).reshape(dims);
        let tensor = if device.is_autodiff() { Tensor::from_inner(tensor) } else { tensor };
        Param::from_mapped_value(id, tensor.set_require_grad(learns), mapper)
    }
}

impl HeadRows {
    /// Those of these whole weights, `[features, outputs]` and `[outputs]`.
    pub(crate) fn of(weight: Tensor<2>, bias: Tensor<1>, outputs: &[u32]) -> Self {
        let plain = |tensor: Tensor<2>| if tensor.device().is_autodiff() { tensor.inner() } else { tensor };
        let bias = take_columns(plain(bias.unsqueeze::<2>()), outputs);
        Self { weight: take_columns(plain(weight), outputs), bias: bias.reshape([outputs.len()]) }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::{Architecture, Init, NetworkSpec, Pooling};

    fn network(device: &Device) -> Network {
        let spec = NetworkSpec {
            architecture: Architecture::ThreeConv,
            classes: 5,
            side: 16,
            dropout: 0.0,
            pooling: Pooling::Average,
        };
        spec.build(Init::Default, 1, &Device::flex()).unwrap().fork(device)
    }

    fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().iter::<f32>().collect()
    }

    #[test]
    fn rows_give_the_logits_of_their_outputs() {
        let network = network(&Device::flex());
        let count = network.feature_count();
        let values: Vec<f32> = (0..2 * count).map(|i| (i as f32 * 0.3).sin()).collect();
        let features = Tensor::<2>::from_data(TensorData::new(values, [2, count]), &Device::flex());
        let all = numbers(network.classify(features.clone()));
        let rows = network.head_rows(&[4, 1]).unwrap();
        let some = numbers(network.classify_by(features, &rows));
        for (found, expected) in some.iter().zip([all[4], all[1], all[9], all[6]]) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    #[test]
    fn rows_that_are_put_back_change_their_outputs_alone_with_gradients_and_without() {
        for device in [Device::flex(), Device::flex().autodiff()] {
            let network = network(&device);
            let before = network.state_dict();
            let HeadRows { weight, bias } = network.head_rows(&[3, 0]).unwrap();
            let rows = HeadRows { weight: weight.mul_scalar(2.0), bias: bias.add_scalar(1.0) };
            let after = network.with_head_rows(&[3, 0], rows).state_dict();
            for (name, _) in before.shapes() {
                let (before, after) = (before.values(name).unwrap(), after.values(name).unwrap());
                let width = before.len() / 5;
                for (place, (before, after)) in before.iter().zip(after).enumerate() {
                    let changed = name.starts_with("fc2.") && [0, 3].contains(&(place / width));
                    let expected = match (changed, name == "fc2.bias") {
                        (true, true) => before + 1.0,
                        (true, false) => before * 2.0,
                        (false, _) => *before,
                    };
                    assert_eq!(*after, expected, "{name} {place}");
                }
            }
        }
    }
}
