//! What each operation computes, on Burn's tensors.

use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d, conv2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use cairn_kernels::layers::{self, ConvGeometry, GivenNorm, PoolGeometry};
use cairn_kernels::{Activation, Padding};

use super::{ConvPadding, NodeProblem, Op};
use crate::StateDict;
use crate::layers::generalised_mean;

impl Op {
    /// The output for these inputs, all `[batch, height, width, channels]`. With gradients where the inputs have them,
    /// which all must then.
    ///
    /// The graph's input itself has nothing to compute, nor has an operation without its inputs: both are a
    /// [`NodeProblem::Inputs`].
    pub(crate) fn compute(
        &self,
        inputs: Vec<Tensor<4>>,
        weights: &StateDict,
    ) -> Result<Tensor<4>, NodeProblem> {
        let count = inputs.len();
        let mut inputs = inputs.into_iter();
        let mut next = || inputs.next().ok_or(NodeProblem::Inputs(count));
        let x = next()?;
        let tensors = Tensors { weights, device: x.device() };
        Ok(match self {
            Self::Input { .. } => return Err(NodeProblem::Inputs(count)),
            Self::Conv2d { weight, bias, stride, padding, groups } => {
                convolve(x, tensors.of(weight)?, tensors.optional(bias)?, *stride, *padding, *groups)
            }
            Self::BatchNorm { weight, bias, running_mean, running_var, eps } => {
                let norm = GivenNorm {
                    weight: tensors.of(weight)?,
                    bias: tensors.of(bias)?,
                    mean: tensors.of(running_mean)?,
                    variance: tensors.of(running_var)?,
                    epsilon: *eps as f32,
                };
                layers::norm_fixed(x, norm, None, Activation::Identity)
            }
            Self::Relu => layers::activate(x, None, Activation::Relu),
            Self::Relu6 => layers::activate(x, None, Activation::Relu6),
            Self::HardSwish => layers::activate(x, None, Activation::HardSwish),
            Self::HardSigmoid => layers::activate(x, None, Activation::HardSigmoid),
            Self::Silu => layers::activate(x, None, Activation::Silu),
            Self::Sigmoid => layers::activate(x, None, Activation::Sigmoid),
            Self::Gelu => layers::activate(x, None, Activation::Gelu),
            Self::Add => layers::activate(x, Some(next()?), Activation::Identity),
            Self::Mul => multiply(x, next()?),
            Self::Concat => Tensor::cat([x].into_iter().chain(inputs).collect(), 3),
            Self::MaxPool { kernel: [window, width], stride: [stride, across], padding, ceil_mode }
                if window == width && stride == across && padding[0] == padding[1] =>
            {
                let (window, stride, ceil_mode) = (*window, *stride, *ceil_mode);
                let geometry = PoolGeometry { window, stride, padding: padding[0], ceil_mode };
                layers::max_pool2d(x, geometry)
            }
            Self::MaxPool { kernel, stride, padding, ceil_mode } => {
                let options = MaxPoolOptions::new(*kernel).with_stride(*stride).with_padding(*padding);
                in_planes(x, |x| max_pool2d(x, options.with_ceil_mode(*ceil_mode)))
            }
            Self::AveragePool { kernel, stride, padding } => {
                let options = AvgPoolOptions::new(*kernel).with_stride(*stride).with_padding(*padding);
                in_planes(x, |x| avg_pool2d(x, options.with_count_include_pad(true)))
            }
            Self::AdaptiveAveragePool { output } => in_planes(x, |x| adaptive_avg_pool2d(x, *output)),
            Self::GlobalAveragePool => pixel(layers::average(x)),
            Self::GeneralisedMean { power, eps } => pixel(generalised_mean(x, tensors.of(power)?, *eps)),
            Self::Flatten => pixel(layers::from_map(x).flatten(1, 3)),
            Self::Linear { weight, bias } => {
                let [batch, height, width, channels] = x.dims();
                let weight: Tensor<2> = tensors.of(weight)?;
                let [outputs, _] = weight.dims();
                let product = x.reshape([batch * height * width, channels]).matmul(weight.transpose());
                let y = product.reshape([batch, height, width, outputs]);
                match tensors.optional(bias)? {
                    Some(bias) => y + by_channel(bias),
                    None => y,
                }
            }
            Self::LayerNorm { weight, bias, eps } => {
                layers::layer_norm(x, tensors.of(weight)?, tensors.of(bias)?, *eps as f32)
            }
            Self::LayerScale { scale } => x * by_channel(tensors.flat(scale)?),
            Self::Dropout => x,
        })
    }
}

/// By the kernel where a map is scaled by a map of one pixel, as in squeeze-and-excitation.
fn multiply(x: Tensor<4>, factors: Tensor<4>) -> Tensor<4> {
    let ([.., channels], [batch, height, width, factor_channels]) = (x.dims(), factors.dims());
    if [height, width, factor_channels] == [1, 1, channels] {
        return layers::scale(x, factors.reshape([batch, channels]));
    }
    x * factors
}

/// By the kernels, which know one stride and one padding, or by Burn's own convolution.
fn convolve(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: [usize; 2],
    padding: ConvPadding,
    groups: usize,
) -> Tensor<4> {
    let known = match padding {
        ConvPadding::Each([down, across]) => (down == across).then_some(Padding::Each(down)),
        ConvPadding::Same => Some(Padding::Same),
    };
    if let (true, Some(padding)) = (stride[0] == stride[1], known) {
        return layers::conv2d(x, weight, bias, ConvGeometry { stride: stride[0], padding, groups });
    }
    let ([_, height, width, _], [_, _, down, across]) = (x.dims(), weight.dims());
    // Sizes that cannot be counted are refused when shapes are inferred.
    let zeros = padding.around([height, width], [down, across], stride).unwrap_or_default();
    let [[above, below], [left, right]] = zeros;
    let options = ConvOptions::new(stride, [0, 0], [1, 1], groups);
    in_planes(x, |x| conv2d(x.pad((left, right, above, below), 0.0), weight, bias, options))
}

/// The result of `operation` on the map as `[batch, channels, height, width]`.
fn in_planes(x: Tensor<4>, operation: impl FnOnce(Tensor<4>) -> Tensor<4>) -> Tensor<4> {
    layers::to_map(operation(layers::from_map(x)), FloatDType::F32)
}

/// `[batch, channels]` as maps of one pixel.
fn pixel(x: Tensor<2>) -> Tensor<4> {
    let [batch, channels] = x.dims();
    x.reshape([batch, 1, 1, channels])
}

/// `[channels]` as what a map can be added to or multiplied with.
fn by_channel(x: Tensor<1>) -> Tensor<4> {
    let [channels] = x.dims();
    x.reshape([1, 1, 1, channels])
}

/// The weights on the device where they are wanted.
struct Tensors<'a> {
    weights: &'a StateDict,
    device: Device,
}

impl Tensors<'_> {
    /// The tensor of this name, which has `AXES` axes.
    fn of<const AXES: usize>(&self, name: &str) -> Result<Tensor<AXES>, NodeProblem> {
        let missing = || NodeProblem::MissingTensor(name.to_owned());
        let shape = self.weights.shape(name).ok_or_else(missing)?;
        let fits: [usize; AXES] = shape.try_into().map_err(|_| NodeProblem::TensorAxes {
            name: name.to_owned(),
            found: shape.to_vec(),
            expected: AXES,
        })?;
        let values = self.weights.values(name).ok_or_else(missing)?;
        Ok(Tensor::from_data(TensorData::new(values.to_vec(), fits), &self.device))
    }

    fn optional(&self, name: &Option<String>) -> Result<Option<Tensor<1>>, NodeProblem> {
        name.as_deref().map(|name| self.of(name)).transpose()
    }

    /// The tensor of this name as a vector, whatever its axes.
    fn flat(&self, name: &str) -> Result<Tensor<1>, NodeProblem> {
        let values = self.weights.values(name).ok_or_else(|| NodeProblem::MissingTensor(name.to_owned()))?;
        Ok(Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &self.device))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;

    use super::*;

    /// Values of any sign, far from zero too.
    fn map(height: usize, width: usize) -> Tensor<4> {
        Tensor::random([2, height, width, 19], Distribution::Normal(0.0, 3.0), &Device::flex())
    }

    fn bits(x: Tensor<4>) -> Vec<u32> {
        x.into_data().iter::<f32>().map(f32::to_bits).collect()
    }

    #[track_caller]
    fn check(op: &Op, inputs: Vec<Tensor<4>>, weights: &StateDict, expected: Tensor<4>) {
        let computed = op.compute(inputs, weights).unwrap();
        assert_eq!(bits(computed), bits(expected), "{op:?}");
    }

    #[test]
    fn a_graph_computes_by_the_same_layers_as_the_network_to_the_bit() {
        let none = StateDict::default();
        for activation in [
            Activation::Relu,
            Activation::Relu6,
            Activation::Sigmoid,
            Activation::Silu,
            Activation::Gelu,
            Activation::HardSigmoid,
            Activation::HardSwish,
        ] {
            let (x, op) = (map(5, 7), Op::activation(activation).unwrap());
            check(&op, vec![x.clone()], &none, layers::activate(x, None, activation));
        }
        let (x, factors) = (map(5, 7), map(1, 1));
        let scaled = layers::scale(x.clone(), factors.clone().reshape([2, 19]));
        check(&Op::Mul, vec![x.clone(), factors], &none, scaled);
        let other = map(5, 7);
        check(&Op::Mul, vec![x.clone(), other.clone()], &none, x.clone() * other);

        let values = |from: f32| (0..19).map(|i| from + i as f32 / 8.0).collect::<Vec<f32>>();
        let tensor = |from| Tensor::<1>::from_floats(values(from).as_slice(), &Device::flex());
        let mut weights = StateDict::default();
        weights.insert("norm.weight", &[19], values(0.5));
        weights.insert("norm.bias", &[19], values(-1.0));
        let normalised = layers::layer_norm(x.clone(), tensor(0.5), tensor(-1.0), 1e-6);
        check(&Op::layer_norm("norm", 1e-6), vec![x.clone()], &weights, normalised);
        weights.insert("pool.p", &[1], vec![2.5]);
        let pooled = generalised_mean(x.clone(), Tensor::from_floats([2.5], &Device::flex()), 1e-3);
        let op = Op::GeneralisedMean { power: "pool.p".to_owned(), eps: 1e-3 };
        check(&op, vec![x], &weights, pixel(pooled));
    }
}
