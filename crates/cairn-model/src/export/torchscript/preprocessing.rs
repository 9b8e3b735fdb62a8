//! From a photo of any size to the network's input, as code. `resampling.rs` says how and why.

use cairn_photo::{Framing, Normalisation, Preprocess};

use crate::export::resampling::{BYTE, WEIGHT_LIMIT, weight_scales};

/// The methods `preprocess`, `resized`, which resizes along the last axis, and `axis_weights` of the class.
pub(super) fn preprocessing_methods(preprocess: &Preprocess, class: &str) -> String {
    let (new_height, new_width, crop) = match preprocess.framing {
        Framing::ShortSideCrop { short_side, crop } => (
            format!("height * {short_side} // min(height, width)"),
            format!("width * {short_side} // min(height, width)"),
            [crop, crop],
        ),
        // What is resized to a size is not cropped by that size.
        Framing::Squash { width, height } => (height.to_string(), width.to_string(), [height, width]),
    };
    let [crop_height, crop_width] = crop;
    let Normalisation { mean, std } = &preprocess.normalisation;
    let (mean, std) = (channels(mean), channels(std));
    // The finest scale; the others are halves of it.
    let finest = weight_scales().fold(1.0, f32::max);
    format!(
        "  def preprocess(self: {class}, photos: Tensor) -> Tensor:
    device = ops.prim.device(photos)
    if torch.eq(ops.prim.dtype(photos), 0):
      levels = torch.to(photos, 6)
    else:
      levels = torch.floor(torch.to(photos, 6) * 255. + 0.5)
    height = torch.size(photos, 2)
    width = torch.size(photos, 3)
    narrowed = (self).resized(levels, {new_width}, {crop_width})
    framed = (self).resized(torch.transpose(narrowed, 2, 3), {new_height}, {crop_height})
    mean = {mean}
    std = {std}
    return (torch.transpose(framed, 2, 3) / 255. - mean) / std
  def resized(self: {class}, levels: Tensor, new: int, crop: int) -> Tensor:
    exact = (self).axis_weights(torch.size(levels, 3), new, ops.prim.device(levels))
    greatest = float(torch.max(exact))
    scale = {finest:?}
    while greatest * scale >= {WEIGHT_LIMIT:?}:
      scale = scale / 2.
    margin = new - crop
    start = margin // 2
    if margin % 4 == 3:
      start = start + 1
    weights = torch.slice(torch.floor(exact * scale + 0.5), 0, start, start + crop)
    coarse = torch.floor(weights / {BYTE:?})
    fine = weights - coarse * {BYTE:?}
    coarse_sums = torch.matmul(levels, torch.t(coarse))
    fine_sums = torch.matmul(levels, torch.t(fine))
    carried = torch.floor((fine_sums + scale / 2.) / {BYTE:?})
    return torch.floor((coarse_sums + carried) / (scale / {BYTE:?}))
  def axis_weights(self: {class}, old: int, new: int, device: Device) -> Tensor:
    new_centres = torch.unsqueeze((torch.arange(new, device=device) * 2 + 1) * old, 1)
    old_centres = (torch.arange(old, device=device) * 2 + 1) * new
    inside = torch.neg(torch.abs(new_centres - old_centres)) + max(old, new) * 2
    triangle = torch.to(torch.clamp(inside, 0), 6)
    return triangle / torch.sum(triangle, [1], True)
"
    )
}

/// A number for each channel, as a tensor that fits a map.
fn channels(values: &[f32; 3]) -> String {
    let [red, green, blue] = values.map(f64::from);
    format!("torch.reshape(torch.tensor([{red:?}, {green:?}, {blue:?}], dtype=6, device=device), [3, 1, 1])")
}
