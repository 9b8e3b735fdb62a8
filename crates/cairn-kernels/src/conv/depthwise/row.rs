//! How a row ends.

use crate::clamp::Bounds;
use crate::element::Element;

/// The end of a row: bias, residual and activation.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a, T> {
    pub(super) bias: &'a [f32],
    pub(super) residual: Option<&'a [T]>,
    pub(super) bounds: Bounds,
}

impl<T: Element> Finish<'_, T> {
    /// Stores the sums of some channels, from `first` on, of the pixel in column `x` of a row.
    #[inline(always)]
    pub(super) fn store<const LANES: usize>(
        &self,
        mut sums: [f32; LANES],
        x: usize,
        first: usize,
        output: &mut [T],
    ) {
        let at = x * self.bias.len() + first;
        let (output, bias) = (&mut output[at..at + LANES], &self.bias[first..first + LANES]);
        if let Some(residual) = self.residual {
            let residual = &residual[at..at + LANES];
            for lane in 0..LANES {
                sums[lane] += residual[lane].to_f32();
            }
        }
        for lane in 0..LANES {
            output[lane] = T::from_f32(self.bounds.clamp(sums[lane] + bias[lane]));
        }
    }
}
