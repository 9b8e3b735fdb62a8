//! Shapes of layers. They are checked once; kernels rely on them.

use thiserror::Error;

/// A height and a width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Extent {
    /// The same height and width.
    pub const fn square(side: usize) -> Self {
        Self { height: side, width: side }
    }

    /// Height times width.
    pub const fn area(self) -> usize {
        self.height * self.width
    }
}

/// Why a layer's sizes are refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ShapeError {
    /// A size that must be at least one is zero.
    #[error("{0} is zero; every size of a layer must be at least one")]
    Zero(&'static str),
    /// The kernel does not fit into the padded map even once.
    #[error(
        "a kernel of {kernel} does not fit into a map of {map} padded by {padding}: \
         use a larger photo, a smaller kernel or more padding"
    )]
    KernelTooLarge {
        /// The kernel's size along the offending axis.
        kernel: usize,
        /// The map's size along it.
        map: usize,
        /// The padding on either side.
        padding: usize,
    },
    /// The channels cannot be split into the groups.
    #[error("{inputs} inputs and {outputs} outputs cannot be split into {groups} equal groups")]
    Groups {
        /// Groups asked for.
        groups: usize,
        /// Input channels.
        inputs: usize,
        /// Output channels.
        outputs: usize,
    },
    /// A max pool's padding must leave at least one real pixel in every window.
    #[error(
        "padding {padding} is more than half of the pooling window {window}: some windows would be empty"
    )]
    PoolPadding {
        /// The window's size.
        window: usize,
        /// The padding on either side.
        padding: usize,
    },
    /// A max pool's tap index must fit into a byte.
    #[error("a pooling window of {0} x {0}: at most 16 x 16 is supported")]
    PoolWindow(usize),
    /// The maps or weights of the layer have more elements than memory can hold.
    #[error("the layer's {0} are larger than any memory: check its sizes, stride and padding")]
    TooLarge(&'static str),
}

/// Zeros around the map of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// As many rows and columns on every side.
    Each(usize),
    /// As many that a map of `n` pixels gives `ceil(n / stride)`, computed along each axis: TensorFlow's `SAME`. An odd one
    /// goes below or right (<https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2>).
    Same,
}

impl Padding {
    /// Zeros before and after a map of `map` pixels along one axis; `None` where they cannot be counted.
    pub fn along(self, map: usize, kernel: usize, stride: usize) -> Option<[usize; 2]> {
        match self {
            Self::Each(padding) => Some([padding; 2]),
            Self::Same => {
                let reach =
                    (map.div_ceil(stride).saturating_sub(1)).checked_mul(stride)?.checked_add(kernel)?;
                let total = reach.saturating_sub(map);
                Some([total / 2, total.div_ceil(2)])
            }
        }
    }
}

/// The sizes of a 2-D convolution, in the terms of `torch.nn.Conv2d`; [`Conv2dShape::new`] checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dOptions {
    /// Photos in the batch.
    pub batch: usize,
    /// Height and width of the input map.
    pub map: Extent,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Kernel size.
    pub kernel: Extent,
    /// Step from one output pixel to the next, along both axes.
    pub stride: usize,
    /// Zeros around the input map.
    pub padding: Padding,
    /// Groups of channels: one for a dense convolution, `inputs` (and `outputs`) for a depthwise one.
    pub groups: usize,
}

/// The shape of a 2-D convolution.
///
/// Maps are NHWC and contiguous: `[batch, height, width, channels]`. Weights are in torchvision's layout,
/// `[outputs, inputs / groups, kernel height, kernel width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2dShape {
    options: Conv2dOptions,
    leading: Extent,
    output_map: Extent,
}

impl Conv2dShape {
    /// Checks the options and computes the output's size.
    ///
    /// # Errors
    /// When a size is zero, the kernel does not fit into the padded map, the channels cannot be split into the groups, or
    /// the padded maps, the weights or the multiply-adds are too many to be counted.
    pub fn new(options: Conv2dOptions) -> Result<Self, ShapeError> {
        let Conv2dOptions { batch, map, inputs, outputs, kernel, stride, padding, groups } = options;
        for (size, name) in [
            (batch, "batch"),
            (map.height, "map height"),
            (map.width, "map width"),
            (inputs, "inputs"),
            (outputs, "outputs"),
            (kernel.height, "kernel height"),
            (kernel.width, "kernel width"),
            (stride, "stride"),
            (groups, "groups"),
        ] {
            if size == 0 {
                return Err(ShapeError::Zero(name));
            }
        }
        if !inputs.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            return Err(ShapeError::Groups { groups, inputs, outputs });
        }
        let around = |map: usize, kernel: usize| {
            padding.along(map, kernel, stride).ok_or(ShapeError::TooLarge("maps"))
        };
        let [above, below] = around(map.height, kernel.height)?;
        let [left, right] = around(map.width, kernel.width)?;
        let output_map = Extent {
            height: window_positions(map.height, kernel.height, stride, [above, below])?,
            width: window_positions(map.width, kernel.width, stride, [left, right])?,
        };
        // The most that is ever read or written along an axis: the padded map, and what a kernel or a stride reaches
        // beyond it.
        let height = sum(&[map.height, above, below, kernel.height, stride]);
        let width = sum(&[map.width, left, right, kernel.width, stride]);
        let maps = height.zip(width).and_then(|(h, w)| product(&[batch, h, w, inputs.max(outputs)]));
        let weights = product(&[outputs, inputs / groups, kernel.height, kernel.width]);
        let (Some(_), Some(weights)) = (maps, weights) else {
            return Err(ShapeError::TooLarge(if maps.is_none() { "maps" } else { "weights" }));
        };
        product(&[batch, output_map.height, output_map.width, weights])
            .ok_or(ShapeError::TooLarge("multiply-adds"))?;
        Ok(Self { options, leading: Extent { height: above, width: left }, output_map })
    }

    /// The options that the shape was made from.
    pub fn options(&self) -> &Conv2dOptions {
        &self.options
    }

    /// Rows of zeros above the input map, and columns of them left of it. What is below and right follows from the
    /// output map's size.
    pub fn leading_zeros(&self) -> Extent {
        self.leading
    }

    /// Height and width of the output map.
    pub fn output_map(&self) -> Extent {
        self.output_map
    }

    /// Whether each channel is a group of its own.
    pub fn is_depthwise(&self) -> bool {
        let Conv2dOptions { inputs, outputs, groups, .. } = self.options;
        groups != 1 && groups == inputs && groups == outputs
    }

    /// Whether there are several groups of more than one channel.
    pub fn is_grouped(&self) -> bool {
        self.options.groups != 1 && !self.is_depthwise()
    }

    /// The shape of one group: a dense convolution.
    pub fn group(&self) -> Self {
        let Conv2dOptions { inputs, outputs, groups, .. } = self.options;
        let (inputs, outputs) = (inputs / groups, outputs / groups);
        Self { options: Conv2dOptions { inputs, outputs, groups: 1, ..self.options }, ..*self }
    }

    /// Elements of the input map.
    pub fn input_len(&self) -> usize {
        self.options.batch * self.options.map.area() * self.options.inputs
    }

    /// Elements of the output map.
    pub fn output_len(&self) -> usize {
        self.options.batch * self.output_map.area() * self.options.outputs
    }

    /// Elements of the weights.
    pub fn weight_len(&self) -> usize {
        let Conv2dOptions { inputs, outputs, kernel, groups, .. } = self.options;
        outputs * (inputs / groups) * kernel.area()
    }

    /// Multiply-adds of one pass, forward or to either gradient.
    pub fn multiply_adds(&self) -> usize {
        let Conv2dOptions { batch, inputs, outputs, kernel, groups, .. } = self.options;
        batch * self.output_map.area() * outputs * (inputs / groups) * kernel.area()
    }
}

/// How many positions a window of `kernel` has along an axis of `map` pixels with `padding` before and after.
pub(crate) fn window_positions(
    map: usize,
    kernel: usize,
    stride: usize,
    [before, after]: [usize; 2],
) -> Result<usize, ShapeError> {
    let padded = sum(&[map, before, after]).ok_or(ShapeError::TooLarge("maps"))?;
    let room =
        padded.checked_sub(kernel).ok_or(ShapeError::KernelTooLarge { kernel, map, padding: before })?;
    Ok(room / stride + 1)
}

/// The most elements of a map or of weights. It leaves room for elements of several bytes, and for rounding up to
/// whole words, panels and cache lines, before an address would overflow.
const MOST_ELEMENTS: usize = isize::MAX as usize >> 10;

/// The product of sizes, unless it is more than [`MOST_ELEMENTS`].
pub(crate) fn product(sizes: &[usize]) -> Option<usize> {
    let product = sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size));
    product.filter(|product| *product <= MOST_ELEMENTS)
}

/// The sum of sizes, unless it is more than [`MOST_ELEMENTS`].
fn sum(sizes: &[usize]) -> Option<usize> {
    let sum = sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size));
    sum.filter(|sum| *sum <= MOST_ELEMENTS)
}

/// Panics unless a buffer has the length that the shape asks for.
#[track_caller]
pub(crate) fn check_len(name: &str, len: usize, expected: usize) {
    assert!(len == expected, "{name} has {len} elements, its shape asks for {expected}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYER: Conv2dOptions = Conv2dOptions {
        batch: 2,
        map: Extent { height: 9, width: 14 },
        inputs: 6,
        outputs: 10,
        kernel: Extent { height: 3, width: 5 },
        stride: 2,
        padding: Padding::Each(1),
        groups: 1,
    };

    #[test]
    fn sizes_follow_the_formula_of_conv2d() {
        let shape = Conv2dShape::new(LAYER).unwrap();
        // floor((9 + 2 - 3) / 2) + 1 and floor((14 + 2 - 5) / 2) + 1
        assert_eq!(shape.output_map(), Extent { height: 5, width: 6 });
        assert_eq!(shape.input_len(), 2 * 9 * 14 * 6);
        assert_eq!(shape.output_len(), 2 * 5 * 6 * 10);
        assert_eq!(shape.weight_len(), 10 * 6 * 15);
        assert_eq!(shape.multiply_adds(), 2 * 5 * 6 * 10 * 6 * 15);
    }

    #[test]
    fn padding_of_the_same_kind_follows_tensorflow_s_formula() {
        // (map, kernel, stride) and the zeros before and after, by max((ceil(map / stride) - 1) * stride + kernel - map, 0).
        for (map, kernel, stride, zeros) in [
            (224, 3, 2, [0, 1]),
            (7, 3, 2, [1, 1]),
            (14, 5, 2, [1, 2]),
            (15, 5, 2, [2, 2]),
            (7, 5, 1, [2, 2]),
            (1, 5, 2, [2, 2]),
            (2, 5, 2, [1, 2]),
            (9, 1, 2, [0, 0]),
            (9, 2, 4, [0, 1]),
            (10, 3, 4, [0, 1]),
            (6, 2, 1, [0, 1]),
        ] {
            assert_eq!(Padding::Same.along(map, kernel, stride), Some(zeros), "{map} {kernel} {stride}");
            let options = Conv2dOptions {
                map: Extent { height: map, width: map + 1 },
                kernel: Extent::square(kernel),
                stride,
                padding: Padding::Same,
                ..LAYER
            };
            let positions = Conv2dShape::new(options).unwrap().output_map();
            assert_eq!([positions.height, positions.width], [map, map + 1].map(|n| n.div_ceil(stride)));
        }
        let huge = Conv2dOptions { padding: Padding::Same, stride: usize::MAX, ..LAYER };
        assert!(matches!(Conv2dShape::new(huge), Err(ShapeError::TooLarge(_))));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |options| Conv2dShape::new(options).unwrap_err();
        assert_eq!(refused(Conv2dOptions { stride: 0, ..LAYER }), ShapeError::Zero("stride"));
        assert_eq!(
            refused(Conv2dOptions { groups: 3, ..LAYER }),
            ShapeError::Groups { groups: 3, inputs: 6, outputs: 10 }
        );
        assert_eq!(
            refused(Conv2dOptions { map: Extent::square(2), padding: Padding::Each(0), ..LAYER }),
            ShapeError::KernelTooLarge { kernel: 3, map: 2, padding: 0 }
        );
    }

    #[test]
    fn sizes_that_cannot_be_counted_are_refused() {
        let one = Conv2dOptions {
            batch: 1,
            map: Extent::square(1),
            inputs: 1,
            outputs: 1,
            kernel: Extent::square(1),
            stride: 1,
            padding: Padding::Each(0),
            groups: 1,
        };
        let huge = 1 << 31;
        for options in [
            // 2^32 positions along either axis: their product is 0 in 64 bits.
            Conv2dOptions { kernel: Extent::square(2), padding: Padding::Each(huge), ..one },
            // The same with a stride, which leaves few positions in a padded map that is as large.
            Conv2dOptions { padding: Padding::Each(huge), stride: 1 << 30, ..one },
            Conv2dOptions { padding: Padding::Each(usize::MAX / 2), ..one },
            Conv2dOptions { stride: usize::MAX, ..one },
            Conv2dOptions { map: Extent::square(1 << 32), ..one },
            Conv2dOptions { batch: 1 << 32, inputs: 1 << 32, ..one },
            Conv2dOptions { inputs: 1 << 32, outputs: 1 << 32, ..one },
        ] {
            let error = Conv2dShape::new(options).unwrap_err();
            assert!(matches!(error, ShapeError::TooLarge(_)), "{options:?}: {error}");
        }
        assert!(
            Conv2dShape::new(Conv2dOptions { batch: 1 << 20, map: Extent::square(1 << 10), ..one }).is_ok()
        );
    }

    #[test]
    fn a_group_is_a_dense_layer_of_its_share_of_the_channels() {
        let shape = Conv2dShape::new(Conv2dOptions { groups: 2, ..LAYER }).unwrap();
        assert!(shape.is_grouped() && !shape.is_depthwise());
        assert_eq!(shape.weight_len(), 10 * 3 * 15);
        assert_eq!(
            shape.group(),
            Conv2dShape::new(Conv2dOptions { inputs: 3, outputs: 5, ..LAYER }).unwrap()
        );
    }

    #[test]
    fn a_depthwise_layer_has_one_input_a_weight_row() {
        let shape = Conv2dShape::new(Conv2dOptions { outputs: 6, groups: 6, ..LAYER }).unwrap();
        assert!(shape.is_depthwise());
        assert_eq!(shape.weight_len(), 6 * 15);
    }
}
