//! The gradient to the weights of a dense convolution.
//!
//! For each weight it is a sum over all pixels: `gradient[out][m] = sum over pixels q of X[m][q] * dY[q][out]`, where
//! row `m` is an input channel seen through one tap.

use crate::element::Element;
use crate::isa::Isa;
use crate::microkernel::Panel;
use crate::shape::Conv2dShape;
use crate::vectorised::vectorised;

/// Tasks to cut a layer into, at least, where it has the photos.
pub(super) const MIN_TASKS: usize = 16;

/// What the product is of.
pub(super) struct WeightGradient<'a, T> {
    pub(super) isa: Isa,
    pub(super) shape: &'a Conv2dShape,
    pub(super) input: &'a [T],
    pub(super) output_gradient: &'a [T],
}

vectorised! {
    /// Packs a row of the output gradient: for each word of pixels, the panel's channels; zeros where there is none.
    pub(super) fn pack_row<T: Element>(gradient: &[T], outputs: usize, panel: Panel, packed: &mut [T]) {
        let pixels = T::PER_WORD;
        let words = packed.chunks_exact_mut(panel.width * pixels).zip(gradient.chunks(outputs * pixels));
        for (to, from) in words {
            let channels = panel.first..panel.first + panel.outputs;
            let first = &from[channels.clone()];
            if pixels == 1 {
                to[..panel.outputs].copy_from_slice(first);
                to[panel.outputs..].fill(T::ZERO);
                continue;
            }
            to[panel.outputs * 2..].fill(T::ZERO);
            let pairs = to.chunks_exact_mut(2).zip(first);
            if from.len() > outputs {
                let second = &from[outputs..][channels];
                for ((pair, first), second) in pairs.zip(second) {
                    pair.copy_from_slice(&[*first, *second]);
                }
            } else {
                for (pair, first) in pairs {
                    pair.copy_from_slice(&[*first, T::ZERO]);
                }
            }
        }
    }
}
