//! Convolution and its gradients from the definition.

use cairn_kernels::{Conv2dOptions, Conv2dShape, Padding};

use super::Sums;

/// One multiplication of a convolution: which element of each operand it joins.
struct Product {
    input: usize,
    weight: usize,
    output: usize,
}

/// Zeros before the map along an axis. Those after it follow from the number of positions.
fn zeros_before(padding: Padding, map: usize, kernel: usize, stride: usize) -> i64 {
    match padding {
        Padding::Each(zeros) => zeros as i64,
        Padding::Same => {
            let [map, kernel, stride] = [map, kernel, stride].map(|size| size as i64);
            let needed = ((map + stride - 1) / stride - 1) * stride + kernel - map;
            needed.max(0) / 2
        }
    }
}

/// Calls `visit` for every product of input, weight and output element whose input pixel lies in the map.
fn for_each_product(shape: &Conv2dShape, mut visit: impl FnMut(Product)) {
    let Conv2dOptions { batch, map, inputs, outputs, kernel, stride, padding, groups } = *shape.options();
    let positions = shape.output_map();
    let above = zeros_before(padding, map.height, kernel.height, stride);
    let left = zeros_before(padding, map.width, kernel.width, stride);
    let inside = |at: i64, size: usize| usize::try_from(at).ok().filter(|at| *at < size);
    let (inputs_each, outputs_each) = (inputs / groups, outputs / groups);
    for n in 0..batch {
        for y in 0..positions.height {
            for x in 0..positions.width {
                for ky in 0..kernel.height {
                    for kx in 0..kernel.width {
                        let row = inside((y * stride + ky) as i64 - above, map.height);
                        let column = inside((x * stride + kx) as i64 - left, map.width);
                        let (Some(row), Some(column)) = (row, column) else { continue };
                        for out in 0..outputs {
                            for within in 0..inputs_each {
                                let channel = out / outputs_each * inputs_each + within;
                                visit(Product {
                                    input: ((n * map.height + row) * map.width + column) * inputs + channel,
                                    weight: ((out * inputs_each + within) * kernel.height + ky)
                                        * kernel.width
                                        + kx,
                                    output: ((n * positions.height + y) * positions.width + x) * outputs
                                        + out,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `output = input * weights`.
pub(crate) fn forward(shape: &Conv2dShape, input: &[f64], weights: &[f64]) -> Sums {
    let mut output = Sums::zeros(shape.output_len());
    for_each_product(shape, |at| output.add(at.output, input[at.input] * weights[at.weight]));
    output
}

/// The gradient to the input.
pub(crate) fn input_gradient(shape: &Conv2dShape, output_gradient: &[f64], weights: &[f64]) -> Sums {
    let mut gradient = Sums::zeros(shape.input_len());
    for_each_product(shape, |at| gradient.add(at.input, output_gradient[at.output] * weights[at.weight]));
    gradient
}

/// The gradient to the weights.
pub(crate) fn weight_gradient(shape: &Conv2dShape, input: &[f64], output_gradient: &[f64]) -> Sums {
    let mut gradient = Sums::zeros(shape.weight_len());
    for_each_product(shape, |at| gradient.add(at.weight, input[at.input] * output_gradient[at.output]));
    gradient
}

/// The gradient to the bias.
pub(crate) fn bias_gradient(shape: &Conv2dShape, output_gradient: &[f64]) -> Sums {
    let outputs = shape.options().outputs;
    let mut gradient = Sums::zeros(outputs);
    for (at, value) in output_gradient.iter().enumerate() {
        gradient.add(at % outputs, *value);
    }
    gradient
}
