//! First weights follow their distributions, and nothing but scheme, seed and name.

use cairn_nets::{Architecture, Init, StateDict};

use crate::drawn;

/// Convolutions with and without biases, linear layers, batch norm of both kinds.
const NETWORKS: [Architecture; 3] =
    [Architecture::ThreeConv, Architecture::PlainCnn, Architecture::ResNet10Small];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layer {
    Convolution,
    Linear,
    BatchNorm,
}

/// A tensor of a network with what its first values depend on.
struct Parameter<'a> {
    name: &'a str,
    layer: Layer,
    is_bias: bool,
    /// Inputs of one output of the layer.
    fan_in: f64,
    /// Outputs that one input has a part in.
    fan_out: f64,
    values: &'a [f32],
}

fn parameters(weights: &StateDict) -> Vec<Parameter<'_>> {
    let shape = |wanted: &str| weights.shapes().find(|(name, _)| *name == wanted).map(|(_, shape)| shape);
    let parameter = |(name, _): (&'_ str, &[usize])| -> Option<Parameter<'_>> {
        let (layer_name, field) = name.rsplit_once('.')?;
        // The borrow is of the state dict, not of the shapes' iterator.
        let (name, values) = (weights.shapes().find(|(n, _)| *n == name)?.0, weights.values(name)?);
        let (layer, fan_in, fan_out) = match *shape(&format!("{layer_name}.weight"))? {
            [outputs, inputs, height, width] => {
                (Layer::Convolution, inputs * height * width, outputs * height * width)
            }
            [outputs, inputs] => (Layer::Linear, inputs, outputs),
            _ => (Layer::BatchNorm, 1, 1),
        };
        let (fan_in, fan_out) = (fan_in as f64, fan_out as f64);
        Some(Parameter { name, layer, is_bias: field == "bias", fan_in, fan_out, values })
    };
    weights.shapes().filter_map(parameter).collect()
}

/// The values of all parameters that `chosen` gives a scale for, each divided by it.
fn scaled(init: Init, chosen: impl Fn(&Parameter<'_>) -> Option<f64>) -> Vec<f64> {
    let mut all = Vec::new();
    for architecture in NETWORKS {
        let weights = drawn(architecture, 10, 32, init, 7).state_dict();
        for parameter in parameters(&weights) {
            if let Some(scale) = chosen(&parameter) {
                all.extend(parameter.values.iter().map(|&value| f64::from(value) / scale));
            }
        }
    }
    assert!(!all.is_empty());
    all
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
    (mean, variance.sqrt())
}

/// Uniform on [-1, 1], to four standard errors.
#[track_caller]
fn assert_uniform(values: &[f64]) {
    let (mean, deviation) = mean_and_deviation(values);
    let n = values.len() as f64;
    let expected = 1.0 / 3.0_f64.sqrt();
    assert!(mean.abs() < 4.0 * expected / n.sqrt(), "mean {mean} of {n}");
    // The variance of a uniform value's square is 4/45.
    assert!(
        (deviation.powi(2) - 1.0 / 3.0).abs() < 4.0 * (4.0 / 45.0 / n).sqrt(),
        "deviation {deviation} of {n}"
    );
    let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    assert!(largest > 1.0 - 20.0 / n && largest <= 1.0 + 1e-6, "largest {largest} of {n}");
}

/// Normal with mean 0 and deviation 1, to four standard errors, tails included.
#[track_caller]
fn assert_normal(values: &[f64]) {
    let (mean, deviation) = mean_and_deviation(values);
    let n = values.len() as f64;
    assert!(mean.abs() < 4.0 / n.sqrt(), "mean {mean} of {n}");
    assert!((deviation - 1.0).abs() < 4.0 / (2.0 * n).sqrt(), "deviation {deviation} of {n}");
    let beyond_two = values.iter().filter(|v| v.abs() > 2.0).count() as f64 / n;
    let expected = 0.0455;
    assert!(
        (beyond_two - expected).abs() < 4.0 * (expected / n).sqrt(),
        "{beyond_two} lie beyond two deviations"
    );
}

#[test]
fn the_default_is_pytorchs_range_one_over_the_root_of_fan_in_for_weights_and_biases_alike() {
    let bound = |p: &Parameter<'_>| (p.layer != Layer::BatchNorm).then(|| 1.0 / p.fan_in.sqrt());
    assert_uniform(&scaled(Init::Default, |p| bound(p).filter(|_| !p.is_bias)));
    assert_uniform(&scaled(Init::Default, |p| bound(p).filter(|_| p.is_bias)));
}

#[test]
fn he_draws_convolutions_by_fan_out_with_zero_biases_and_leaves_linear_layers_at_the_default() {
    let convolution = |p: &Parameter<'_>| p.layer == Layer::Convolution;
    let deviation = |p: &Parameter<'_>| (convolution(p) && !p.is_bias).then(|| (2.0 / p.fan_out).sqrt());
    assert_normal(&scaled(Init::He, deviation));
    let biases = scaled(Init::He, |p| (convolution(p) && p.is_bias).then_some(1.0));
    assert!(biases.iter().all(|&bias| bias == 0.0));
    assert_uniform(&scaled(Init::He, |p| (p.layer == Layer::Linear).then(|| 1.0 / p.fan_in.sqrt())));
}

#[test]
fn normal_0_02_is_just_that_with_zero_biases_for_convolutions_and_linear_layers_alike() {
    for layer in [Layer::Convolution, Layer::Linear] {
        assert_normal(&scaled(Init::Normal002, |p| (p.layer == layer && !p.is_bias).then_some(0.02)));
        let biases = scaled(Init::Normal002, |p| (p.layer == layer && p.is_bias).then_some(1.0));
        assert!(biases.iter().all(|&bias| bias == 0.0), "{layer:?}");
    }
}

#[test]
fn batch_norm_begins_by_leaving_a_standardised_input_as_it_is() {
    for init in [Init::Default, Init::He, Init::Normal002] {
        for architecture in NETWORKS {
            let weights = drawn(architecture, 10, 32, init, 7).state_dict();
            for p in parameters(&weights).iter().filter(|p| p.layer == Layer::BatchNorm) {
                let one = p.name.ends_with("weight") || p.name.ends_with("running_var");
                let expected = f32::from(u8::from(one));
                assert!(p.values.iter().all(|&value| value == expected), "{}", p.name);
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_and_another_seed_others() {
    for architecture in NETWORKS {
        let weights = |seed| drawn(architecture, 10, 32, Init::He, seed).state_dict();
        assert!(weights(7) == weights(7), "{architecture}");
        let (ours, others) = (weights(7), weights(8));
        for p in parameters(&ours).iter().filter(|p| p.layer != Layer::BatchNorm && !p.is_bias) {
            assert!(Some(p.values) != others.values(p.name), "{}", p.name);
        }
    }
}

#[test]
fn layers_of_the_same_shape_begin_with_different_weights() {
    let weights = drawn(Architecture::PlainCnn, 10, 32, Init::Default, 7).state_dict();
    let all = parameters(&weights);
    for (n, a) in all.iter().enumerate().filter(|(_, a)| a.layer == Layer::Convolution) {
        for b in &all[n + 1..] {
            assert!(a.values != b.values, "{} and {}", a.name, b.name);
        }
    }
}
