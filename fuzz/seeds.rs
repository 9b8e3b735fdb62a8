//! Writes a small corpus for each target, to `corpus/TARGET/`: `cargo run --bin seeds`.

use std::error::Error;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use cairn_dataset::ClassList;
use cairn_model::{BundleInfo, Provenance, write_bundle};
use cairn_nets::{Architecture, Device, Init, NetworkSpec, Pooling, StateDict};
use cairn_photo::{Framing, Normalisation, Preprocess, TestViews};
use cairn_synthetic::{Kind, draw};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// `{"weight": tensor}` with two f32 elements in storage 0.
const STATE_DICT: &[u8] = b"\x80\x02}X\x06\0\0\0weightctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\n\
    FloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x02tQK\0(K\x02t(K\x01t\x89ccollections\nOrderedDict\n)RtRs.";

/// A checkpoint's other things: an instance, a set, a dict of lists, a number.
const OTHERS: &[u8] = b"\x80\x04}(\x8c\x04argscargparse\nNamespace\n)\x81}\x8c\x02lrG?\xb9\x99\x99\x99\x99\x99\x9asb\x8c\x01s\x8f(K\x01\x90\
    \x94\x8c\x01dccollections\ndefaultdict\nc__builtin__\nlist\n\x85RX\x01\0\0\0a]K\x01asu.";

/// A module of TorchScript that holds itself.
const SCRIPT: &[u8] = b"\x80\x02c__torch__.a\nM\n)\x81q\0}X\x01\0\0\0mh\0sb.";

/// What begins a legacy file: a magic number, a version, the machine.
const LEGACY: &[u8] =
    b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}X\x0d\0\0\0little_endian\x88s.";

/// What ends it: the keys of the storages, and the storages.
const STORAGES: &[u8] = b"\x80\x02]X\x01\0\0\x000a.\x02\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40";

/// A JPEG's start, and the marker and length of the segment for [`EXIF`].
const JPEG_START: &[u8] = b"\xff\xd8\xff\xe1\x00\x3a";

/// Orientation 6, and a pointer to a GPS directory of a latitude's reference.
const EXIF: &[u8] = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0\
    \x01\0\x01\0\x02\0\x02\0\0\0N\0\0\0";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let write = |target: &str, name: &str, bytes: &[u8]| -> Result<(), Box<dyn Error>> {
        let folder = root.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(name), bytes)?)
    };
    for (name, pickle) in [("state_dict", STATE_DICT), ("others", OTHERS), ("script", SCRIPT)] {
        write("pickle", name, pickle)?;
        write("pth", name, &archive(pickle)?)?;
    }
    write("pth", "legacy", &[LEGACY, STATE_DICT, STORAGES].concat())?;

    let mut weights = StateDict::default();
    weights.insert("conv.weight", &[2, 1, 3, 3], vec![0.5; 18]);
    write("safetensors", "weights", &weights.to_safetensors("cairn", "{}".to_owned())?)?;
    write_bundle(&root.join("corpus/bundle.tmp"), &bundle().0.build(Init::Default, 5, &Device::flex())?, &bundle().1)?;
    write("bundle", "three-conv", &fs::read(root.join("corpus/bundle.tmp"))?)?;
    fs::remove_file(root.join("corpus/bundle.tmp"))?;

    write("manifest", "rows", b"path,label,split\na/1.jpg,Dome,train\n\"b, 2.jpg\",Pyramid,test\n")?;
    for recipe in fs::read_dir(root.join("../recipes"))? {
        let path = recipe?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        write("recipe", &name, &fs::read(&path)?)?;
    }
    for target in ["photo", "metadata"] {
        let folder = root.join("corpus").join(target);
        fs::create_dir_all(&folder)?;
        draw(Kind::Castle, 3, 32).save_png(folder.join("castle.png"))?;
    }
    write("metadata", "exif.jpg", &[JPEG_START, EXIF].concat())?;
    Ok(())
}

fn archive(pickle: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [("data.pkl", pickle), ("byteorder", b"little"), ("data/0", b"\0\0\x80\x3f\0\0\0\x40")] {
        zip.start_file(format!("archive/{name}"), SimpleFileOptions::default())?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn bundle() -> (NetworkSpec, BundleInfo) {
    let network = NetworkSpec {
        architecture: Architecture::ThreeConv,
        classes: 2,
        side: 16,
        dropout: 0.0,
        pooling: Pooling::Average,
    };
    let info = BundleInfo {
        network: network.clone(),
        classes: ClassList::from_folders(["Dome", "Pyramid"]),
        preprocess: Preprocess {
            framing: Framing::ShortSideCrop { short_side: 20, crop: 16 },
            normalisation: Normalisation::IMAGENET,
        },
        views: TestViews::One,
        rejection: None,
        learning: None,
        temperature: 1.5,
        provenance: Provenance {
            cairn: "0.1.0".to_owned(),
            recipe: String::new(),
            data_fingerprint: String::new(),
            epoch: 1,
            valid_loss: 0.5,
            valid_accuracy: 0.75,
        },
    };
    (network, info)
}
