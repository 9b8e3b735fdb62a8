//! From views to the network's output for each.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use cairn_nets::quantised::QuantisedOutput;
use cairn_photo::Photo;

use crate::{Embedding, Model, ModelOutput};

/// Pixels of the views that are in the network at once: sixteen of 512 x 512, so that memory stays flat however many views
/// of whatever size a photo has.
const BATCH_PIXELS: usize = 16 * 512 * 512;

/// The output for each of one photo's `views`, which are of the input's size.
///
/// A photo goes through the network by itself: kernels choose their blocks by the batch size, so that the last bits of an
/// output depend on what else is in the batch.
pub(super) fn forward(model: &Model, views: &[Photo]) -> Vec<ModelOutput> {
    let preprocess = &model.info().preprocess;
    let pixels = preprocess.input_width() as usize * preprocess.input_height() as usize;
    views.chunks((BATCH_PIXELS / pixels).max(1)).flat_map(|batch| forward_batch(model, batch)).collect()
}

fn forward_batch(model: &Model, views: &[Photo]) -> Vec<ModelOutput> {
    let preprocess = &model.info().preprocess;
    let (height, width) = (preprocess.input_height() as usize, preprocess.input_width() as usize);
    if let Some(network) = model.int8_network() {
        let pixels: Vec<u8> = views.iter().flat_map(|view| view.pixels()).copied().collect();
        let QuantisedOutput { features, logits } = network.forward(&pixels, height, width);
        return outputs(model, features.into_iter().zip(logits));
    }
    let view_len = 3 * height * width;
    let mut pixels = vec![0.0; views.len() * view_len];
    for (view, out) in views.iter().zip(pixels.chunks_exact_mut(view_len)) {
        preprocess.normalisation.write_chw(view, out);
    }
    let device = model.network().devices().into_iter().next().unwrap_or_else(Device::flex);
    let images = Tensor::from_data(TensorData::new(pixels, [views.len(), 3, height, width]), &device);
    // [batch, features] and [batch, trained classes]
    let [features, logits] = model.network().features_and_logits(images, model.precision());
    outputs(model, rows(features).zip(rows(logits)))
}

/// The output for each view, from the network's features and logits.
fn outputs(model: &Model, rows: impl Iterator<Item = (Vec<f32>, Vec<f32>)>) -> Vec<ModelOutput> {
    let comparison = model.comparison();
    rows.map(|(features, mut logits)| {
        let embedding = Embedding::of(&features);
        if let Some(comparison) = comparison {
            logits.extend(comparison.logits(model, &embedding, &logits));
        }
        ModelOutput { logits, embedding }
    })
    .collect()
}

/// The rows of a matrix as numbers.
fn rows(matrix: Tensor<2>) -> impl Iterator<Item = Vec<f32>> {
    let [_, columns] = matrix.dims();
    let values: Vec<f32> = matrix.into_data().iter::<f32>().collect();
    (0..values.len() / columns).map(move |row| values[row * columns..][..columns].to_vec())
}
