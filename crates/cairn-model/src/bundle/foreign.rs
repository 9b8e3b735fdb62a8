//! Model files of other programs, told by their first bytes, so that an error can say what to do with them.

use std::fmt;
use std::path::Path;

/// A format of models that cairn does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignFormat {
    /// A file of PyTorch: a state dict, checkpoint or TorchScript module.
    PyTorch,
    /// ONNX.
    Onnx,
    /// HDF5, as Keras writes it.
    Hdf5,
}

impl ForeignFormat {
    /// The format of a file that begins with `bytes`; `None` where it is none of these, as a bundle.
    pub(super) fn of(bytes: &[u8], path: &Path) -> Option<Self> {
        let has_extension =
            |name: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(name));
        match bytes {
            // A ZIP archive since PyTorch 1.6, a pickle of protocol 2 before.
            [b'P', b'K', 3, 4, ..] | [0x80, 2, ..] => Some(Self::PyTorch),
            [0x89, b'H', b'D', b'F', ..] => Some(Self::Hdf5),
            // Its first field is the version, which a safetensors file of that length could begin with, too.
            [8, 1..32, ..] if has_extension("onnx") => Some(Self::Onnx),
            _ => None,
        }
    }
}

impl fmt::Display for ForeignFormat {
    /// What it is, and what to do with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PyTorch => {
                "a file of PyTorch, not a cairn model: `cairn import` makes a model of weights; of a model that cairn \
                 exported, use the bundle (.safetensors) instead"
            }
            Self::Onnx => {
                "an ONNX model, not a cairn model: use the bundle (.safetensors) that it was exported from; of another \
                 program's model, `cairn import` takes the weights as .pth or .safetensors"
            }
            Self::Hdf5 => {
                "an HDF5 file, not a cairn model: `cairn import` takes weights as .pth or .safetensors, so save them with \
                 PyTorch first"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Model, ModelError};

    #[test]
    fn models_of_other_programs_are_told_by_their_content_with_advice() {
        for (bytes, name, said) in [
            (&b"PK\x03\x04rest"[..], "model.pt", "cairn import"),
            (b"PK\x03\x04rest", "model.safetensors", "cairn import"),
            (b"\x80\x02\x8a\x0a", "model.pth", "cairn import"),
            (b"\x08\x08\x12\x05cairn", "model.onnx", "exported from"),
            (b"\x89HDF\r\n", "model.h5", "PyTorch first"),
        ] {
            let error = Model::from_bytes(bytes, name).unwrap_err();
            assert!(matches!(error, ModelError::Foreign { .. }), "{error:?}");
            let said_now = error.to_string();
            assert!(said_now.starts_with(name) && said_now.contains(said), "{said_now}");
        }
        // Neither a damaged bundle nor one whose length begins as ONNX's version does is taken for another program's.
        for bytes in [&b"\x08\x08\0\0\0\0\0\0{}"[..], b"", b"PK", b"{}"] {
            assert!(ForeignFormat::of(bytes, Path::new("m.safetensors")).is_none(), "{bytes:?}");
        }
    }
}
