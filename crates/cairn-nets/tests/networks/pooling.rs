//! GeM in place of the average pool, in every network that ends in one.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::graph::{Graph, Op};
use cairn_nets::{Architecture, Network, NetworkSpec, Pooling, Precision, SpecError};

use crate::pooled;

const SIDE: usize = 64;

/// Small networks of every kind.
const SMALL: [Architecture; 6] = [
    Architecture::PlainCnn,
    Architecture::ResNet10Small,
    Architecture::MobileNetV2,
    Architecture::MobileNetV3Large,
    Architecture::EfficientNetLite0,
    Architecture::RegNetY800Mf,
];

fn spec(architecture: Architecture, pooling: Pooling) -> NetworkSpec {
    NetworkSpec { architecture, classes: 4, side: SIDE, dropout: 0.0, pooling }
}

/// A network with GeM, with convolutions that keep what comes through them as large as it was (He et al. 2015): after many
/// layers of the first weights nothing is left to pool.
fn lively(architecture: Architecture) -> Network {
    let network = pooled(architecture, 4, SIDE, Pooling::Gem);
    let (first, mut weights) = (network.state_dict(), network.state_dict());
    for (name, shape) in first.shapes().filter(|(_, shape)| shape.len() == 4) {
        let values = first.values(name).unwrap();
        let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        let scale = (2.0 * shape[0] as f32).sqrt() / length;
        weights.insert(name, shape, values.iter().map(|value| scale * value).collect());
    }
    network.with_state_dict(weights).unwrap()
}

fn pixels() -> Vec<f32> {
    (0..2 * 3 * SIDE * SIDE).map(|at| (at as f32 * 0.7).sin()).collect()
}

#[test]
fn every_network_that_ends_in_an_average_pool_has_one_power_more_with_gem_and_no_other_takes_it() {
    for architecture in Architecture::ALL {
        let average = spec(architecture, Pooling::Average).blank(&Device::flex()).unwrap();
        let ends_in_average = network_ends_in_average(&average.graph(SIDE));
        assert_eq!(architecture.ends_in_average(), ends_in_average, "{architecture}");
        let gem = match spec(architecture, Pooling::Gem).blank(&Device::flex()) {
            Ok(gem) => gem,
            Err(error) => {
                assert_eq!(error, SpecError::Pooling(architecture));
                assert!(!ends_in_average, "{architecture}");
                continue;
            }
        };
        let mut shapes = gem.tensor_shapes();
        assert_eq!(shapes.remove(Pooling::POWER), Some(vec![1]), "{architecture}");
        assert_eq!(shapes, average.tensor_shapes(), "{architecture}");
        assert_eq!(gem.parameter_count(), average.parameter_count() + 1, "{architecture}");
        assert_eq!(gem.explain_layer(), average.explain_layer(), "{architecture}");
        let graph = gem.graph(SIDE);
        let Op::GeneralisedMean { power, .. } = op(&graph, "pool") else { panic!("{architecture}: {graph}") };
        assert_eq!(power, Pooling::POWER, "{architecture}");
    }
}

/// Whether the logits are layers of the mean of the last map.
fn network_ends_in_average(graph: &Graph) -> bool {
    let ops: Vec<&Op> = graph.nodes().map(|(_, node)| &node.op).collect();
    let pool = ops.iter().rposition(|op| **op == Op::GlobalAveragePool);
    let head = ops.iter().rposition(|op| matches!(op, Op::Linear { .. } | Op::Conv2d { .. }));
    // Networks with squeeze-and-excitation have other global pools before.
    pool.zip(head).is_some_and(|(pool, head)| {
        pool < head && !ops[pool..].iter().any(|op| matches!(op, Op::Conv2d { .. } | Op::Mul))
    })
}

fn op<'a>(graph: &'a Graph, name: &str) -> &'a Op {
    let place = graph.find(name).unwrap();
    graph.nodes().find(|(id, _)| *id == place).map(|(_, node)| &node.op).unwrap()
}

#[test]
fn a_computed_graph_with_gem_gives_the_networks_logits() {
    for architecture in SMALL {
        let network = lively(architecture);
        let images = Tensor::from_data(TensorData::new(pixels(), [2, 3, SIDE, SIDE]), &Device::flex());
        let (graph, weights) = (network.graph(SIDE), network.state_dict());
        let computed = graph.compute(&weights, images).unwrap();
        let found: Vec<f32> = computed.logits().into_data().iter::<f32>().collect();
        let expected = network.logits(&pixels(), SIDE, SIDE, Precision::F32).concat();
        let greatest = expected.iter().fold(0.0_f32, |greatest, logit| greatest.max(logit.abs()));
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * greatest, "{architecture}: {found} for {expected}");
        }
        // What explanations go by.
        let map = graph.find(&network.explain_layer()).unwrap();
        let gradient: Vec<f32> = computed.gradient(map, 1).unwrap().into_data().iter::<f32>().collect();
        assert!(
            gradient.iter().all(|g| g.is_finite()) && gradient.iter().any(|g| *g != 0.0),
            "{architecture}"
        );
    }
}

#[test]
fn the_power_is_learned_by_every_network_and_frozen_with_the_others() {
    let learns = |network: &Network| {
        let images =
            Tensor::<4>::from_data(TensorData::new(pixels(), [2, 3, SIDE, SIDE]), &Device::flex().autodiff());
        let loss = network.forward(images, Precision::F32).slice([0..2, 0..1]).sum();
        let mut gradients = GradientsParams::from_grads(loss.backward(), network);
        let power = network.parameters().into_iter().find(|p| p.name == Pooling::POWER).unwrap();
        let gradient = gradients.remove::<1>(power.id);
        gradient.is_some_and(|gradient| gradient.into_scalar::<f32>() != 0.0)
    };
    for architecture in SMALL {
        let network = pooled(architecture, 4, SIDE, Pooling::Gem).train();
        assert!(learns(&network), "{architecture}");
        let prefix = network.head_prefix();
        let network = network.freeze_except(|name| name.starts_with(&prefix));
        assert!(!learns(&network), "{architecture}");
    }
}

#[test]
fn descriptions_without_a_pool_are_of_networks_with_an_average_pool_and_are_written_as_they_were() {
    let old = r#"{"architecture":"resnet18","classes":4,"side":64,"dropout":0.0}"#;
    let spec: NetworkSpec = serde_json::from_str(old).unwrap();
    assert_eq!(spec.pooling, Pooling::Average);
    assert_eq!(serde_json::to_string(&spec).unwrap(), old);
    let gem = NetworkSpec { pooling: Pooling::Gem, ..spec };
    let written = serde_json::to_string(&gem).unwrap();
    assert!(written.ends_with(r#""pooling":"gem"}"#), "{written}");
    assert_eq!(serde_json::from_str::<NetworkSpec>(&written).unwrap(), gem);
}
