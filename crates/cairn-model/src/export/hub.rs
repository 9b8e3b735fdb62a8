//! A folder as model hubs expect it: weights, configuration and model card.

mod card;
mod config;
mod markdown;
mod test_figures;

use std::path::{Path, PathBuf};

use cairn_nets::StateDict;

pub use self::test_figures::TestFigures;
use super::safetensors::to_safetensors;
use super::{ExportError, ExportedFile, WeightFormat};
use crate::Model;
use crate::bundle::{Checksum, ENTRY, HUB_WEIGHTS, describe};

/// A model in the layout of model hubs (<https://huggingface.co/docs/hub/model-cards>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFolder {
    /// `model.safetensors`: tensors in torchvision's names and layouts. It is a bundle too: [`Model::open`] opens it.
    pub weights: Vec<u8>,
    /// `config.json`: architecture, labels and preprocessing under the keys that timm reads
    /// (<https://github.com/huggingface/pytorch-image-models>), and exactly under `cairn`.
    pub config: String,
    /// `README.md`: the model card, with a block of metadata before it.
    pub card: String,
}

impl HubFolder {
    /// The folder of a model; `test` figures go into its card.
    ///
    /// # Errors
    /// As writers of other formats have; 8-bit weights are refused.
    pub fn new(
        model: &Model,
        weights: WeightFormat,
        test: Option<&TestFigures>,
    ) -> Result<Self, ExportError> {
        let parts = model.parts();
        let info = &parts.info;
        let weights_file = to_safetensors(&parts.exportable(), &StateDict::default(), weights, |tensors| {
            let description = describe(info, Checksum::of(tensors.iter().copied()));
            let description = description.map_err(ExportError::Description)?;
            // PyTorch's loaders ask which framework the tensors are laid out for.
            let metadata = [("format", "pt".to_owned()), (ENTRY, description)];
            Ok(metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        })?;
        Ok(Self {
            weights: weights_file,
            config: config::config(info, &parts.names),
            card: card::card(info, &parts.names, weights, test),
        })
    }

    /// The paths of the three files in `folder`: weights, configuration, card.
    pub fn paths(folder: &Path) -> [PathBuf; 3] {
        [HUB_WEIGHTS, "config.json", "README.md"].map(|name| folder.join(name))
    }

    /// The three files, in `folder`.
    pub fn into_files(self, folder: &Path) -> Vec<ExportedFile> {
        let contents = [self.weights, self.config.into_bytes(), self.card.into_bytes()];
        let files = Self::paths(folder).into_iter().zip(contents);
        files.map(|(path, bytes)| ExportedFile { path, bytes }).collect()
    }
}
