//! Burn's CPU tensors as the slices that the kernels work on, and back.

use burn::tensor::{DType, Shape};
use burn_flex::{FlexTensor, Layout};
use half::bf16;

use crate::element::Element;
use crate::memory::Buffer;
use crate::shape::Extent;

/// An element type of maps, as Burn names it.
pub(super) trait MapElement: Element {
    const DTYPE: DType;

    /// The values, if they are contiguous.
    fn slice(tensor: &FlexTensor) -> Option<&[Self]>;
}

impl MapElement for f32 {
    const DTYPE: DType = DType::F32;

    fn slice(tensor: &FlexTensor) -> Option<&[Self]> {
        tensor.as_slice()
    }
}

impl MapElement for bf16 {
    const DTYPE: DType = DType::BF16;

    fn slice(tensor: &FlexTensor) -> Option<&[Self]> {
        tensor.as_slice()
    }
}

/// Runs an expression with `$element` standing for the element type of a map of this [`DType`].
macro_rules! with_element {
    ($dtype:expr, $element:ident => $body:expr) => {
        match $dtype {
            burn::tensor::DType::F32 => {
                type $element = f32;
                $body
            }
            burn::tensor::DType::BF16 => {
                type $element = half::bf16;
                $body
            }
            other => panic!("maps are of F32 or BF16, not of {other:?}; cast them first"),
        }
    };
}
pub(super) use with_element;

/// A contiguous tensor, to be read as a slice.
pub(super) struct Values(FlexTensor);

impl Values {
    pub(super) fn new(tensor: &FlexTensor) -> Self {
        let in_order = tensor.layout().contiguous_offsets().is_some();
        Self(if in_order { tensor.clone() } else { tensor.to_contiguous() })
    }

    /// # Panics
    /// When the tensor is of another element type.
    pub(super) fn of<T: MapElement>(&self) -> &[T] {
        let values = T::slice(&self.0);
        values.unwrap_or_else(|| panic!("a tensor of {:?} where {:?} is needed", self.0.dtype(), T::DTYPE))
    }
}

/// A new tensor of some shape, all of whose values `write` sets.
pub(super) fn written<T: MapElement>(shape: impl Into<Shape>, write: impl FnOnce(&mut [T])) -> FlexTensor {
    let shape = shape.into();
    let count = shape.num_elements();
    let mut buffer = Buffer::of::<T>(count);
    write(buffer.as_mut_slice(count));
    FlexTensor::new(buffer.into_bytes::<T>(count), Layout::contiguous(shape), T::DTYPE)
}

/// A tensor of a vector's values.
pub(super) fn vector(values: Vec<f32>) -> FlexTensor {
    written([values.len()], |to| to.copy_from_slice(&values))
}

/// The sizes of a map, `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct MapShape {
    pub(super) batch: usize,
    pub(super) extent: Extent,
    pub(super) channels: usize,
}

impl MapShape {
    pub(super) fn of(map: &FlexTensor) -> Self {
        let shape = map.layout().shape();
        assert!(shape.num_dims() == 4, "a map has four axes, not {shape:?}");
        let extent = Extent { height: shape[1], width: shape[2] };
        Self { batch: shape[0], extent, channels: shape[3] }
    }

    pub(super) fn to_array(self) -> [usize; 4] {
        [self.batch, self.extent.height, self.extent.width, self.channels]
    }
}
