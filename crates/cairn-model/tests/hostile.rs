//! Bundles made to do harm, and bundles that harm was done to: each is opened or refused, soon and in little memory.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_model::{BundleInfo, Model, Provenance, write_bundle};
use cairn_mutate::survives;
use cairn_nets::{Architecture, Init, NetworkSpec, Pooling, Precision};
use cairn_photo::{Framing, Normalisation, Photo, Preprocess, TestViews};
use cairn_reference::{Need, skip};
use serde_json::{Value, json};
use tempfile::TempDir;

const SIDE: usize = 16;

/// The bytes of a small bundle.
fn bundle() -> Vec<u8> {
    let network = NetworkSpec {
        architecture: Architecture::ThreeConv,
        classes: 2,
        side: SIDE,
        dropout: 0.0,
        pooling: Pooling::Average,
    };
    let framing = Framing::ShortSideCrop { short_side: 20, crop: SIDE as u32 };
    let info = BundleInfo {
        network: network.clone(),
        classes: ClassList::from_folders(["Dome", "Pyramid"]),
        preprocess: Preprocess { framing, normalisation: Normalisation::IMAGENET },
        temperature: 1.5,
        conformal: None,
        views: TestViews::Flip,
        rejection: None,
        learning: None,
        backbone: None,
        provenance: Provenance {
            cairn: "0.1.0".to_owned(),
            recipe: "# a recipe".to_owned(),
            data_fingerprint: "0123".to_owned(),
            epoch: 7,
            valid_loss: 0.5,
            valid_accuracy: 0.75,
        },
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    write_bundle(&path, &network.build(Init::Default, 5, &Device::flex()).unwrap(), &info).unwrap();
    fs::read(path).unwrap()
}

/// Header and tensors of a safetensors file.
fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = bytes.split_first_chunk().unwrap();
    rest.split_at(u64::from_le_bytes(*length) as usize)
}

fn file(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

/// Opens the bytes, and where that succeeds, names a photo.
fn open(bytes: &[u8]) -> bool {
    let Ok(model) = Model::from_bytes(bytes, "damaged") else { return false };
    let photo = Photo::filled(40, 30, [90, 120, 30]);
    model.with_precision(Precision::F32).predict(&photo, 2).is_ok()
}

#[test]
fn damaged_bundles_are_opened_or_refused_and_never_panic() {
    let whole = bundle();
    let (header, data) = parts(&whole);
    let description: Value = serde_json::from_slice(header).unwrap();
    let description = description["__metadata__"]["cairn"].as_str().unwrap();
    // Faults anywhere; in the header alone, whose length fits; in the description, which is a text in the header.
    survives(std::slice::from_ref(&whole), 400, open);
    survives(&[header.to_vec()], 400, |header| open(&file(header, data)));
    let whole = survives(&[description.as_bytes().to_vec()], 1500, |damaged| {
        let mut described: Value = serde_json::from_slice(header).unwrap();
        // Without a checksum, nothing hides what comes after it.
        let text = String::from_utf8_lossy(damaged).replace("weights_blake3", "no_checksum");
        described["__metadata__"]["cairn"] = text.into();
        open(&file(described.to_string().as_bytes(), data))
    });
    assert!(whole > 20, "{whole} descriptions were read");
}

/// Peak memory of this process so far, in bytes; `None` where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? << 10)
}

/// Files of some 70 MB that are no bundles, each by a name. The header and the description are as long as a file of this
/// length may have them, but for some that are longer.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    const DATA: usize = 56 << 20;
    const HEADER: usize = 17 << 20;
    const DESCRIPTION: usize = 7 << 20;
    let whole = bundle();
    let (header, data) = parts(&whole);
    let header: Value = serde_json::from_slice(header).unwrap();
    let padded = [data, &vec![0x3c; DATA]].concat();
    let with_header = |text: String| file(text.as_bytes(), &padded);
    // A tensor that the network does not have fills the file.
    let with_tensor = |mut header: Value, name: &str, shape: [usize; 2]| {
        let place = [data.len(), padded.len()];
        header[name] = json!({ "dtype": "F16", "shape": shape, "data_offsets": place });
        with_header(header.to_string())
    };
    let rows = [DATA / 128, 64];
    let with_description = |text: String| {
        let mut header = header.clone();
        header["__metadata__"]["cairn"] = text.into();
        with_tensor(header, "pad", rows)
    };
    let description = header["__metadata__"]["cairn"].as_str().unwrap();
    let swapped = |from: &str, to: &str| {
        assert!(description.contains(from), "{description}");
        description.replacen(from, to, 1)
    };
    let zeros = |len: usize| "0,".repeat(len / 2) + "0";
    let tensor =
        |name: usize| format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}");
    let tensors: Vec<String> = (0..HEADER / 60).map(tensor).collect();
    let class = r#"{"folder":"a","name":"b"},"#;
    let classes = |len: usize| class.repeat(len / class.len());
    let shape = |axes: &str| format!("{{\"t\":{{\"dtype\":\"F32\",\"shape\":[{axes}]}}}}");
    let other = format!("{{\"__metadata__\":{{\"o\":\"\\n{}\"}}}}", "o".repeat(HEADER));
    vec![
        ("a header of one array", with_header(format!("{{\"t\":[{}]}}", zeros(HEADER)))),
        ("a header of many tensors", with_header(format!("{{{}}}", tensors.join(",")))),
        ("a shape of many axes", with_header(shape(&zeros(HEADER)))),
        ("a deep header", with_header("[".repeat(HEADER))),
        ("much other metadata", with_header(other)),
        ("nothing but a header", file("[".repeat(DATA).as_bytes(), &[])),
        ("a header that is longer than the file", [&u64::MAX.to_le_bytes(), padded.as_slice()].concat()),
        ("a deep description", with_description("[".repeat(DESCRIPTION))),
        (
            "a deep value in a description",
            with_description(swapped("{", &format!("{{\"x\":{}", "[".repeat(DESCRIPTION)))),
        ),
        ("a description of one array", with_description(format!("[{}]", zeros(DESCRIPTION)))),
        (
            "a long array in a description",
            with_description(swapped("{", &format!("{{\"x\":[{}],", zeros(DESCRIPTION)))),
        ),
        (
            "many classes",
            with_description(swapped("\"classes\":[", &format!("\"classes\":[{}", classes(DESCRIPTION)))),
        ),
        ("a long recipe", with_description(swapped("# a recipe", &"r".repeat(DESCRIPTION)))),
        ("a description that is too long", with_description("[".repeat(HEADER))),
        ("tensors of another network in 16 bits", with_tensor(header.clone(), "x", rows)),
        ("embeddings of 16 bits that nothing needs", with_tensor(header.clone(), "cairn.learned", rows)),
    ]
}

/// What the child process below reads its file's path from.
const FILE: &str = "CAIRN_TEST_HOSTILE_FILE";

#[test]
fn a_bundle_is_refused_in_less_memory_than_twice_its_length() {
    // Peak memory never falls, so that each file is opened by a process of its own: this test, called again.
    if let Some(path) = std::env::var_os(FILE) {
        let before = peak_memory();
        Model::open(PathBuf::from(&path)).unwrap_err();
        let taken = peak_memory().zip(before).map_or(0, |(after, before)| after - before);
        println!("taken: {taken}");
        return;
    }
    if peak_memory().is_none() {
        skip(Need::MemoryFigures, "this system does not say how much memory a process has taken");
        return;
    }
    let folder: TempDir = tempfile::tempdir().unwrap();
    for (name, bytes) in bombs() {
        let path = folder.path().join("bomb.safetensors");
        fs::write(&path, &bytes).unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "a_bundle_is_refused_in_less_memory_than_twice_its_length", "--nocapture"]);
        let output = child.env(FILE, &path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{name}: {said} {}", String::from_utf8_lossy(&output.stderr));
        let taken = said.lines().find_map(|line| line.split("taken: ").nth(1)).unwrap();
        let taken: u64 = taken.trim().parse().unwrap();
        println!("{name}: {} MiB, {} MiB taken", bytes.len() >> 20, taken >> 20);
        let most = 2 * bytes.len() as u64;
        assert!(taken < most, "{name}: {taken} bytes for a file of {}", bytes.len());
    }
}
