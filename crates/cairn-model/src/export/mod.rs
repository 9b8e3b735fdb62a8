//! Models written down in other formats, preprocessing and labels included: what takes a photo and gives
//! probabilities needs nothing of cairn. (And in cairn's own, in fewer bits: [`to_bundle`].)
//!
//! An exported model takes photos as RGB tensors `[batch, 3, height, width]` of any size, brings them to the
//! network's input exactly as [`Preprocess::views`] does, and gives `[batch, classes]` probabilities: those that
//! [`Model::predict`](crate::Model::predict) gives, by the model's views.

mod bundle;
mod error;
mod files;
mod hub;
mod onnx;
mod parts;
mod resampling;
mod safetensors;
mod torchscript;
#[cfg(feature = "verify")]
mod verify;
mod views;
mod weights;

use std::collections::BTreeMap;

use cairn_nets::graph::{Graph, Inferred, Op};
use cairn_photo::{Framing, Preprocess, TestViews};

pub(crate) use bundle::int8_bytes;
pub use bundle::to_bundle;
pub use error::ExportError;
pub use files::{ExportedFile, write_files};
pub use hub::{HubFolder, TestFigures};
pub use onnx::{PhotoElement, to_onnx};
pub use parts::ModelParts;
pub use torchscript::to_torchscript;
#[cfg(feature = "verify")]
pub use verify::{OnnxModel, TOLERANCE, VerifyError};
use views::ExportedViews;
pub use weights::WeightFormat;

/// All that an exported model is made of.
#[derive(Debug, Clone)]
pub struct Exportable<'a> {
    /// The network, from the normalised photo to the logits.
    pub graph: &'a Graph,
    /// The tensors that the graph names. Others may be there; they are left out.
    pub tensors: BTreeMap<&'a str, TensorRef<'a>>,
    /// How a photo becomes the network's input.
    pub preprocess: &'a Preprocess,
    /// The views of a photo, whose probabilities are averaged.
    pub views: TestViews,
    /// What the logits are divided by before the softmax; 1 leaves them as they are.
    pub temperature: f32,
    /// The names of the classes, in the order of the logits.
    pub class_names: Vec<&'a str>,
}

/// A borrowed tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorRef<'a> {
    /// Its shape.
    pub shape: &'a [usize],
    /// Its elements, row-major.
    pub values: &'a [f32],
}

impl<'a> Exportable<'a> {
    /// Checks that everything fits together, and infers the shape of every node's output.
    fn check(&self) -> Result<Vec<Inferred>, ExportError> {
        let shapes = self.tensors.iter().map(|(name, tensor)| (*name, tensor.shape)).collect();
        let inferred = self.graph.infer(&shapes)?;
        let (input, output) = (&inferred[0].shape, &inferred[self.graph.output().index()].shape);
        let sides = [self.preprocess.input_height(), self.preprocess.input_width()];
        if *input != [3, sides[0] as usize, sides[1] as usize] {
            return Err(ExportError::Input { network: input.clone(), preprocess: sides });
        }
        if *output != [self.class_names.len()] {
            return Err(ExportError::Classes { network: output.clone(), names: self.class_names.len() });
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(ExportError::Temperature(self.temperature));
        }
        match self.preprocess.framing {
            Framing::ShortSideCrop { short_side, crop } if crop > short_side => {
                Err(ExportError::Crop { short_side, crop })
            }
            _ => Ok(inferred),
        }
    }

    fn exported_views(&self) -> ExportedViews {
        ExportedViews::of(&self.preprocess.framing, self.views)
    }

    /// The tensors that the graph uses, in its order, each once.
    fn used_tensors(&self) -> Vec<(&'a str, TensorRef<'a>)> {
        let mut used: Vec<(&str, TensorRef)> = Vec::new();
        for name in self.graph.nodes().flat_map(|(_, node)| node.op.tensors()) {
            // Sharing is rare and a network's tensors are some hundreds.
            let taken = used.iter().any(|(other, _)| *other == name);
            let found = self.tensors.get_key_value(name).filter(|_| !taken);
            used.extend(found.map(|(name, tensor)| (*name, *tensor)));
        }
        used
    }

    /// Whether the tensor is the weight of a convolution or linear layer: nearly all of a network's bytes, and what
    /// may be stored in fewer. The others are short, and some of them wide in range.
    fn is_layer_weight(&self, name: &str) -> bool {
        self.graph.nodes().any(|(_, node)| match &node.op {
            Op::Conv2d { weight, .. } | Op::Linear { weight, .. } => weight == name,
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_photo::Normalisation;

    const VALUES: [f32; 12] = [1.0; 12];

    const FITTING: Framing = Framing::ShortSideCrop { short_side: 2, crop: 2 };

    /// A little model that fits together if it is framed to two pixels by two, with one change, in both formats.
    fn exported(framing: Framing, change: impl FnOnce(&mut Exportable)) -> Result<(), ExportError> {
        let mut graph = Graph::new([3, 2, 2]);
        let pooled = graph.add("pool", Op::GlobalAveragePool, &[graph.input()]);
        let flat = graph.add("flat", Op::Flatten, &[pooled]);
        graph.add("fc", Op::Linear { weight: "fc.weight".to_owned(), bias: None }, &[flat]);
        let mut model = Exportable {
            graph: &graph,
            tensors: BTreeMap::from([("fc.weight", TensorRef { shape: &[4, 3], values: &VALUES })]),
            preprocess: &Preprocess { framing, normalisation: Normalisation::IMAGENET },
            views: TestViews::One,
            temperature: 1.0,
            class_names: vec!["a", "b", "c", "d"],
        };
        change(&mut model);
        to_torchscript(&model, WeightFormat::F32)?;
        to_onnx(&model, WeightFormat::F32, PhotoElement::Uint8)?;
        Ok(())
    }

    #[test]
    fn what_does_not_fit_together_is_not_exported() {
        exported(FITTING, |_| ()).unwrap();
        let refused = exported(FITTING, |model| model.class_names.truncate(3)).unwrap_err();
        assert_eq!(refused.to_string(), "the network gives [4], but there are 3 class names");
        let refused = exported(FITTING, |model| model.tensors.clear()).unwrap_err();
        assert!(refused.to_string().contains("`fc` (linear): there is no tensor `fc.weight`"), "{refused}");
        let refused = exported(FITTING, |model| model.temperature = 0.0).unwrap_err();
        assert!(matches!(refused, ExportError::Temperature(0.0)), "{refused}");
        let refused = exported(Framing::Squash { width: 3, height: 2 }, |_| ()).unwrap_err();
        assert!(matches!(refused, ExportError::Input { preprocess: [2, 3], .. }), "{refused}");
        let refused = exported(Framing::ShortSideCrop { short_side: 1, crop: 2 }, |_| ()).unwrap_err();
        assert!(matches!(refused, ExportError::Crop { .. }), "{refused}");
    }
}
