//! Models that others trained: a state dict becomes a bundle.

use burn::tensor::Device;
use cairn_dataset::ClassList;
use cairn_nets::weights::{Named, NamingError};
use cairn_nets::{Architecture, Network, NetworkSpec, Pooling, SpecError, StateDict, StateDictError};
use cairn_photo::{Preprocess, TestViews};

use crate::bundle::{Bundle, Provenance};
use crate::{BundleInfo, EmbeddingBank, InfoError, Model};

/// Weights that were trained elsewhere, with what their file does not say of them.
#[derive(Debug)]
pub struct ImportOptions<'a> {
    /// The network.
    pub architecture: Architecture,
    /// Its tensors, by torchvision's names or those with a prefix.
    pub weights: &'a StateDict,
    /// The classes, in the order of the logits.
    pub classes: ClassList,
    /// How a photo becomes the network's input.
    pub preprocess: Preprocess,
    /// Where the weights come from, for people to read: usually the file's name.
    pub origin: &'a str,
}

/// A model of weights that were trained elsewhere, and how their names became the network's.
#[derive(Debug)]
pub struct Imported {
    /// The model.
    pub model: Model,
    /// What was taken off the names, with its last dot; empty if nothing was.
    pub prefix: String,
    /// Names of tensors beside the network, which were left out.
    pub ignored: Vec<String>,
    /// The module that was taken for the last layer, where the file calls that otherwise, such as `fc.1`.
    pub head: Option<String>,
}

/// Why weights from elsewhere do not make a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The network cannot be built.
    #[error(transparent)]
    Network(#[from] SpecError),
    /// The file holds the network more than once.
    #[error(transparent)]
    Naming(#[from] NamingError),
    /// Another number of logits than of names.
    #[error(
        "the weights have {logits} outputs, but there are {names} class names; list one name for each output, in order"
    )]
    Classes {
        /// Rows of the last layer.
        logits: usize,
        /// Names given.
        names: usize,
    },
    /// A head of several layers.
    #[error(
        "the last layer of {architecture}, `{head}`, is {} layers in this file ({}); only a single layer can be imported",
        layers.len(),
        layers.join(", ")
    )]
    Head {
        /// The network.
        architecture: Architecture,
        /// The path of its last layer.
        head: String,
        /// The paths of the layers there instead.
        layers: Vec<String>,
    },
    /// Tensors of another network.
    #[error("the weights do not fit {architecture}: {problem}")]
    Weights {
        /// The network that was named.
        architecture: Architecture,
        /// What does not fit.
        problem: StateDictError,
    },
    /// Weights that are no numbers.
    #[error(transparent)]
    Values(StateDictError),
    /// Names of classes or a preprocessing that no model can have.
    #[error(transparent)]
    Info(#[from] InfoError),
}

impl Model {
    /// A model of weights that were trained elsewhere, [named](Network::name_weights) as the network names them. It is not
    /// calibrated, and says nothing about photos that show none of its classes.
    ///
    /// # Errors
    /// When network, weights and names do not go together, or weights are not finite.
    pub fn import(foreign: ImportOptions<'_>) -> Result<Imported, ImportError> {
        let ImportOptions { architecture, weights, classes, preprocess, origin } = foreign;
        let (names, side) = (classes.len(), preprocess.input_width() as usize);
        let pooling = pooling(architecture, weights);
        let spec = NetworkSpec { architecture, classes: names, side, dropout: 0.0, pooling };
        let network = spec.blank(&Device::flex())?;
        let info = BundleInfo {
            network: spec,
            classes,
            preprocess,
            views: TestViews::One,
            rejection: None,
            learning: None,
            backbone: None,
            temperature: 1.0,
            conformal: None,
            provenance: Provenance::imported(origin),
        };
        info.validate()?;
        let Named { weights, prefix, ignored, head } = network.name_weights(weights.clone())?;
        let logits = head_rows(&network, architecture, &weights)?;
        if let Some(logits) = logits.filter(|&logits| logits != names) {
            return Err(ImportError::Classes { logits, names });
        }
        weights.check_finite().map_err(ImportError::Values)?;
        let network = network
            .with_state_dict(weights)
            .map_err(|problem| ImportError::Weights { architecture, problem })?;
        let model = Self::from_bundle(Bundle::new(network, info, EmbeddingBank::default()));
        Ok(Imported { model, prefix, ignored, head })
    }
}

/// GeM where the weights have its power, and the network can have it.
fn pooling(architecture: Architecture, weights: &StateDict) -> Pooling {
    let is_power = |name: &str| {
        name.strip_suffix(Pooling::POWER).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
    };
    let gem = architecture.ends_in_average() && weights.shapes().any(|(name, _)| is_power(name));
    if gem { Pooling::Gem } else { Pooling::Average }
}

/// How many logits the last layer gives; `None` where it is missing.
fn head_rows(
    network: &Network,
    architecture: Architecture,
    weights: &StateDict,
) -> Result<Option<usize>, ImportError> {
    let head = network.head_prefix();
    if let Some(shape) = weights.shape(&format!("{head}.weight")) {
        return Ok(shape.first().copied());
    }
    let inside = weights.shapes().filter_map(|(name, _)| {
        let layer = name.strip_suffix(".weight")?;
        layer.strip_prefix(&head)?.starts_with('.').then(|| layer.to_owned())
    });
    let layers: Vec<String> = inside.collect();
    if layers.is_empty() { Ok(None) } else { Err(ImportError::Head { architecture, head, layers }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_dataset::Class;
    use cairn_nets::Init;
    use cairn_nets::Precision;
    use cairn_photo::{Framing, Normalisation, Photo};

    fn weights(classes: usize) -> StateDict {
        pooled_weights(classes, Pooling::Average)
    }

    fn pooled_weights(classes: usize, pooling: Pooling) -> StateDict {
        let architecture = Architecture::ResNet10Small;
        let spec = NetworkSpec { architecture, classes, side: 32, dropout: 0.0, pooling };
        spec.build(Init::Default, 5, &Device::flex()).unwrap().state_dict()
    }

    fn foreign<'a>(architecture: Architecture, weights: &'a StateDict, names: &[&str]) -> ImportOptions<'a> {
        let mut classes = ClassList::default();
        names.iter().for_each(|name| {
            classes.push(Class::from_folder(*name));
        });
        let framing = Framing::ShortSideCrop { short_side: 36, crop: 32 };
        let preprocess = Preprocess { framing, normalisation: Normalisation::IMAGENET };
        ImportOptions { architecture, weights, classes, preprocess, origin: "theirs.pth" }
    }

    #[test]
    fn an_imported_model_is_written_read_and_names_its_classes_in_the_order_of_the_logits() {
        let weights = weights(2);
        let names = ["Zebra crossing", "Arc"];
        let model = Model::import(foreign(Architecture::ResNet10Small, &weights, &names)).unwrap().model;
        let file = tempfile::tempdir().unwrap().keep().join("model.safetensors");
        model.save(&file).unwrap();
        let read = Model::open(&file).unwrap().with_precision(Precision::F32);
        let found: Vec<&str> = read.info().classes.iter().map(|(_, class)| class.name.as_str()).collect();
        assert_eq!(found, names);
        assert!(!read.info().provenance.is_of_training() && read.info().provenance.valid_loss.is_nan());
        assert_eq!(read.network().state_dict(), weights);
        let photo = Photo::filled(40, 40, [90, 120, 30]);
        assert_eq!(read.predict(photo, 2).unwrap().landmarks.len(), 2);
        std::fs::remove_dir_all(file.parent().unwrap()).unwrap();
    }

    #[test]
    fn weights_with_the_power_of_a_gem_pool_become_a_network_with_one() {
        let weights = pooled_weights(2, Pooling::Gem);
        let mut prefixed = StateDict::default();
        for (name, shape) in weights.shapes() {
            prefixed.insert(&format!("model.{name}"), shape, weights.values(name).unwrap().to_vec());
        }
        let imported = Model::import(foreign(Architecture::ResNet10Small, &prefixed, &["A", "B"])).unwrap();
        assert_eq!(imported.model.info().network.pooling, Pooling::Gem);
        assert_eq!(imported.model.network().state_dict(), weights);
        assert!(imported.ignored.is_empty(), "{:?}", imported.ignored);
    }

    #[test]
    fn names_or_networks_that_do_not_go_with_the_weights_are_refused() {
        let weights = weights(3);
        let refused = |architecture, names: &[&str]| {
            Model::import(foreign(architecture, &weights, names)).unwrap_err().to_string()
        };
        let message = refused(Architecture::ResNet10Small, &["A", "B"]);
        assert!(message.contains("3 outputs") && message.contains("2 class names"), "{message}");
        let message = refused(Architecture::ResNet18, &["A", "B", "C"]);
        assert!(message.contains("do not fit resnet18") && message.contains("layer1.1"), "{message}");
    }
}
