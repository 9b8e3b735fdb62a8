//! Where packed weights are, and for which product.

use crate::microkernel::Panel;

/// The product that weights are packed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the input map to the output map.
    Forward,
    /// From the gradient to the output to the gradient to the input.
    InputGradient,
}

/// A panel and where its weights begin, in words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PackedPanel {
    pub(crate) panel: Panel,
    pub(crate) start: usize,
}
