//! Models that others trained: a state dict becomes a bundle.

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_nets::{Architecture, NetworkSpec, SpecError, StateDict, StateDictError};
use cairn_photo::{Preprocess, TestViews};

use crate::bundle::{Bundle, Provenance};
use crate::{BundleInfo, Memory, Model};

/// Weights that were trained elsewhere, with what their file does not say of them.
#[derive(Debug)]
pub struct Foreign<'a> {
    /// The network.
    pub architecture: Architecture,
    /// Its tensors, by torchvision's names.
    pub weights: &'a StateDict,
    /// The classes, in the order of the logits.
    pub classes: ClassList,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Where the weights come from, for people to read: usually the file's name.
    pub origin: &'a str,
}

/// Why weights from elsewhere do not make a model.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] SpecError),
    /// Another number of logits than of names.
    #[error(
        "the weights tell {logits} classes apart, but {names} names are given: list one for each logit, in order"
    )]
    Classes {
        /// Rows of the last layer.
        logits: usize,
        /// Names given.
        names: usize,
    },
    /// Tensors of another network.
    #[error("these are not the weights of {architecture}: {source}")]
    Weights {
        /// The network that was named.
        architecture: Architecture,
        /// What does not fit.
        source: StateDictError,
    },
}

impl Model {
    /// A model of weights that were trained elsewhere. It is not calibrated, and says nothing about photos that show
    /// none of its classes.
    ///
    /// # Errors
    /// When network, weights and names do not go together.
    pub fn import(foreign: Foreign<'_>) -> Result<Self, ImportError> {
        let Foreign { architecture, weights, classes, preprocess, origin } = foreign;
        let (names, side) = (classes.len(), preprocess.input_width() as usize);
        let spec = NetworkSpec { architecture, classes: names, side, dropout: 0.0 };
        let network = spec.blank(&Device::flex())?;
        let last = format!("{}.weight", network.head_prefix());
        let logits = weights.shape(&last).and_then(|shape| shape.first().copied());
        if let Some(logits) = logits.filter(|&logits| logits != names) {
            return Err(ImportError::Classes { logits, names });
        }
        let network = network
            .with_state_dict(weights.clone())
            .map_err(|source| ImportError::Weights { architecture, source })?;
        let info = BundleInfo {
            network: spec,
            classes,
            preprocess,
            views: TestViews::One,
            rejection: None,
            learning: None,
            temperature: 1.0,
            provenance: Provenance::imported(origin),
        };
        Ok(Self::from_bundle(Bundle { network, info, memory: Memory::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_dataset::Class;
    use cairn_nets::Init;
    use cairn_nets::Precision;
    use cairn_photo::{Framing, Normalisation, Photo};

    fn weights(classes: usize) -> StateDict {
        let architecture = Architecture::ResNet10Small;
        let spec = NetworkSpec { architecture, classes, side: 32, dropout: 0.0 };
        spec.build(Init::Default, 5, &Device::flex()).unwrap().state_dict()
    }

    fn foreign<'a>(architecture: Architecture, weights: &'a StateDict, names: &[&str]) -> Foreign<'a> {
        let mut classes = ClassList::default();
        names.iter().for_each(|name| {
            classes.push(Class::from_folder(*name));
        });
        let framing = Framing::ShortSideCrop { short_side: 36, crop: 32 };
        let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
        Foreign { architecture, weights, classes, preprocess, origin: "theirs.pth" }
    }

    #[test]
    fn an_imported_model_is_written_read_and_names_its_classes_in_the_order_of_the_logits() {
        let weights = weights(2);
        let names = ["Zebra crossing", "Arc"];
        let model = Model::import(foreign(Architecture::ResNet10Small, &weights, &names)).unwrap();
        let file = tempfile::tempdir().unwrap().keep().join("model.safetensors");
        model.save(&file).unwrap();
        let read = Model::open(&file).unwrap().with_precision(Precision::F32);
        let found: Vec<&str> = read.info().classes.iter().map(|(_, class)| class.name.as_str()).collect();
        assert_eq!(found, names);
        assert!(!read.info().provenance.is_of_training() && read.info().provenance.valid_loss.is_nan());
        assert_eq!(read.network().state_dict(), weights);
        let photo = Photo::filled(40, 40, [90, 120, 30]);
        assert_eq!(read.predict(&[&photo], 2).len(), 1);
        std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }

    #[test]
    fn names_or_networks_that_do_not_go_with_the_weights_are_refused() {
        let weights = weights(3);
        let refused = |architecture, names: &[&str]| {
            Model::import(foreign(architecture, &weights, names)).unwrap_err().to_string()
        };
        let message = refused(Architecture::ResNet10Small, &["A", "B"]);
        assert!(message.contains("3 classes") && message.contains("2 names"), "{message}");
        let message = refused(Architecture::ResNet18, &["A", "B", "C"]);
        assert!(message.contains("not the weights of resnet18") && message.contains("layer1.1"), "{message}");
    }
}
