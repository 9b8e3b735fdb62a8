//! A convolution with a frozen norm gives, in one pass, what convolution and norm give one after the other.

use burn::tensor::{Device, Distribution, FloatDType, Tensor};
use cairn_kernels::layers::{
    ConvGeometry, FoldedConvCache, GivenNorm, conv2d, conv2d_norm, norm_fixed, to_map,
};
use cairn_kernels::{Activation, Padding};

/// Output and gradients to input, weight and residual, as f32.
type Found = Vec<Vec<f32>>;

struct Case {
    map: [usize; 4],
    outputs: usize,
    kernel: usize,
    geometry: ConvGeometry,
    residual: bool,
    activation: Activation,
}

const CASES: [Case; 6] = [
    Case {
        map: [3, 5, 9, 7],
        outputs: 13,
        kernel: 3,
        geometry: ConvGeometry { stride: 1, padding: Padding::Each(1), groups: 1 },
        residual: true,
        activation: Activation::Relu,
    },
    Case {
        map: [2, 33, 7, 9],
        outputs: 33,
        kernel: 3,
        geometry: ConvGeometry { stride: 2, padding: Padding::Each(1), groups: 33 },
        residual: false,
        activation: Activation::Relu6,
    },
    Case {
        map: [2, 40, 5, 5],
        outputs: 24,
        kernel: 1,
        geometry: ConvGeometry { stride: 1, padding: Padding::Each(0), groups: 1 },
        residual: true,
        activation: Activation::Identity,
    },
    Case {
        map: [1, 3, 12, 11],
        outputs: 16,
        kernel: 7,
        geometry: ConvGeometry { stride: 2, padding: Padding::Each(3), groups: 1 },
        residual: false,
        activation: Activation::Relu,
    },
    // No clamp: a pass of its own.
    Case {
        map: [2, 17, 6, 7],
        outputs: 18,
        kernel: 3,
        geometry: ConvGeometry { stride: 1, padding: Padding::Each(1), groups: 1 },
        residual: true,
        activation: Activation::Silu,
    },
    Case {
        map: [2, 21, 8, 9],
        outputs: 21,
        kernel: 5,
        geometry: ConvGeometry { stride: 2, padding: Padding::Same, groups: 21 },
        residual: false,
        activation: Activation::Relu6,
    },
];

impl Case {
    /// By the folded pass, and by convolution and norm one after the other.
    fn both(&self, dtype: FloatDType) -> [Found; 2] {
        let device = Device::flex().autodiff();
        device.seed(1);
        let normal = Distribution::Normal(0.0, 1.0);
        let [_, inputs, ..] = self.map;
        let kernel = [self.outputs, inputs / self.geometry.groups, self.kernel, self.kernel];
        let planes = Tensor::<4>::random(self.map, normal, &device);
        let weight = Tensor::<4>::random(kernel, Distribution::Normal(0.0, 0.3), &device);
        let channels =
            |from, to| Tensor::<1>::random([self.outputs], Distribution::Uniform(from, to), &device);
        let norm = GivenNorm {
            weight: channels(0.5, 2.0),
            bias: channels(-1.0, 3.0),
            mean: channels(-1.0, 1.0),
            variance: channels(0.5, 4.0),
            epsilon: 1e-5,
        };
        let shape = conv2d(to_map(planes.clone(), dtype), weight.clone(), None, self.geometry).shape();
        let residual = Tensor::<4>::random(shape.clone(), normal, &device).cast(dtype);
        let upstream = Tensor::<4>::random(shape, normal, &device);
        [true, false].map(|folded| {
            let input = planes.clone().require_grad();
            let weight = weight.clone().require_grad();
            let residual = self.residual.then(|| residual.clone().require_grad());
            let map = to_map(input.clone(), dtype);
            let output = if folded {
                conv2d_norm(
                    map,
                    weight.clone(),
                    None,
                    self.geometry,
                    norm.clone(),
                    residual.clone(),
                    self.activation,
                    &FoldedConvCache::default(),
                )
            } else {
                let map = conv2d(map, weight.clone(), None, self.geometry);
                norm_fixed(map, norm.clone(), residual.clone(), self.activation)
            };
            let output = output.cast(FloatDType::F32);
            let gradients = (output.clone() * upstream.clone()).sum().backward();
            let tensors = [
                Some(output.inner()),
                input.grad(&gradients),
                weight.grad(&gradients),
                residual.map(|residual| residual.grad(&gradients).expect("it leads to the loss")),
            ];
            tensors.into_iter().flatten().map(|tensor| tensor.into_data().iter::<f32>().collect()).collect()
        })
    }
}

/// Length of the difference over the length of the second.
fn distance(found: &[f32], expected: &[f32]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let pairs = || found.iter().zip(expected).map(|(&x, &y)| (f64::from(x), f64::from(y)));
    (square(&mut pairs().map(|(x, y)| x - y)) / square(&mut pairs().map(|(_, y)| y))).sqrt()
}

fn assert_near(number: usize, folded: &Found, apart: &Found, within: f64) {
    for (tensor, (folded, apart)) in folded.iter().zip(apart).enumerate() {
        let distance = distance(folded, apart);
        assert!(distance < within, "case {number}, tensor {tensor}: {distance}");
    }
}

/// One test, since Burn's generator is the whole process's.
#[test]
fn one_pass_and_two_agree_in_f32_and_in_bf16_within_its_rounding() {
    for (number, case) in CASES.into_iter().enumerate() {
        let [folded, apart] = case.both(FloatDType::F32);
        assert_eq!(folded.len(), if case.residual { 4 } else { 3 });
        assert_near(number, &folded, &apart, 1e-5);
        // Without an activation: a value near its bend may be clipped in one rounding and not in the other, and then its
        // whole gradient differs.
        let case = Case { activation: Activation::Identity, ..case };
        let ([_, exact], [folded, _]) = (case.both(FloatDType::F32), case.both(FloatDType::BF16));
        assert_near(number, &folded, &exact, 5e-3);
    }
}
