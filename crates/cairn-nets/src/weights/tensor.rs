//! A tensor as it lies in a file: type, shape and bytes.

use std::rc::Rc;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::error::PthProblem;

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// 32-bit float.
    F32,
    /// IEEE 16-bit float.
    F16,
    /// The upper half of a 32-bit float.
    Bf16,
    /// 64-bit float.
    F64,
    /// 64-bit signed integer.
    I64,
    /// Byte.
    U8,
    /// Truth value, one byte.
    Bool,
}

impl Dtype {
    /// Bytes of one element.
    pub fn size(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::U8 | Self::Bool => 1,
        }
    }

    /// Little-endian elements as f32. Wider types are rounded to the nearest, truth values become 0 and 1.
    pub(crate) fn to_f32(self, bytes: &[u8]) -> Vec<f32> {
        // One loop for each width: `as_chunks` gives arrays, and the bytes are a whole number of elements.
        match self {
            Self::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            // Many at a time: one by one, each asks the processor anew whether it can.
            Self::F16 => {
                let halves: Vec<f16> = bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b)).collect();
                halves.to_f32_vec()
            }
            Self::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            Self::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            Self::I64 => bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect(),
            Self::U8 | Self::Bool => bytes.iter().map(|&b| f32::from(b)).collect(),
        }
    }

    /// The type of a storage class of the module `torch`, such as `FloatStorage`.
    pub(super) fn of_storage(class: &str) -> Option<Self> {
        Some(match class {
            "FloatStorage" => Self::F32,
            "HalfStorage" => Self::F16,
            "BFloat16Storage" => Self::Bf16,
            "DoubleStorage" => Self::F64,
            "LongStorage" => Self::I64,
            "ByteStorage" => Self::U8,
            "BoolStorage" => Self::Bool,
            _ => return None,
        })
    }
}

/// A tensor by name, as plain data.
#[derive(Debug, Clone, PartialEq)]
pub struct RawTensor {
    /// Its name in the state dict, such as `layer1.0.conv1.weight`.
    pub name: String,
    /// The type of its elements.
    pub dtype: Dtype,
    /// Its shape; empty for a single number.
    pub shape: Vec<usize>,
    /// Its elements, little-endian, row-major, without gaps.
    pub bytes: Vec<u8>,
}

impl RawTensor {
    /// Its elements as f32, row-major. Wider types are rounded to the nearest, truth values become 0 and 1.
    pub fn to_f32(&self) -> Vec<f32> {
        self.dtype.to_f32(&self.bytes)
    }
}

/// A tensor as the pickle describes it: a view of a storage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StridedView {
    /// Whose elements it views.
    pub(super) storage: Rc<Storage>,
    /// Its first element, counted in elements of the storage.
    pub(super) offset: usize,
    /// Its shape.
    pub(super) shape: Vec<usize>,
    /// Elements of the storage between neighbours along each axis; as long as `shape`.
    pub(super) strides: Vec<usize>,
}

/// A block of elements that tensors view, kept apart from the pickle.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Storage {
    /// Its name in the file.
    pub(super) key: Rc<str>,
    /// The type of its elements.
    pub(super) dtype: Dtype,
    /// How many elements it has.
    pub(super) len: usize,
}

impl StridedView {
    /// How many bytes its elements take without gaps; `None` beyond what can be counted.
    pub(super) fn byte_len(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.storage.dtype.size(), |bytes, &side| bytes.checked_mul(side))
    }

    /// The tensor's elements, gathered from the bytes of its storage.
    ///
    /// # Errors
    /// [`PthProblem::Tensor`] when it reaches outside of the storage.
    pub(super) fn gather(&self, name: String, storage: &[u8]) -> Result<RawTensor, PthProblem> {
        let dtype = self.storage.dtype;
        let problem = |what| PthProblem::Tensor { name: name.clone(), what };
        let byte_len = self.byte_len().ok_or_else(|| problem("is larger than any memory"))?;
        let end = self.end().and_then(|end| end.checked_mul(dtype.size()));
        if end.is_none_or(|end| end > storage.len()) {
            return Err(problem("reaches outside of its storage"));
        }
        let mut bytes = Vec::with_capacity(byte_len);
        if byte_len > 0 {
            self.gather_axis(0, self.offset, storage, &mut bytes);
        }
        Ok(RawTensor { name, dtype, shape: self.shape.clone(), bytes })
    }

    /// One past the last element of the storage that is used; `None` beyond what can be counted.
    fn end(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(self.offset);
        }
        let steps = self.shape.iter().zip(&self.strides);
        let last = steps.map(|(side, stride)| (side - 1).checked_mul(*stride));
        last.chain([Some(1)]).try_fold(self.offset, |end, step| end.checked_add(step?))
    }

    /// Appends the elements along `axis` and those after it, the first at `start`.
    fn gather_axis(&self, axis: usize, start: usize, storage: &[u8], out: &mut Vec<u8>) {
        let size = self.storage.dtype.size();
        if self.lies_dense_from(axis) {
            let len = self.shape[axis..].iter().product::<usize>();
            out.extend_from_slice(&storage[start * size..][..len * size]);
            return;
        }
        for index in 0..self.shape[axis] {
            self.gather_axis(axis + 1, start + index * self.strides[axis], storage, out);
        }
    }

    /// Whether the elements of the axes from `axis` on lie side by side.
    fn lies_dense_from(&self, axis: usize) -> bool {
        let mut dense = 1;
        self.shape[axis..].iter().zip(&self.strides[axis..]).rev().all(|(&side, &stride)| {
            let fits = side == 1 || stride == dense;
            dense *= side;
            fits
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(shape: &[usize], strides: &[usize], offset: usize) -> StridedView {
        let storage = Storage { key: "0".into(), dtype: Dtype::U8, len: 24 };
        StridedView { storage: Rc::new(storage), offset, shape: shape.to_vec(), strides: strides.to_vec() }
    }

    fn gathered(view: &StridedView) -> Result<Vec<u8>, PthProblem> {
        view.gather("t".to_owned(), &(0..24).collect::<Vec<u8>>()).map(|tensor| tensor.bytes)
    }

    #[test]
    fn a_transposed_view_is_laid_out_by_rows() {
        assert_eq!(gathered(&view(&[3, 2], &[1, 3], 4)).unwrap(), [4, 7, 5, 8, 6, 9]);
    }

    #[test]
    fn an_expanded_axis_repeats_its_elements() {
        assert_eq!(gathered(&view(&[2, 3], &[0, 1], 1)).unwrap(), [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn a_single_number_and_an_empty_tensor_are_read() {
        assert_eq!(gathered(&view(&[], &[], 23)).unwrap(), [23]);
        assert!(gathered(&view(&[4, 0], &[1, 1], 0)).unwrap().is_empty());
    }

    #[test]
    fn a_view_beyond_its_storage_is_refused() {
        for reaching in [view(&[], &[], 24), view(&[5, 5], &[5, 1], 0), view(&[2], &[usize::MAX], 1)] {
            assert!(matches!(gathered(&reaching), Err(PthProblem::Tensor { .. })), "{reaching:?}");
        }
        let countless = view(&[usize::MAX, 2], &[0, 0], 0);
        assert!(matches!(gathered(&countless), Err(PthProblem::Tensor { .. })));
    }

    #[test]
    fn every_type_becomes_f32() {
        let read = |dtype, bytes: &[u8]| {
            RawTensor { name: String::new(), dtype, shape: vec![1], bytes: bytes.to_vec() }.to_f32()
        };
        assert_eq!(read(Dtype::F32, &1.5_f32.to_le_bytes()), [1.5]);
        assert_eq!(read(Dtype::F16, &f16::from_f32(-0.25).to_le_bytes()), [-0.25]);
        assert_eq!(read(Dtype::Bf16, &bf16::from_f32(96.0).to_le_bytes()), [96.0]);
        assert_eq!(read(Dtype::F64, &0.1_f64.to_le_bytes()), [0.1]);
        assert_eq!(read(Dtype::I64, &(-7_i64).to_le_bytes()), [-7.0]);
        assert_eq!(read(Dtype::U8, &[200]), [200.0]);
        assert_eq!(read(Dtype::Bool, &[1]), [1.0]);
    }
}
