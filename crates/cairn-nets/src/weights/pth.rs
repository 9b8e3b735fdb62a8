//! Reading a file of PyTorch from end to end.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use super::archive::Archive;
use super::checkpoint::{NamedView, state_dict};
use super::error::{PthError, PthProblem};
use super::legacy::{Legacy, MAGIC};
use super::pickle::unpickle;
use super::tensor::RawTensor;

/// How many times the file's length its tensors may take: views of one storage repeat it, as tied weights do.
const MOST_UNPACKED: u64 = 8;

/// Reads the weights that `torch.save` or `torch.jit.save` wrote: a state dict, a checkpoint that holds one, or a
/// TorchScript module. The tensors come in the file's order, without the prefix of DataParallel or `torch.compile`.
///
/// Nothing in the file is executed, and time and memory stay in proportion to its length, whatever it claims.
///
/// # Errors
/// When the file cannot be read, is damaged, or holds something else than weights; the message says which, and what
/// to do.
pub fn read_pth(path: impl AsRef<Path>) -> Result<Vec<RawTensor>, PthError> {
    let path = path.as_ref();
    read(path).map_err(|problem| PthError { path: path.to_owned(), problem })
}

fn read(path: &Path) -> Result<Vec<RawTensor>, PthProblem> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start)?;
    file.rewind()?;
    if start.starts_with(b"PK") {
        read_archive(file)
    } else if start == MAGIC {
        read_legacy(file)
    } else {
        Err(PthProblem::NotPytorch)
    }
}

fn read_archive(file: File) -> Result<Vec<RawTensor>, PthProblem> {
    let len = file.metadata()?.len();
    let mut archive = Archive::open(file)?;
    let content = unpickle(&archive.pickle()?)?;
    let views = state_dict(&content.root, &content.heap)?;
    check_size(&views, len)?;
    // A storage is read when its first tensor comes and let go after its last one.
    let mut uses: HashMap<&str, usize> = HashMap::new();
    views.iter().for_each(|(_, view)| *uses.entry(&view.storage.key).or_default() += 1);
    let mut shared: HashMap<&str, Vec<u8>> = HashMap::new();
    let mut tensors = Vec::with_capacity(views.len());
    for (name, view) in &views {
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
    Ok(tensors)
}

fn read_legacy(mut file: File) -> Result<Vec<RawTensor>, PthProblem> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Legacy { content, storages } = Legacy::read(&bytes)?;
    let views = state_dict(&content.root, &content.heap)?;
    check_size(&views, bytes.len() as u64)?;
    let tensor = |(name, view): NamedView| {
        let missing = || PthProblem::Tensor { name: name.clone(), what: "has no storage" };
        let place = storages.get(&*view.storage.key).ok_or_else(missing)?;
        view.gather(name, &bytes[place.clone()])
    };
    views.into_iter().map(tensor).collect()
}

/// Refuses tensors that take far more memory than the file's length.
fn check_size(views: &[NamedView], file_len: u64) -> Result<(), PthProblem> {
    let limit = file_len.saturating_mul(MOST_UNPACKED);
    let sizes = views.iter().map(|(_, view)| view.byte_len().map(|len| len as u64));
    match sizes.into_iter().try_fold(0_u64, |sum, len| sum.checked_add(len?)) {
        Some(sum) if sum <= limit => Ok(()),
        _ => Err(PthProblem::TooLarge { limit }),
    }
}
