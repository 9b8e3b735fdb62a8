//! Networks with weights that were learned on ImageNet give the outputs that came with them.
//!
//! Weights and outputs are looked for beside the data folder: `$CAIRN_DATA/../weights`, or `../shared/weights`.

use std::path::Path;

use cairn_nets::{Architecture, Precision, StateDict};
use cairn_reference::weights_folder;

use crate::network;

#[test]
fn squeezenet_gives_the_outputs_that_were_published_with_its_weights() {
    check(Architecture::SqueezeNet1_1, "squeezenet1_1", 3);
}

#[test]
fn efficientnet_lite0_gives_what_timm_gives_from_the_published_weights() {
    check(Architecture::EfficientNetLite0, "efficientnet_lite0", 2);
}

/// Compares the logits of the inputs in `NAME-check` from the weights `NAME-imagenet.safetensors`.
fn check(architecture: Architecture, name: &str, inputs: usize) {
    let file = format!("{name}-imagenet.safetensors");
    let Some(folder) = weights_folder(&file) else { return };
    let (weights, _) =
        StateDict::from_safetensors(&std::fs::read(folder.join(file)).unwrap(), "none").unwrap();
    let network = network(architecture, 1000, 224).with_state_dict(weights).unwrap();
    for n in 0..inputs {
        let read = |what| read_npy(&folder.join(format!("{name}-check/{what}_{n}.npy")));
        let logits = network.logits(&read("input"), 224, 224, Precision::F32).concat();
        let expected = read("output");
        let largest = expected.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let worst = logits.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert_eq!(logits.len(), expected.len());
        assert!(worst <= 1e-4 * largest, "output {n} off by {worst} where the largest is {largest}");
    }
}

/// The values of a file of NumPy, which must be of little-endian f32 in C order: a magic number, the version, the length
/// of the header, the header, the values.
fn read_npy(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00", "{}", path.display());
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let (header, values) = bytes[10..].split_at(header);
    let header = String::from_utf8_lossy(header);
    assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    values.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect()
}
