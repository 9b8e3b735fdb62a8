//! What can go wrong with a file of PyTorch.

use std::io;
use std::path::PathBuf;

/// Why the weights in a file of PyTorch could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct PthError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: PthProblem,
}

/// What is wrong with a file of PyTorch, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PthProblem {
    /// The operating system does not give it.
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    /// Neither an archive nor a pickle with PyTorch's mark.
    #[error("not a file that torch.save or torch.jit.save wrote")]
    NotPytorch,
    /// The archive cannot be read.
    #[error("damaged or repacked archive ({0}): copy or download it again")]
    Archive(#[from] zip::result::ZipError),
    /// The archive lacks a part.
    #[error("the archive has no entry `{0}`: copy or download it again")]
    MissingEntry(String),
    /// Numbers in the other byte order.
    #[error("holds big-endian numbers: load it and save it again on a little-endian machine")]
    BigEndian,
    /// The pickle breaks the rules of its format.
    #[error("damaged at byte {position} of its pickle ({what}): copy or download it again")]
    Pickle {
        /// Offset of the instruction, in bytes from the start of the pickle.
        position: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A pickled object where weights are wanted: making it needs the Python code of its class.
    #[error(
        "holds a pickled `{0}`, which needs its Python code, and cairn runs no code from a file; save the weights alone \
         in Python, torch.save(model.state_dict(), FILE)"
    )]
    Global(String),
    /// Tensors of a type that is not read.
    #[error("holds tensors of `{0}`; convert them first, torch.save(model.float().state_dict(), FILE)")]
    Storage(String),
    /// No tensors where a state dict has them.
    #[error("holds no state dict, but {found}; save one, torch.save(model.state_dict(), FILE)")]
    NoStateDict {
        /// What it holds instead.
        found: String,
    },
    /// No state dict under the key that was asked for.
    #[error("holds no tensors under `{key}`{}", choices(.keys))]
    NoSuchKey {
        /// What was asked for.
        key: String,
        /// What there is.
        keys: Vec<String>,
    },
    /// Several dicts of tensors, and nothing says which is meant.
    #[error("holds several state dicts{}", choices(.keys))]
    SeveralStateDicts {
        /// Their keys.
        keys: Vec<String>,
    },
    /// A tensor that contradicts the file.
    #[error("tensor `{name}` {what}: copy or download the file again")]
    Tensor {
        /// The tensor's name.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Far more content than the file has bytes: made to exhaust memory.
    #[error("unpacks to more than {limit} bytes, too much for a weights file of this size")]
    TooLarge {
        /// The limit that it exceeds.
        limit: u64,
    },
    /// A module tree or names that no network has.
    #[error(
        "the module tree is malformed: deeper than {deepest}, cyclic, of a million attributes, or with names of more than \
         {longest} bytes or with control characters"
    )]
    TooDeep {
        /// The most that is read.
        deepest: usize,
        /// The longest name that is read, in bytes.
        longest: usize,
    },
}

/// The keys that may be asked for, as the end of a message.
fn choices(keys: &[String]) -> String {
    /// As many as can be read at a glance.
    const SHOWN: usize = 12;
    if keys.is_empty() {
        return "; omit --key".to_owned();
    }
    let shown: Vec<String> = keys.iter().take(SHOWN).map(|key| format!("`{key}`")).collect();
    let more = if keys.len() > SHOWN { " and others" } else { "" };
    format!("; choose by `cairn import --key` one of {}{more}", shown.join(", "))
}

/// Why an instruction cannot be followed.
pub(super) enum Fault {
    /// It breaks the rules of the format.
    Damaged(&'static str),
    /// It is whole, but not read here.
    Refused(PthProblem),
}

impl From<PthProblem> for Fault {
    fn from(problem: PthProblem) -> Self {
        Self::Refused(problem)
    }
}

/// Why a file's names are not brought to a network's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// The file holds the network more than once.
    #[error(
        "the weights hold this network {} times, as {}: choose one by `cairn import --key`",
        prefixes.len(),
        prefixes.iter().map(|prefix| format!("`{}`", prefix.trim_end_matches('.'))).collect::<Vec<_>>().join(", ")
    )]
    SeveralNetworks {
        /// What all names of each begin with.
        prefixes: Vec<String>,
    },
}
