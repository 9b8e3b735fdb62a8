//! The convolutions of each architecture.

use std::collections::BTreeMap;

use cairn_kernels::{Conv2dOptions, Conv2dShape, Extent, Padding};

use crate::architecture::Architecture;
use crate::graph::{ConvPadding, GraphError, Op};
use crate::sketch::Sketch;

impl Architecture {
    /// The shapes of the convolutions for a batch of square photos of this side, in order, and how often each occurs. No
    /// weights are drawn.
    ///
    /// Left out are convolutions with unlike strides or paddings along the axes, for which there are no kernels.
    ///
    /// # Errors
    /// When the network's graph does not fit photos of this side.
    pub fn convolutions(self, side: usize, batch: usize) -> Result<Vec<(Conv2dShape, usize)>, GraphError> {
        let Sketch { tensors, graph, nodes, .. } = self.sketch(2, side)?;
        let mut found: Vec<(Conv2dShape, usize)> = Vec::new();
        for (_, node) in graph.nodes() {
            let inputs = node.inputs.first().map(|input| nodes[input.index()].shape.as_slice());
            let Some(shape) = inputs.and_then(|map| shape(&node.op, map, &tensors, batch)) else { continue };
            match found.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, times)) => *times += 1,
                None => found.push((shape, 1)),
            }
        }
        Ok(found)
    }
}

/// The shape of a convolution of a map `[channels, height, width]`; `None` for other operations.
fn shape(
    op: &Op,
    map: &[usize],
    tensors: &BTreeMap<String, Vec<usize>>,
    batch: usize,
) -> Option<Conv2dShape> {
    let Op::Conv2d { weight, stride, padding, groups, .. } = op else { return None };
    let ([inputs, height, width], [outputs, _, kernel_height, kernel_width]) =
        (map, tensors.get(weight)?.as_slice())
    else {
        return None;
    };
    let padding = match padding {
        ConvPadding::Each([rows, columns]) if rows == columns => Padding::Each(*rows),
        ConvPadding::Each(_) => return None,
        ConvPadding::Same => Padding::Same,
    };
    let options = Conv2dOptions {
        batch,
        map: Extent { height: *height, width: *width },
        inputs: *inputs,
        outputs: *outputs,
        kernel: Extent { height: *kernel_height, width: *kernel_width },
        stride: (stride[0] == stride[1]).then_some(stride[0])?,
        padding,
        groups: *groups,
    };
    Conv2dShape::new(options).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resnet34_has_36_convolutions_of_11_shapes() {
        let convolutions = Architecture::ResNet34.convolutions(224, 2).unwrap();
        assert_eq!(convolutions.len(), 11);
        assert_eq!(convolutions.iter().map(|(_, times)| times).sum::<usize>(), 36);
        let (first, times) = convolutions[0];
        assert_eq!((first.options().kernel, first.options().stride, times), (Extent::square(7), 2, 1));
        assert_eq!(first.output_map(), Extent::square(112));
    }

    #[test]
    fn their_multiply_adds_are_those_of_the_network_but_for_its_last_layer() {
        for architecture in [Architecture::MobileNetV2, Architecture::EfficientNetLite0] {
            let convolutions = architecture.convolutions(224, 1).unwrap();
            let found: usize = convolutions.iter().map(|(shape, times)| shape.multiply_adds() * times).sum();
            let summary = architecture.summary(2).unwrap();
            assert_eq!(found as u64 + 2 * summary.features as u64, summary.multiply_adds, "{architecture}");
        }
    }
}
