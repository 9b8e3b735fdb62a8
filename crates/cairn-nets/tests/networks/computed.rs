//! A graph computed node by node is the network, and each operation is PyTorch's: `operations_reference.py` made what
//! they are held to.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::graph::{Graph, Op};
use cairn_nets::{Architecture, Precision, StateDict};
use safetensors::tensor::{Dtype, TensorView};

use crate::network;

const SIDE: usize = 64;

#[test]
fn a_computed_graph_gives_the_networks_logits() {
    for architecture in Architecture::ALL {
        let network = network(architecture, 7, SIDE);
        let pixels = wave(2 * 3 * SIDE * SIDE, 0.7, 0.0);
        let images = Tensor::from_data(TensorData::new(pixels.clone(), [2, 3, SIDE, SIDE]), &Device::flex());
        let (graph, weights) = (network.graph(SIDE), network.state_dict());
        let logits = graph.compute(&weights, images).unwrap().logits();
        assert_eq!(logits.dims(), [2, 7], "{architecture}");
        let found: Vec<f32> = logits.into_data().iter::<f32>().collect();
        let expected = network.logits(&pixels, SIDE, SIDE, Precision::F32).concat();
        let greatest = expected.iter().fold(0.0_f32, |greatest, logit| greatest.max(logit.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * greatest, "{architecture}: {found} for {expected}");
        }
    }
}

#[test]
fn the_gradient_of_a_logit_is_one_for_itself_and_follows_the_weights_of_the_last_layer() {
    let network = network(Architecture::ResNet18, 4, SIDE);
    let (graph, weights) = (network.graph(SIDE), network.state_dict());
    let images = Tensor::<4>::ones([1, 3, SIDE, SIDE], &Device::flex());
    let computed = graph.compute(&weights, images).unwrap();
    let gradient = |name: &str, class| -> Vec<f32> {
        let gradient = computed.gradient(graph.find(name).unwrap(), class).unwrap();
        gradient.into_data().iter::<f32>().collect()
    };
    assert_eq!(gradient("fc", 2), [0.0, 0.0, 1.0, 0.0]);
    // Each pixel of the last map gives its part of the mean, 2 x 2 pixels here, to every logit.
    let class = 3;
    let row = &weights.values("fc.weight").unwrap()[class * 512..][..512];
    for pixel in gradient(&network.explain_layer(), class).chunks_exact(512) {
        assert!(pixel.iter().zip(row).all(|(found, weight)| (found - weight / 4.0).abs() < 1e-6));
    }
}

#[test]
fn every_operation_computes_what_pytorchs_does() {
    let expected: BTreeMap<String, Vec<f32>> = serde_json::from_str(include_str!("operations.json")).unwrap();
    let weights = weights();
    let tensor = |name: &str| name.to_owned();
    let uneven_conv = Op::Conv2d {
        weight: tensor("kernel"),
        bias: Some(tensor("bias")),
        stride: [2, 1],
        padding: [1, 0].into(),
        groups: 1,
    };
    let uneven_pool = Op::MaxPool { kernel: [2, 3], stride: [2, 2], padding: [0, 1], ceil_mode: true };
    let operations = [
        ("hard_swish", Op::HardSwish),
        ("hard_sigmoid", Op::HardSigmoid),
        ("silu", Op::Silu),
        ("sigmoid", Op::Sigmoid),
        ("gelu", Op::Gelu),
        ("relu", Op::Relu),
        ("relu6", Op::Relu6),
        ("mul", Op::Mul),
        ("concat", Op::Concat),
        ("max_pool", Op::MaxPool { kernel: [2; 2], stride: [1; 2], padding: [1; 2], ceil_mode: false }),
        ("max_pool, uneven", uneven_pool),
        ("average_pool", Op::AveragePool { kernel: [3, 2], stride: [2, 1], padding: [1, 0] }),
        ("adaptive_average_pool", Op::AdaptiveAveragePool { output: [3, 2] }),
        ("global_average_pool", Op::GlobalAveragePool),
        ("generalised_mean", Op::GeneralisedMean { power: tensor("power"), eps: 0.25 }),
        ("flatten", Op::Flatten),
        ("conv2d, uneven", uneven_conv),
        ("linear", Op::Linear { weight: tensor("weight"), bias: Some(tensor("bias")) }),
        ("layer_norm", Op::LayerNorm { weight: tensor("scale"), bias: tensor("shift"), eps: 2.0 }),
        ("layer_scale", Op::LayerScale { scale: tensor("scale") }),
    ];
    assert_eq!(operations.len(), expected.len());
    for (name, op) in operations {
        let found = computed(op, &weights);
        assert_eq!(found.len(), expected[name].len(), "{name}");
        for (found, expected) in found.iter().zip(&expected[name]) {
            assert!((found - expected).abs() < 1e-5, "{name}: {found} for {expected}");
        }
    }
}

/// What `op` makes of the reference's map, channel by channel.
fn computed(op: Op, weights: &StateDict) -> Vec<f32> {
    let mut graph = Graph::new([2, 4, 5]);
    let input = graph.input();
    match op {
        Op::Mul => {
            let means = graph.add("means", Op::GlobalAveragePool, &[input]);
            graph.add("op", op, &[input, means])
        }
        Op::Concat => {
            let relu = graph.add("relu", Op::Relu, &[input]);
            graph.add("op", op, &[input, relu])
        }
        op => graph.add("op", op, &[input]),
    };
    let pixels = wave(2 * 4 * 5, 0.37, -20.0).iter().map(|value| 4.0 * value).collect();
    let images = Tensor::from_data(TensorData::new::<f32, _>(pixels, [1, 2, 4, 5]), &Device::flex());
    let output = graph.compute(weights, images).unwrap().output(graph.output());
    output.permute([0, 3, 1, 2]).into_data().iter::<f32>().collect()
}

fn weights() -> StateDict {
    let tensors: [(&str, &[usize], f64, f64); 5] = [
        ("kernel", &[3, 2, 2, 1], 0.5, 0.0),
        ("weight", &[3, 2], 0.7, 0.0),
        ("bias", &[3], 0.9, 0.0),
        ("scale", &[2], 0.3, 1.0),
        ("shift", &[2], 0.2, 0.0),
    ];
    let bytes = tensors.map(|(_, shape, step, start)| -> Vec<u8> {
        wave(shape.iter().product(), step, start).iter().flat_map(|value| value.to_le_bytes()).collect()
    });
    let views = tensors.iter().zip(&bytes).map(|((name, shape, ..), bytes)| {
        (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
    });
    let mut weights =
        StateDict::from_safetensors(&safetensors::serialize(views, None).unwrap(), "").unwrap().0;
    weights.insert("power", &[1], vec![2.5]);
    weights
}

/// `sin(start + step * i)`.
fn wave(count: usize, step: f64, start: f64) -> Vec<f32> {
    (0..count).map(|place| (start + step * place as f64).sin() as f32).collect()
}
