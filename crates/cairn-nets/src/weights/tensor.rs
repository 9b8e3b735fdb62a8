//! A tensor in a file: type, shape and bytes.

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
            // Many at a time: one by one, each would check the processor's features.
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
}

impl Dtype {
    /// Whether all these little-endian elements are finite once they are f32.
    pub fn all_finite(self, bytes: &[u8]) -> bool {
        // An exponent of ones, or of f64 what rounds to infinity.
        match self {
            Self::F32 => none(bytes, |b| u32::from_le_bytes(b) & 0x7f80_0000 == 0x7f80_0000),
            Self::F16 => none(bytes, |b| u16::from_le_bytes(b) & 0x7c00 == 0x7c00),
            Self::Bf16 => none(bytes, |b| u16::from_le_bytes(b) & 0x7f80 == 0x7f80),
            Self::F64 => none(bytes, |b| !(f64::from_le_bytes(b) as f32).is_finite()),
            Self::I64 | Self::U8 | Self::Bool => true,
        }
    }
}

/// Whether `is_broken` holds for none of the elements. Looks at a thousand before it decides, so that the loop is
/// vectorised.
fn none<const N: usize>(bytes: &[u8], is_broken: impl Fn([u8; N]) -> bool) -> bool {
    let (elements, _) = bytes.as_chunks::<N>();
    elements.chunks(1024).all(|some| !some.iter().fold(false, |any, element| any | is_broken(*element)))
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
    /// Their type.
    pub(super) dtype: Dtype,
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
    /// Its class, such as `torch.FloatStorage`.
    pub(super) class: Rc<str>,
    /// The type of its elements; `None` where tensors of it are not read.
    pub(super) dtype: Option<Dtype>,
    /// Bytes of one element.
    pub(super) size: usize,
    /// How many elements it has.
    pub(super) len: usize,
}

impl StridedView {
    /// How many bytes its elements take without gaps; `None` beyond what can be counted.
    pub(super) fn byte_len(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.dtype.size(), |bytes, &side| bytes.checked_mul(side))
    }

    /// The tensor's elements, gathered from the bytes of its storage.
    ///
    /// # Errors
    /// [`PthProblem::Tensor`] when it reaches outside of the storage.
    pub(super) fn gather(&self, name: String, storage: &[u8]) -> Result<RawTensor, PthProblem> {
        let dtype = self.dtype;
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
        let size = self.dtype.size();
        if self.lies_dense_from(axis) {
            let len = self.shape[axis..].iter().product::<usize>();
            out.extend_from_slice(&storage[start * size..][..len * size]);
            return;
        }
        for index in 0..self.shape[axis] {
            self.gather_axis(axis + 1, start + index * self.strides[axis], storage, out);
        }
    }

    /// Whether the elements of the axes from `axis` on are contiguous.
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
        let (key, class) = ("0".into(), "torch.ByteStorage".into());
        let storage = Storage { key, class, dtype: Some(Dtype::U8), size: 1, len: 24 };
        let (shape, strides) = (shape.to_vec(), strides.to_vec());
        StridedView { storage: Rc::new(storage), dtype: Dtype::U8, offset, shape, strides }
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
    fn an_element_that_is_not_finite_is_found_wherever_it_is() {
        let bytes = |value: f64| {
            let (narrow, half, brain) = (value as f32, f16::from_f64(value), bf16::from_f64(value));
            [
                (Dtype::F32, narrow.to_le_bytes().to_vec()),
                (Dtype::F16, half.to_le_bytes().to_vec()),
                (Dtype::Bf16, brain.to_le_bytes().to_vec()),
                (Dtype::F64, value.to_le_bytes().to_vec()),
            ]
        };
        for broken in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            for ((dtype, whole), (_, other)) in bytes(-1.5).into_iter().zip(bytes(broken)) {
                let mut elements = vec![whole.clone(); 3000];
                assert!(dtype.all_finite(&elements.concat()), "{dtype:?}");
                for place in [0, 1023, 1024, 2999] {
                    elements[place] = other.clone();
                    assert!(!dtype.all_finite(&elements.concat()), "{dtype:?} {broken} at {place}");
                    elements[place] = whole.clone();
                }
            }
        }
        assert!(Dtype::F32.all_finite(&f32::MAX.to_le_bytes()) && Dtype::I64.all_finite(&[0xff; 8]));
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
