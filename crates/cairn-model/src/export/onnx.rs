//! ONNX: a file that ONNX Runtime, OpenVINO and others run.

mod network;
mod photo_element;
mod preprocessing;
mod proto;

use cairn_nets::graph::Inferred;
use serde_json::json;

use self::network::NetworkNodes;
pub use self::photo_element::PhotoElement;
use self::proto::{Attribute, Element, Nodes, Port, Side};
use super::views::LEAST_PROBABILITY;
use super::weights::{Stored, byte_values, bytes};
use super::{ExportError, Exportable, WeightFormat};

/// The longest message of protocol buffers that their libraries read.
const LONGEST: usize = i32::MAX as usize;

/// The name of the model's output.
const PROBABILITIES: &str = "probabilities";

/// The bytes of an ONNX model, opset 18, with one input `photo`, `[batch, 3, height, width]` RGB of any size, and one
/// output `probabilities`, `[batch, classes]`.
///
/// The metadata has `class_names` (a JSON list), `preprocess` and `views` (JSON, as in cairn's own models) and
/// `temperature`. Tensors keep their names of the state dict; quantised ones get an ending.
///
/// # Errors
/// When graph, tensors, preprocessing and class names do not fit together, or the model is longer than 2 GiB.
pub fn to_onnx(
    model: &Exportable,
    weights: WeightFormat,
    photo: PhotoElement,
) -> Result<Vec<u8>, ExportError> {
    let inferred = model.check()?;
    let mut nodes = Nodes::default();
    for (name, tensor) in model.used_tensors() {
        add_tensor(&mut nodes, name, tensor.shape, &model.stored(name, tensor, weights));
    }
    let views = model.exported_views();
    let input = preprocessing::add(&mut nodes, model.preprocess, views, photo);
    let logits = NetworkNodes { nodes: &mut nodes, graph: model.graph, inferred: &inferred }.add(input);
    let logits = match views.count() {
        1 => logits,
        count => add_mean(&mut nodes, &logits, count, model.class_names.len()),
    };
    add_softmax(&mut nodes, &logits, model.temperature);
    let bytes = file(nodes, model, photo, &inferred);
    let (len, limit) = (bytes.len(), LONGEST);
    if len > limit { Err(ExportError::TooLarge { bytes: len, limit }) } else { Ok(bytes) }
}

/// Adds the tensor as it is stored, and what makes f32 numbers of it.
fn add_tensor(nodes: &mut Nodes, name: &str, shape: &[usize], stored: &Stored) {
    match stored {
        Stored::F32(bytes) => drop(nodes.constant(name, Element::Float, shape, bytes)),
        Stored::F16(bytes) => {
            let half = nodes.constant(&format!("{name}_half"), Element::Float16, shape, bytes);
            nodes.add("Cast", &[&half], name, &[("to", Attribute::Int(Element::Float as i64))]);
        }
        Stored::Int8(quantised) => {
            let values = nodes.constant(
                &format!("{name}_quantised"),
                Element::Int8,
                shape,
                &byte_values(&quantised.values),
            );
            let (channels, scales) = ([quantised.scales.len()], bytes(&quantised.scales));
            let scales = nodes.constant(&format!("{name}_scale"), Element::Float, &channels, &scales);
            nodes.add("DequantizeLinear", &[&values, &scales], name, &[("axis", Attribute::Int(0))]);
        }
    }
}

/// The logits whose softmax is the mean of the views' probabilities, from those of all views, `[views * batch, classes]`.
fn add_mean(nodes: &mut Nodes, logits: &str, views: usize, classes: usize) -> String {
    let each = nodes.add("Softmax", &[logits], "views/probabilities", &[("axis", Attribute::Int(1))]);
    let shape = nodes.ints("views/shape", &[3], &[views as i64, -1, classes as i64]);
    let by_view = nodes.add("Reshape", &[&each, &shape], "views/by_view", &[]);
    let axes = nodes.ints("views/axis", &[1], &[0]);
    let none = ("keepdims", Attribute::Int(0));
    let sum = nodes.add("ReduceSum", &[&by_view, &axes], "views/sum", &[none]);
    let count = nodes.floats("views/count", &[], &[views as f32]);
    let mean = nodes.add("Div", &[&sum, &count], "views/mean", &[]);
    let least = nodes.floats("views/least", &[], &[LEAST_PROBABILITY]);
    let mean = nodes.add("Max", &[&mean, &least], "views/mean_above_zero", &[]);
    nodes.add("Log", &[&mean], "views/logits", &[])
}

fn add_softmax(nodes: &mut Nodes, logits: &str, temperature: f32) {
    let temperature = nodes.floats("calibration/temperature", &[], &[temperature]);
    let calibrated = nodes.add("Div", &[logits, &temperature], "calibration/logits", &[]);
    nodes.add("Softmax", &[&calibrated], PROBABILITIES, &[("axis", Attribute::Int(1))]);
}

fn file(nodes: Nodes, model: &Exportable, photo: PhotoElement, inferred: &[Inferred]) -> Vec<u8> {
    let classes = inferred[model.graph.output().index()].shape[0];
    let element = match photo {
        PhotoElement::Uint8 => Element::Uint8,
        PhotoElement::Float => Element::Float,
    };
    let shape = [Side::Any("batch"), Side::Fixed(3), Side::Any("height"), Side::Any("width")];
    let input = Port { name: preprocessing::PHOTO, element, shape: &shape };
    let shape = [Side::Any("batch"), Side::Fixed(classes)];
    let output = Port { name: PROBABILITIES, element: Element::Float, shape: &shape };
    let metadata = [
        ("class_names", json!(model.class_names).to_string()),
        ("preprocess", json!(model.preprocess).to_string()),
        ("views", json!(model.views).to_string()),
        ("temperature", model.temperature.to_string()),
    ];
    proto::model(nodes, &input, &output, &metadata)
}
