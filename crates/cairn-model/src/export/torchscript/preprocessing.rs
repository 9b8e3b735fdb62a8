//! From a photo of any size to the network's input, as code. `resampling.rs` says how and why.

use cairn_photo::{Framing, Normalisation, Preprocess};

use crate::export::resampling::{WEIGHT_LIMIT, weight_scales};

/// The methods `preprocess`, `axis_weights` and `centre_rows`, and `short_side_size` of the class.
pub(super) fn preprocessing_methods(preprocess: &Preprocess, class: &str) -> String {
    let (sizes, down, across) = match preprocess.framing {
        Framing::ShortSideCrop { short_side, crop } => (
            format!(
                "    shorter = min(height, width)\n    \
                     new_height = height * {short_side} // shorter\n    \
                     new_width = width * {short_side} // shorter\n"
            ),
            format!("(self).centre_rows((self).axis_weights(height, new_height, device), {crop})"),
            format!("(self).centre_rows((self).axis_weights(width, new_width, device), {crop})"),
        ),
        Framing::Squash { width, height } => (
            String::new(),
            format!("(self).axis_weights(height, {height}, device)"),
            format!("(self).axis_weights(width, {width}, device)"),
        ),
    };
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
{sizes}    down = {down}
    across = {across}
    narrowed = torch.floor(torch.matmul(levels, torch.t(across)) + 0.5)
    framed = torch.floor(torch.matmul(down, narrowed) + 0.5)
    mean = {mean}
    std = {std}
    return (framed / 255. - mean) / std
  def axis_weights(self: {class}, old: int, new: int, device: Device) -> Tensor:
    new_centres = torch.unsqueeze((torch.arange(new, device=device) * 2 + 1) * old, 1)
    old_centres = (torch.arange(old, device=device) * 2 + 1) * new
    inside = torch.neg(torch.abs(new_centres - old_centres)) + max(old, new) * 2
    triangle = torch.to(torch.clamp(inside, 0), 6)
    weights = triangle / torch.sum(triangle, [1], True)
    greatest = float(torch.max(weights))
    scale = {finest:?}
    while greatest * scale >= {WEIGHT_LIMIT:?}:
      scale = scale / 2.
    return torch.floor(weights * scale + 0.5) / scale
  def centre_rows(self: {class}, weights: Tensor, crop: int) -> Tensor:
    margin = torch.size(weights, 0) - crop
    start = margin // 2
    if margin % 4 == 3:
      start = start + 1
    return torch.slice(weights, 0, start, start + crop)
"
    )
}

/// A number for each channel, as a tensor that fits a map.
fn channels(values: &[f32; 3]) -> String {
    let [red, green, blue] = values.map(f64::from);
    format!("torch.reshape(torch.tensor([{red:?}, {green:?}, {blue:?}], dtype=6, device=device), [3, 1, 1])")
}
