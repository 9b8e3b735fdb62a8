//! A convolution with TensorFlow's padding, and its gradients, are those of Burn's own convolution of a padded map: on the
//! kernels and without them.

// Everything here is a test, the helpers too.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, FloatDType, Tensor};
use cairn_kernels::Padding;
use cairn_kernels::layers::{self, ConvGeometry};

/// Height, width, kernel, stride, groups.
const CASES: [[usize; 5]; 5] =
    [[8, 9, 3, 2, 1], [7, 10, 5, 2, 6], [6, 5, 3, 1, 6], [11, 4, 5, 3, 2], [9, 8, 2, 1, 1]];

const CHANNELS: usize = 6;

/// The output and the gradients to input and weights.
fn outcome(
    input: &Tensor<4>,
    weight: &Tensor<4>,
    convolve: impl Fn(Tensor<4>, Tensor<4>) -> Tensor<4>,
) -> Vec<f32> {
    let (input, weight) = (input.clone().require_grad(), weight.clone().require_grad());
    let output = convolve(input.clone(), weight.clone());
    // A loss that every output enters by a share of its own.
    let shares = output.clone().detach().cos();
    let gradients = (output.clone() * shares).sum().backward();
    let gradient = |tensor: &Tensor<4>| tensor.grad(&gradients).expect("it leads to the loss");
    let tensors = [output.inner(), gradient(&input), gradient(&weight)];
    tensors.into_iter().flat_map(|tensor| tensor.into_data().iter::<f32>().collect::<Vec<_>>()).collect()
}

#[test]
fn a_convolution_pads_as_tensorflow_does() {
    let device = Device::flex().autodiff();
    device.seed(3);
    for [height, width, kernel, stride, groups] in CASES {
        let normal = Distribution::Normal(0.0, 1.0);
        let input = Tensor::<4>::random([2, CHANNELS, height, width], normal, &device);
        let weight = Tensor::<4>::random([CHANNELS, CHANNELS / groups, kernel, kernel], normal, &device);
        let geometry = ConvGeometry { stride, padding: Padding::Same, groups };
        let found = outcome(&input, &weight, |input, weight| {
            layers::from_map(layers::conv2d(layers::to_map(input, FloatDType::F32), weight, None, geometry))
        });
        let expected = outcome(&input, &weight, |input, weight| {
            // TensorFlow's formula.
            let zeros = |side: usize| ((side.div_ceil(stride) - 1) * stride + kernel).saturating_sub(side);
            let (down, across) = (zeros(height), zeros(width));
            let around = (across / 2, across - across / 2, down / 2, down - down / 2);
            let options = ConvOptions::new([stride; 2], [0; 2], [1; 2], groups);
            conv2d(input.pad(around, 0.0), weight, None, options)
        });
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(10.0), "{found} for {expected}");
        }
    }
}

#[test]
fn so_does_one_without_the_kernels() {
    // The choice is made once in a process.
    let test = "a_convolution_pads_as_tensorflow_does";
    let ran = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env("CAIRN_KERNELS", "off")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}
