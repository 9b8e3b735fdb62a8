//! The zip archive.

use std::io::{Cursor, Write};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::modules::Module;
use super::pickle::module_pickle;
use crate::export::ExportError;

/// The folder in the archive; PyTorch takes any.
const FOLDER: &str = "model_scripted";

/// The version of TorchScript's operators, the latest: with an earlier one PyTorch would rewrite operators whose meaning
/// has changed since.
const VERSION: &[u8] = b"10\n";

/// A pickle of an empty tuple: no constants.
const NO_CONSTANTS: &[u8] = b"\x80\x02).";

/// Tensors begin where PyTorch can map them into memory.
const ALIGNMENT: u16 = 64;

/// The bytes of an archive of these modules and their code.
pub(super) fn archive(root: &Module, class_names: &[&str], code: &str) -> Result<Vec<u8>, ExportError> {
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Stored).with_alignment(ALIGNMENT);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| -> Result<(), ZipError> {
        zip.start_file(format!("{FOLDER}/{name}"), options)?;
        Ok(zip.write_all(bytes)?)
    };
    add("data.pkl", &module_pickle(root, class_names))?;
    add("code/__torch__/cairn.py", code.as_bytes())?;
    add("constants.pkl", NO_CONSTANTS)?;
    add("version", VERSION)?;
    add("byteorder", b"little")?;
    let mut number = 0;
    root.each_tensor(&mut |tensor| {
        let name = format!("data/{number}");
        number += 1;
        add(&name, &tensor.bytes)
    })?;
    Ok(zip.finish()?.into_inner())
}
