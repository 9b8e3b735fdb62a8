//! A network's graph is the network: its tensors, its shapes, its layers by name.

use std::collections::BTreeMap;

use cairn_nets::graph::{Graph, Inferred, Op};
use cairn_nets::{Architecture, Network};

use crate::network;

const CLASSES: usize = 7;
const SIDE: usize = 96;

fn inferred(network: &Network, graph: &Graph) -> Vec<Inferred> {
    let weights = network.state_dict();
    let shapes: BTreeMap<&str, &[usize]> = weights.shapes().collect();
    graph.infer(&shapes).unwrap()
}

#[test]
fn every_network_has_a_graph_that_names_each_of_its_tensors_once_and_ends_in_the_classes() {
    for architecture in Architecture::ALL {
        let network = network(architecture, CLASSES, SIDE);
        let graph = network.graph(SIDE);
        let weights = network.state_dict();
        let nodes = graph.infer(&weights.shapes().collect::<BTreeMap<_, _>>()).unwrap();
        assert_eq!(nodes.last().unwrap().shape, [CLASSES], "{architecture}");
        let mut named: Vec<&str> = graph.nodes().flat_map(|(_, node)| node.op.tensors()).collect();
        named.sort_unstable();
        let held: Vec<&str> = weights.shapes().map(|(name, _)| name).collect();
        assert_eq!(named, held, "{architecture}");
    }
}

#[test]
fn a_residual_block_is_written_down_as_torchvision_computes_it() {
    let graph = network(Architecture::ResNet18, CLASSES, SIDE).graph(SIDE);
    let text = graph.to_string();
    let lines: Vec<&str> =
        text.lines().skip_while(|line| !line.contains(" layer1.1.conv1 ")).take(6).collect();
    assert_eq!(
        lines,
        [
            "%12 layer1.1.conv1 = conv2d(%11) weight layer1.1.conv1.weight, stride 1x1, padding 1x1",
            "%13 layer1.1.bn1 = batch_norm(%12) weight layer1.1.bn1.weight, eps 1e-5",
            "%14 layer1.1.bn1.relu = relu(%13)",
            "%15 layer1.1.conv2 = conv2d(%14) weight layer1.1.conv2.weight, stride 1x1, padding 1x1",
            "%16 layer1.1.bn2 = batch_norm(%15) weight layer1.1.bn2.weight, eps 1e-5",
            "%17 layer1.1.bn2.add = add(%16, %11)",
        ]
    );
}

#[test]
fn what_is_explained_is_the_last_map_before_the_features() {
    for (architecture, expected, shape) in [
        (Architecture::SixConv, "max_pool_6", [128, 1, 1]),
        (Architecture::ThreeConv, "max_pool_3", [64, 12, 12]),
        (Architecture::ResidualCnn, "groups.5.1.bn2.relu", [512, 3, 3]),
        (Architecture::ResNet18, "layer4.1.bn2.relu", [512, 3, 3]),
        (Architecture::ResNet50, "layer4.2.bn3.relu", [2048, 3, 3]),
        (Architecture::AlexNet, "max_pool_3", [256, 2, 2]),
        (Architecture::SqueezeNet1_1, "features.12.concat", [512, 5, 5]),
        (Architecture::MobileNetV2, "features.18.1.relu6", [1280, 3, 3]),
        (Architecture::MobileNetV3Large, "features.16.1.hard_swish", [960, 3, 3]),
        (Architecture::EfficientNetB0, "features.8.1.silu", [1280, 3, 3]),
        (Architecture::EfficientNetLite0, "bn2.relu6", [1280, 3, 3]),
        (Architecture::RegNetY800Mf, "trunk_output.block4.block4-1.f.c.1.relu", [784, 3, 3]),
        (Architecture::ConvNextTiny, "features.7.2.add", [768, 3, 3]),
    ] {
        let network = network(architecture, CLASSES, SIDE);
        let (layer, graph) = (network.explain_layer(), network.graph(SIDE));
        assert_eq!(layer, expected, "{architecture}");
        let node = graph.find(&layer).unwrap();
        assert_eq!(inferred(&network, &graph)[node.index()].shape, shape, "{architecture}");
    }
}

#[test]
fn dropout_stands_before_the_last_layer() {
    let graph = network(Architecture::ResNet18, CLASSES, SIDE).graph(SIDE);
    let ops: Vec<&Op> = graph.nodes().map(|(_, node)| &node.op).collect();
    let [.., pool, flatten, dropout, linear] = ops.as_slice() else { panic!("{graph}") };
    assert_eq!((pool, flatten, dropout), (&&Op::GlobalAveragePool, &&Op::Flatten, &&Op::Dropout));
    assert_eq!(**linear, Op::linear("fc"));
}
