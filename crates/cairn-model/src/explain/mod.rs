//! Which part of a photo an answer was seen by.
//!
//! [`Explainer`] computes class activation maps of any network through its graph; [`HeatMap`] is what it gives, to be
//! laid over the photo or written as numbers.

mod colour;
mod heat_map;
mod merged;
mod method;
mod npy;

use cairn_dataset::path_text;
use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use cairn_dataset::ClassId;
use cairn_nets::StateDict;
use cairn_nets::graph::{Graph, GraphError, NodeId, TensorShapes};
use cairn_photo::{Photo, Preprocess, TestViews};

use crate::Model;
pub use heat_map::HeatMap;
pub use merged::{Explained, Part};
pub use method::{CamMethod, UnknownMethod};

/// How many times as long as wide a photo may be: the map of a longer one would take more memory than it says anything.
const MOST_ASPECT: u32 = 16;

/// Why an answer cannot be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The network has no such layer.
    #[error("the network has no layer `{name}`; it has {}", layers.join(", "))]
    Layer {
        /// What was asked for.
        name: String,
        /// The layers that have maps, from the first to the last.
        layers: Vec<String>,
    },
    /// The network's graph does not fit its weights.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// No picture that a map could be laid over.
    #[error("{width} x {height} px: the aspect ratio is above {MOST_ASPECT}; crop the photo")]
    TooLong {
        /// Columns of the photo.
        width: u32,
        /// Its rows.
        height: u32,
    },
    /// The map cannot be written.
    #[error("{}: cannot be written", path_text(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// Explains a model's answers by the maps of one of its layers.
#[derive(Debug)]
pub struct Explainer<'a> {
    preprocess: &'a Preprocess,
    /// The views by which the model answers.
    views: TestViews,
    graph: Graph,
    weights: StateDict,
    layer: NodeId,
    method: CamMethod,
}

impl<'a> Explainer<'a> {
    /// Explains by `layer`: a node of the [graph](cairn_nets::Network::graph), such as `layer4.1.bn2.relu`, or a module
    /// of which the last node is meant, such as `layer4`. Without a name it is the last map before it is pooled into
    /// features, as pytorch-grad-cam advises for each network.
    ///
    /// # Errors
    /// [`ExplainError::Layer`] with the names there are.
    pub fn new(model: &'a Model, layer: Option<&str>, method: CamMethod) -> Result<Self, ExplainError> {
        let network = model.network();
        let graph = network.graph(model.info().network.side);
        let weights = network.state_dict();
        let usual = network.explain_layer();
        let layer = find_layer(&graph, &weights, layer.unwrap_or(&usual))?;
        Ok(Self { preprocess: &model.info().preprocess, views: model.views(), graph, weights, layer, method })
    }

    /// The name of the layer.
    pub fn layer(&self) -> &str {
        self.graph.nodes().find(|(id, _)| *id == self.layer).map_or("", |(_, node)| &node.name)
    }

    /// What spoke for each of `classes` in a photo that [`Preprocess::frame`] has brought to the input's size. The maps
    /// are of the layer's size; [`HeatMap::resized`] brings them to the photo's.
    ///
    /// # Errors
    /// When the graph does not fit the weights.
    ///
    /// # Panics
    /// If the photo is not of the input's size, or the model has no such class.
    pub fn explain(&self, framed: &Photo, classes: &[ClassId]) -> Result<Vec<HeatMap>, ExplainError> {
        let ClassMaps { columns, rows, of_classes } =
            self.class_maps(std::slice::from_ref(framed), classes)?;
        let maps = of_classes.into_iter().flatten();
        Ok(maps.map(|map| HeatMap::new(columns, rows, map)).collect())
    }

    /// The class activation maps of framed photos, below zero where the photo is evidence against the class.
    fn class_maps(&self, framed: &[Photo], classes: &[ClassId]) -> Result<ClassMaps, ExplainError> {
        let (height, width) =
            (self.preprocess.input_height() as usize, self.preprocess.input_width() as usize);
        let mut pixels = vec![0.0; framed.len() * 3 * height * width];
        for (photo, out) in framed.iter().zip(pixels.chunks_exact_mut(3 * height * width)) {
            self.preprocess.normalisation.write_chw(photo, out);
        }
        let images = TensorData::new(pixels, [framed.len(), 3, height, width]);
        let computed = self.graph.compute(&self.weights, Tensor::from_data(images, &Device::flex()))?;
        let activation = computed.output(self.layer);
        let [_, rows, columns, channels] = activation.dims();
        let activation = numbers(activation);
        let each = rows * columns * channels;
        let of_class = |class: &ClassId| {
            let gradient = numbers(computed.gradient(self.layer, class.index())?);
            let photos = activation.chunks_exact(each).zip(gradient.chunks_exact(each));
            Ok(photos.map(|(activation, gradient)| self.method.map(activation, gradient, channels)).collect())
        };
        let of_classes = classes.iter().map(of_class).collect::<Result<_, GraphError>>()?;
        Ok(ClassMaps { columns, rows, of_classes })
    }
}

/// Maps of one size for several classes, each a map for every photo.
struct ClassMaps {
    columns: usize,
    rows: usize,
    /// By class, then by photo; row after row.
    of_classes: Vec<Vec<Vec<f32>>>,
}

fn numbers(tensor: Tensor<4>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// The node that [`Graph::find`] finds; it must have a map of more than one pixel.
fn find_layer(graph: &Graph, weights: &StateDict, name: &str) -> Result<NodeId, ExplainError> {
    let shapes: TensorShapes = weights.shapes().collect();
    let inferred = graph.infer(&shapes)?;
    let is_map =
        |id: NodeId| matches!(inferred[id.index()].shape[..], [_, height, width] if height * width > 1);
    graph.find(name).filter(|&id| id != graph.input() && is_map(id)).ok_or_else(|| {
        let maps = graph.nodes().skip(1).filter(|(id, _)| is_map(*id));
        let layers = maps.map(|(_, node)| node.name.clone()).collect();
        ExplainError::Layer { name: name.to_owned(), layers }
    })
}
