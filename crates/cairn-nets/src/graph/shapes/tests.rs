//! Shapes and costs, held to what PyTorch 2.11 gives for the same layers.

use super::*;
use crate::graph::NodeId;

/// What is inferred of one operation on an input of this shape.
fn inferred(op: Op, input: [usize; 3], tensors: &[(&str, &[usize])]) -> Result<Inferred, NodeProblem> {
    let mut graph = Graph::new(input);
    graph.add("node", op, &[graph.input()]);
    let tensors = tensors.iter().copied().collect();
    graph.infer(&tensors).map(|mut all| all.remove(1)).map_err(|error| error.problem)
}

fn shape(op: Op, input: [usize; 3], tensors: &[(&str, &[usize])]) -> Vec<usize> {
    inferred(op, input, tensors).unwrap().shape
}

#[test]
fn a_convolution_gives_as_many_pixels_as_windows_fit() {
    let conv = || Op::conv2d("c", true, [2, 1], [3, 0], 2);
    let tensors: &[(&str, &[usize])] = &[("c.weight", &[8, 3, 7, 2]), ("c.bias", &[8])];
    let found = inferred(conv(), [6, 225, 10], tensors).unwrap();
    assert_eq!(found.shape, [8, 113, 9]);
    assert_eq!(found.multiply_adds, 8 * 113 * 9 * 3 * 7 * 2);
}

#[test]
fn a_convolution_whose_channels_do_not_fit_is_named_with_both_shapes() {
    let conv = Op::conv2d("c", false, [1, 1], [0, 0], 1);
    let problem = inferred(conv, [4, 9, 9], &[("c.weight", &[8, 3, 3, 3])]).unwrap_err();
    assert_eq!(problem.to_string(), "tensor `c.weight` is [8, 3, 3, 3], not [8, 4, 3, 3]");
    let conv = Op::conv2d("c", true, [1, 1], [0, 0], 1);
    let problem = inferred(conv, [3, 9, 9], &[("c.weight", &[8, 3, 3, 3])]).unwrap_err();
    assert_eq!(problem.to_string(), "there is no tensor `c.bias`");
}

/// `torch.nn.functional.max_pool2d(torch.zeros(1, 1, n, n), 3, s, p, ceil_mode=c)`.
#[test]
fn max_pools_count_windows_as_pytorch_does() {
    for (side, stride, padding, ceil, expected) in [
        (7, 2, 0, false, 3),
        (8, 2, 0, false, 3),
        (8, 2, 0, true, 4),
        (8, 2, 1, false, 4),
        (8, 2, 1, true, 5),
        (7, 4, 1, true, 2),
        (5, 5, 0, true, 1),
        (5, 5, 1, true, 2),
        (4, 5, 1, true, 1),
        (3, 5, 1, true, 1),
    ] {
        let pool = Op::MaxPool {
            kernel: [3, 3],
            stride: [stride, stride],
            padding: [padding, padding],
            ceil_mode: ceil,
        };
        assert_eq!(
            shape(pool, [2, side, side], &[]),
            [2, expected, expected],
            "{side} {stride} {padding} {ceil}"
        );
    }
}

#[test]
fn a_window_larger_than_the_map_is_refused() {
    let pool = Op::AveragePool { kernel: [4, 4], stride: [1, 1], padding: [0, 0] };
    assert_eq!(inferred(pool, [2, 3, 9], &[]), Err(NodeProblem::InputShapes(vec![vec![2, 3, 9]])));
}

#[test]
fn a_linear_layer_works_on_the_channels_of_a_map_too() {
    let tensors: &[(&str, &[usize])] = &[("l.weight", &[10, 4]), ("l.bias", &[10])];
    let found = inferred(Op::linear("l"), [4, 3, 2], tensors).unwrap();
    assert_eq!((found.shape, found.multiply_adds), (vec![10, 3, 2], 240));
}

#[test]
fn a_layer_scale_has_one_number_a_channel_in_either_layout() {
    let scale = || Op::LayerScale { scale: "s".to_owned() };
    for fitting in [[4].as_slice(), &[4, 1, 1]] {
        assert_eq!(shape(scale(), [4, 3, 3], &[("s", fitting)]), [4, 3, 3]);
    }
    assert!(inferred(scale(), [4, 3, 3], &[("s", &[3])]).is_err());
}

#[test]
fn a_generalised_mean_leaves_a_pixel_and_has_one_power() {
    let mean = || Op::GeneralisedMean { power: "p".to_owned(), eps: 1e-6 };
    let found = inferred(mean(), [4, 3, 2], &[("p", &[1])]).unwrap();
    assert_eq!((found.shape, found.multiply_adds), (vec![4, 1, 1], 0));
    assert!(matches!(inferred(mean(), [4, 3, 2], &[("p", &[4])]), Err(NodeProblem::TensorShape { .. })));
    assert_eq!(inferred(mean(), [4, 3, 2], &[]), Err(NodeProblem::MissingTensor("p".to_owned())));
}

#[test]
fn squeeze_and_excitation_multiplies_a_map_by_one_of_a_pixel() {
    let mut graph = Graph::new([4, 6, 6]);
    let squeezed = graph.add("squeeze", Op::GlobalAveragePool, &[graph.input()]);
    graph.add("scaled", Op::Mul, &[squeezed, graph.input()]);
    let both = graph.add("both", Op::Concat, &[graph.output(), graph.input()]);
    graph.add("flat", Op::Flatten, &[both]);
    let shapes = graph.infer(&TensorShapes::new()).unwrap();
    let shapes: Vec<&[usize]> = shapes.iter().map(|inferred| inferred.shape.as_slice()).collect();
    assert_eq!(shapes, [[4, 6, 6].as_slice(), &[4, 1, 1], &[4, 6, 6], &[8, 6, 6], &[288]]);
    graph.add("sum", Op::Add, &[graph.input(), squeezed]);
    assert!(matches!(graph.infer(&TensorShapes::new()).unwrap_err().problem, NodeProblem::InputShapes(_)));
}

#[test]
fn nodes_out_of_order_and_names_used_twice_are_refused() {
    let mut graph = Graph::new([1, 2, 2]);
    graph.add("a", Op::Relu, &[NodeId(1)]);
    assert_eq!(graph.infer(&TensorShapes::new()).unwrap_err().problem, NodeProblem::Order);
    let mut graph = Graph::new([1, 2, 2]);
    graph.add("input", Op::Relu, &[graph.input()]);
    assert_eq!(graph.infer(&TensorShapes::new()).unwrap_err().problem, NodeProblem::Name);
    let mut graph = Graph::new([1, 2, 2]);
    graph.add("sum", Op::Add, &[graph.input()]);
    let error = graph.infer(&TensorShapes::new()).unwrap_err();
    assert_eq!(error.to_string(), "node `sum` (add): it has 1 inputs");
}
