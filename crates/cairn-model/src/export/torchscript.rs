//! TorchScript: a file that `torch.jit.load` opens, in Python and in C++, without the code that made it.
//!
//! Such a file is a zip archive of a pickle (the modules and their attributes), a file of raw numbers for each tensor,
//! and the modules' code in the part of Python that TorchScript is
//! (<https://github.com/pytorch/pytorch/blob/main/torch/csrc/jit/docs/serialization.md>).

mod archive;
mod code;
mod modules;
mod pickle;
mod preprocessing;

use self::modules::Module;
use super::{ExportError, Exportable, WeightFormat};

/// The bytes of a TorchScript archive. The module in it takes photos as RGB tensors `[batch, 3, height, width]` of any
/// size, `uint8` or floating point from 0 to 1 (which counts as the nearest of 256 levels), and gives
/// `[batch, classes]` probabilities.
///
/// Beside `forward` it has `preprocess` (photos to the network's input) and `logits` (that to logits), and the
/// attribute `class_names`. Its state dict has the network's names; quantised weights are stored as such, with their
/// scales beside them.
///
/// # Errors
/// When graph, tensors, preprocessing and class names do not fit together, or a name is both a tensor's and a module's.
pub fn to_torchscript(model: &Exportable, weights: WeightFormat) -> Result<Vec<u8>, ExportError> {
    let inferred = model.check()?;
    let mut root = Module::new("Classifier".to_owned());
    for (name, tensor) in model.used_tensors() {
        root.insert(name, tensor.shape, model.stored(name, tensor, weights))?;
    }
    let code = code::module_code(model, &inferred, &root);
    archive::archive(&root, &model.class_names, &code)
}
