//! Reading a file of PyTorch from end to end.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::archive::Archive;
use super::budget::Budget;
use super::checkpoint::{Found, NamedView, state_dict};
use super::error::{PthError, PthProblem};
use super::legacy::{Legacy, MAGIC};
use super::pickle::unpickle;
use super::tensor::RawTensor;

/// How many times the file's length its tensors may take: views of one storage repeat it, as tied weights do.
const MOST_UNPACKED: u64 = 2;

/// How many times the file's length its tensors may take once they are of 32 bits.
const MOST_WIDENED: u64 = 4;

/// The state dict of a file of PyTorch.
#[derive(Debug, Clone, PartialEq)]
pub struct PthContent {
    /// Its tensors, in the file's order.
    pub tensors: Vec<RawTensor>,
    /// The key under which the checkpoint keeps them; `None` where the file is nothing but the state dict.
    pub key: Option<String>,
    /// The other keys of the checkpoint that hold tensors by name.
    pub other_keys: Vec<String>,
    /// Names of entries of the state dict that cairn does not read, each with its class.
    pub unread_entries: Vec<(String, String)>,
    /// Python's classes and functions in the file that were passed over, by name: the first few.
    pub unread_classes: Vec<String>,
}

/// Reads the weights that `torch.save` or `torch.jit.save` wrote: a state dict, a checkpoint that holds one, or a
/// TorchScript module. The names are the file's.
///
/// Of a checkpoint's state dicts, `key` names the one to read, or a module of the only one. Without a key, a running mean
/// of the weights (`state_dict_ema`, `model_ema` and their like) is taken before the weights (`state_dict`, `model` and
/// their like).
///
/// Nothing in the file is executed. What only Python code could make is passed over. Time and memory stay in proportion to
/// the file's length, whatever it claims.
///
/// # Errors
/// When the file cannot be read, is damaged, or holds something else than weights; the message says which, and what
/// to do.
pub fn read_pth(path: impl AsRef<Path>, key: Option<&str>) -> Result<PthContent, PthError> {
    let path = path.as_ref();
    let file = File::open(path).map_err(PthProblem::from);
    let content = file.and_then(|file| PthContent::read(file, key));
    content.map_err(|problem| PthError { path: path.to_owned(), problem })
}

impl PthContent {
    /// The same from an open file or bytes in memory.
    ///
    /// # Errors
    /// As [`read_pth`].
    pub fn read(mut file: impl Read + Seek, key: Option<&str>) -> Result<Self, PthProblem> {
        let len = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let mut start = Vec::new();
        file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start)?;
        file.rewind()?;
        if start.starts_with(b"PK") {
            read_archive(file, len, key)
        } else if start == MAGIC {
            read_legacy(file, key)
        } else {
            Err(PthProblem::NotPytorch)
        }
    }
}

fn read_archive(file: impl Read + Seek, len: u64, key: Option<&str>) -> Result<PthContent, PthProblem> {
    let mut budget = Budget::for_file(len);
    let mut archive = Archive::open(file, len)?;
    let content = unpickle(&archive.pickle()?, &mut budget)?;
    let found = state_dict(&content.root, key, &content.heap, &mut budget)?;
    check_size(&found.tensors, len)?;
    // A storage is read when its first tensor comes and let go after its last one.
    let mut uses: HashMap<&str, usize> = HashMap::new();
    found.tensors.iter().for_each(|(_, view)| *uses.entry(&view.storage.key).or_default() += 1);
    let mut shared: HashMap<&str, Vec<u8>> = HashMap::new();
    let mut tensors = Vec::with_capacity(found.tensors.len());
    for (name, view) in &found.tensors {
        let key: &str = &view.storage.key;
        let storage = match shared.remove(key) {
            Some(storage) => storage,
            None => archive.storage(key)?,
        };
        tensors.push(view.gather(name.clone(), &storage)?);
        if let Some(left) = uses.get_mut(key) {
            *left -= 1;
            if *left > 0 {
                shared.insert(key, storage);
            }
        }
    }
    Ok(PthContent::new(tensors, found, content.heap.unread()))
}

fn read_legacy(mut file: impl Read, key: Option<&str>) -> Result<PthContent, PthProblem> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut budget = Budget::for_file(bytes.len() as u64);
    let Legacy { content, storages } = Legacy::read(&bytes, &mut budget)?;
    let found = state_dict(&content.root, key, &content.heap, &mut budget)?;
    check_size(&found.tensors, bytes.len() as u64)?;
    let tensor = |(name, view): &NamedView| {
        let missing = || PthProblem::Tensor { name: name.clone(), what: "has no storage" };
        let place = storages.get(&*view.storage.key).ok_or_else(missing)?;
        view.gather(name.clone(), &bytes[place.clone()])
    };
    let tensors = found.tensors.iter().map(tensor).collect::<Result<_, _>>()?;
    Ok(PthContent::new(tensors, found, content.heap.unread()))
}

impl PthContent {
    fn new(tensors: Vec<RawTensor>, found: Found, unread_classes: Vec<String>) -> Self {
        let Found { unread, key, other_keys, .. } = found;
        let unread_entries = unread.into_iter().map(|(name, class)| (name, class.to_string())).collect();
        Self { tensors, key, other_keys, unread_entries, unread_classes }
    }
}

/// Refuses tensors that take far more memory than the file's length.
fn check_size(views: &[NamedView], file_len: u64) -> Result<(), PthProblem> {
    let views = || views.iter().map(|(_, view)| view);
    let unpacked = views().map(|view| view.byte_len());
    check_total(unpacked, file_len.saturating_mul(MOST_UNPACKED))?;
    let widened = views().map(|view| (view.byte_len()? / view.dtype.size()).checked_mul(size_of::<f32>()));
    check_total(widened, file_len.saturating_mul(MOST_WIDENED))
}

/// Refuses sizes that are together more than `limit` bytes, or beyond what can be counted.
fn check_total(mut sizes: impl Iterator<Item = Option<usize>>, limit: u64) -> Result<(), PthProblem> {
    match sizes.try_fold(0_u64, |sum, len| sum.checked_add(len? as u64)) {
        Some(sum) if sum <= limit => Ok(()),
        _ => Err(PthProblem::TooLarge { limit }),
    }
}
