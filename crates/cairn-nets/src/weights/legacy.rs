//! The files of PyTorch before 1.6, and of `torch.save(..., _use_new_zipfile_serialization=False)`: pickles one after
//! the other (a magic number, a version, the machine, the content, the keys of the storages), then the storages, each its
//! number of elements as 64 bits and its elements.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::budget::Budget;
use super::error::PthProblem;
use super::pickle::{Unpickled, unpickle};
use super::value::{Heap, Value};

/// The pickle of the number 0x1950a86a20f9469cfc6c, which begins every such file.
pub(super) const MAGIC: &[u8] =
    &[0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, b'.'];

/// A legacy file, its pickles read.
pub(super) struct Legacy {
    /// What it holds.
    pub(super) content: Unpickled,
    /// The position of each storage's elements in the file.
    pub(super) storages: HashMap<String, Range<usize>>,
}

impl Legacy {
    /// Reads the pickles of a file that begins with [`MAGIC`], and finds its storages.
    ///
    /// # Errors
    /// When it is damaged, big-endian, or holds what is not read.
    pub(super) fn read(file: &[u8], budget: &mut Budget) -> Result<Self, PthProblem> {
        let mut position = MAGIC.len();
        let mut next = || {
            let unpickled = unpickle(&file[position..], budget)?;
            position += unpickled.len;
            Ok::<_, PthProblem>(unpickled)
        };
        let (_version, machine, content, keys) = (next()?, next()?, next()?, next()?);
        if is_big_endian(&machine) {
            return Err(PthProblem::BigEndian);
        }
        let what = "no list of storages after its content";
        let keys = texts(&keys).ok_or(PthProblem::Pickle { position, what })?;
        let storages = storages(file, position, &keys, &content.heap)?;
        Ok(Self { content, storages })
    }
}

fn is_big_endian(machine: &Unpickled) -> bool {
    let Value::Dict(machine_info) = machine.root else { return false };
    let entries = machine.heap.dict(machine_info).iter();
    entries.into_iter().any(|entry| match entry {
        (Value::Text(key), Value::Bool(little)) => **key == *"little_endian" && !little,
        _ => false,
    })
}

fn texts(list: &Unpickled) -> Option<Vec<Rc<str>>> {
    let Value::Sequence(items) = list.root else { return None };
    let text = |value: &Value| match value {
        Value::Text(text) => Some(Rc::clone(text)),
        _ => None,
    };
    list.heap.sequence(items).iter().map(text).collect()
}

/// The positions of the elements of the storages called `keys`, the first at `position`. How many bytes an element takes is
/// not said there, but where the content refers to the storage.
fn storages(
    file: &[u8],
    mut position: usize,
    keys: &[Rc<str>],
    heap: &Heap,
) -> Result<HashMap<String, Range<usize>>, PthProblem> {
    let sizes: HashMap<&str, usize> =
        heap.storages().iter().map(|storage| (storage.key.as_ref(), storage.size)).collect();
    let mut places = HashMap::new();
    for key in keys {
        let damaged = |what| PthProblem::Pickle { position, what };
        let size = sizes.get(key.as_ref()).ok_or(damaged("a storage that nothing refers to"))?;
        let count = file[position..].first_chunk::<8>();
        let count = count.and_then(|count| usize::try_from(u64::from_le_bytes(*count)).ok());
        let end = count.and_then(|count| count.checked_mul(*size)?.checked_add(position + 8));
        let end = end.filter(|&end| end <= file.len()).ok_or(damaged("it ends within its storages"))?;
        places.insert(key.to_string(), position + 8..end);
        position = end;
    }
    Ok(places)
}
