//! Operations on maps, element by element.

use rayon::prelude::*;

use crate::clamp::{Bounds, Clamp};
use crate::element::Element;
use crate::isa::Isa;
use crate::shape::check_len;
use crate::team::{spread_chunks, spread_map};
use crate::vectorised::vectorised;

/// Elements that a task takes at a time.
const STRETCH: usize = 32 * 1024;

/// `output = activation(input)`.
///
/// # Panics
/// When lengths differ.
pub fn activate<T: Element>(isa: Isa, activation: Clamp, input: &[T], output: &mut [T]) {
    check_len("output", output.len(), input.len());
    spread_map(input, output, STRETCH, |input, output| {
        activate_stretch(isa, activation.bounds(), input, output);
    });
}

vectorised! {
    fn activate_stretch<T: Element>(bounds: Bounds, input: &[T], output: &mut [T]) {
        for (to, x) in output.iter_mut().zip(input) {
            *to = T::from_f32(bounds.clamp(x.to_f32()));
        }
    }
}

/// The gradient before an activation, from its output and the gradient to that.
///
/// # Panics
/// When lengths differ.
pub fn activate_backward<T: Element>(
    isa: Isa,
    activation: Clamp,
    output: &[T],
    output_gradient: &[T],
    input_gradient: &mut [T],
) {
    check_len("output gradient", output_gradient.len(), output.len());
    check_len("input gradient", input_gradient.len(), output.len());
    let from = output.par_chunks(STRETCH).zip(output_gradient.par_chunks(STRETCH));
    input_gradient.par_chunks_mut(STRETCH).zip(from).for_each(
        |(input_gradient, (output, output_gradient))| {
            activate_backward_stretch(isa, activation.bounds(), output, output_gradient, input_gradient);
        },
    );
}

vectorised! {
    /// The gradient to an activation's input, from its output and the gradient to that.
    pub(crate) fn activate_backward_stretch<T: Element>(
        bounds: Bounds,
        output: &[T],
        output_gradient: &[T],
        input_gradient: &mut [T],
    ) {
        for ((to, y), dy) in input_gradient.iter_mut().zip(output).zip(output_gradient) {
            *to = T::from_f32(bounds.gradient(y.to_f32(), dy.to_f32()));
        }
    }
}

/// `output = activation(left + right)`: a residual add.
///
/// # Panics
/// When lengths differ.
pub fn add<T: Element>(isa: Isa, activation: Clamp, left: &[T], right: &[T], output: &mut [T]) {
    check_len("right", right.len(), left.len());
    check_len("output", output.len(), left.len());
    spread_chunks(output, STRETCH, |index, output| {
        let of_stretch = index * STRETCH..index * STRETCH + output.len();
        add_stretch(isa, activation.bounds(), &left[of_stretch.clone()], &right[of_stretch], output);
    });
}

vectorised! {
    fn add_stretch<T: Element>(bounds: Bounds, left: &[T], right: &[T], output: &mut [T]) {
        for ((to, left), right) in output.iter_mut().zip(left).zip(right) {
            *to = T::from_f32(bounds.clamp(left.to_f32() + right.to_f32()));
        }
    }
}

/// Converts a map from one element type to another: exact to f32, to the nearest (ties to even) to bf16.
///
/// # Panics
/// When lengths differ.
pub fn convert<T: Element, U: Element>(isa: Isa, input: &[T], output: &mut [U]) {
    check_len("output", output.len(), input.len());
    spread_map(input, output, STRETCH, |input, output| convert_stretch(isa, input, output));
}

vectorised! {
    fn convert_stretch<T: Element, U: Element>(input: &[T], output: &mut [U]) {
        for (to, x) in output.iter_mut().zip(input) {
            *to = U::from_f32(x.to_f32());
        }
    }
}
