//! Models with random weights, for tests.

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_nets::{Architecture, Init, NetworkSpec, Pooling};
use cairn_photo::{Framing, Normalisation, Preprocess, TestViews};

use crate::bundle::Bundle;
use crate::{BundleInfo, EmbeddingBank, Model, Provenance};

/// A model of two classes for photos of `side` x `side` pixels, framed like this.
pub(crate) fn untrained(architecture: Architecture, side: usize, framing: Framing) -> Model {
    let network = NetworkSpec { architecture, classes: 2, side, dropout: 0.0, pooling: Pooling::Average };
    let info = BundleInfo {
        network: network.clone(),
        classes: ClassList::from_folders(["0.Pyramid", "1.Dome"]),
        preprocess: Preprocess { framing, normalisation: Normalisation::IMAGENET },
        temperature: 1.0,
        conformal: None,
        views: TestViews::One,
        rejection: None,
        learning: None,
        backbone: None,
        provenance: Provenance {
            cairn: "0.1.0".to_owned(),
            recipe: String::new(),
            data_fingerprint: String::new(),
            epoch: 1,
            valid_loss: 1.0,
            valid_accuracy: 0.5,
        },
    };
    let network = network.build(Init::Default, 3, &Device::flex()).unwrap();
    Model::from_bundle(Bundle::new(network, info, EmbeddingBank::default()))
}
