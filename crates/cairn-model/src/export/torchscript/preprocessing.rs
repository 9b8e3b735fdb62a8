//! From a photo of any size to the network's input, as code. `resampling.rs` says how and why.

use cairn_photo::{Framing, Normalisation, Preprocess};

use crate::export::resampling::{BYTE, WEIGHT_LIMIT, weight_scales};
use crate::export::views::{Crops, ExportedViews};

/// The methods `preprocess`, `resized`, which resizes along the last axis, `axis_weights`, `middle` and `crop` of the class.
pub(super) fn preprocessing_methods(preprocess: &Preprocess, views: ExportedViews, class: &str) -> String {
    let (new_height, new_width, crop) = match preprocess.framing {
        Framing::ShortSideCrop { short_side, crop } => (
            format!("height * {short_side} // min(height, width)"),
            format!("width * {short_side} // min(height, width)"),
            [crop, crop],
        ),
        // What is resized to a size is not cropped by that size.
        Framing::Squash { width, height } => (height.to_string(), width.to_string(), [height, width]),
    };
    // What is cropped several times is resized as a whole.
    let (kept_height, kept_width) = match views.crops {
        Crops::Middle => (crop[0].to_string(), crop[1].to_string()),
        Crops::Three(_) | Crops::Five(_) => (new_height.clone(), new_width.clone()),
    };
    let [crop_height, crop_width] = crop;
    let cut = cut_views(views, crop, &new_height, &new_width);
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
    narrowed = (self).resized(levels, {new_width}, {kept_width})
    turned = (self).resized(torch.transpose(narrowed, 2, 3), {new_height}, {kept_height})
    views = torch.transpose(turned, 2, 3)
{cut}    mean = {mean}
    std = {std}
    return (views / 255. - mean) / std
  def middle(self: {class}, margin: int) -> int:
    start = margin // 2
    if margin % 4 == 3:
      start = start + 1
    return start
  def crop(self: {class}, photos: Tensor, x: int, y: int) -> Tensor:
    rows = torch.slice(photos, 2, y, y + {crop_height})
    return torch.slice(rows, 3, x, x + {crop_width})
  def resized(self: {class}, levels: Tensor, new: int, crop: int) -> Tensor:
    exact = (self).axis_weights(torch.size(levels, 3), new, ops.prim.device(levels))
    greatest = float(torch.max(exact))
    scale = {finest:?}
    while greatest * scale >= {WEIGHT_LIMIT:?}:
      scale = scale / 2.
    start = (self).middle(new - crop)
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

/// The lines that cut the views from the resized photos and put them one after the other.
fn cut_views(views: ExportedViews, [height, width]: [u32; 2], new_height: &str, new_width: &str) -> String {
    let mut lines = String::new();
    if views.crops != Crops::Middle {
        lines.push_str(&format!(
            "    new_height = {new_height}\n    new_width = {new_width}\n    bottom = new_height - {height}\n    \
             right = new_width - {width}\n    x = (self).middle(right)\n    y = (self).middle(bottom)\n"
        ));
    }
    match views.crops {
        Crops::Middle => {}
        Crops::Three(_) => lines.push_str(
            "    first_x = right // 2
    first_y = bottom // 2
    last_x = first_x
    last_y = first_y
    if new_width >= new_height:
      first_x = 0
      last_x = right
    else:
      first_y = 0
      last_y = bottom
    first = (self).crop(views, first_x, first_y)
    middle = (self).crop(views, x, y)
    last = (self).crop(views, last_x, last_y)
    views = torch.cat([first, middle, last], 0)
",
        ),
        Crops::Five(_) => lines.push_str(
            "    top_left = (self).crop(views, 0, 0)
    top_right = (self).crop(views, right, 0)
    bottom_left = (self).crop(views, 0, bottom)
    bottom_right = (self).crop(views, right, bottom)
    middle = (self).crop(views, x, y)
    views = torch.cat([top_left, top_right, bottom_left, bottom_right, middle], 0)
",
        ),
    }
    if views.mirrored {
        lines.push_str("    views = torch.cat([views, torch.flip(views, [3])], 0)\n");
    }
    lines
}

/// A number for each channel, as a tensor that fits a map.
fn channels(values: &[f32; 3]) -> String {
    let [red, green, blue] = values.map(f64::from);
    format!("torch.reshape(torch.tensor([{red:?}, {green:?}, {blue:?}], dtype=6, device=device), [3, 1, 1])")
}
