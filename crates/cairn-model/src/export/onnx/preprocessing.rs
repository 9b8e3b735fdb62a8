//! From a photo of any size to the network's input, as nodes. `resampling.rs` says how and why.

use cairn_photo::{Framing, Normalisation, Preprocess};

use super::photo_element::PhotoElement;
use super::proto::{Attribute, Element, Nodes};
use crate::export::resampling::{BYTE, WEIGHT_LIMIT, weight_scales};
use crate::export::views::{Crops, ExportedViews};

/// The name of the model's input.
pub(super) const PHOTO: &str = "photo";

/// Adds the nodes from the input `photo` to the network's input, `[views * batch, 3, height, width]`, one view of all
/// photos after the other; gives back its name.
pub(super) fn add(
    nodes: &mut Nodes,
    preprocess: &Preprocess,
    views: ExportedViews,
    photo: PhotoElement,
) -> String {
    let mut nodes = Preprocessing { nodes };
    let shape = nodes.node("Shape", &[PHOTO], "shape");
    let (height, width) = (nodes.side(&shape, "height", 2), nodes.side(&shape, "width", 3));
    let ([new_height, new_width], crop) = match preprocess.framing {
        Framing::ShortSideCrop { short_side, crop } => {
            (nodes.short_side_size(short_side, &height, &width), Some(crop))
        }
        Framing::Squash { width, height } => {
            let size = [("new_height", height), ("new_width", width)];
            (size.map(|(name, side)| nodes.whole(name, i64::from(side))), None)
        }
    };
    // What is cropped several times is resized as a whole.
    let crop = crop.filter(|_| views.crops == Crops::Middle);
    let levels = nodes.levels(photo);
    // Across first, as cairn resizes; then down, which is across once columns and rows have changed places.
    let narrowed = nodes.resized(&levels, &Axis { name: "across", old: &width, new: &new_width, crop });
    let turned = nodes.turned(&narrowed, "narrowed_turned");
    let framed = nodes.resized(&turned, &Axis { name: "down", old: &height, new: &new_height, crop });
    let framed = nodes.turned(&framed, "framed");
    let sides = [("down", new_height.as_str()), ("across", new_width.as_str())];
    let mut shown = match views.crops {
        Crops::Middle => vec![framed],
        Crops::Three(crop) => nodes.three_crops(&framed, sides, crop),
        Crops::Five(crop) => nodes.five_crops(&framed, sides, crop),
    };
    if views.mirrored {
        let mirrored: Vec<String> = shown
            .iter()
            .enumerate()
            .map(|(view, name)| nodes.mirrored(name, preprocess.input_width(), &format!("mirrored_{view}")))
            .collect();
        shown.extend(mirrored);
    }
    let framed = match shown.as_slice() {
        [only] => only.clone(),
        several => {
            let several: Vec<&str> = several.iter().map(String::as_str).collect();
            nodes.node_with("Concat", &several, "views", "axis", Attribute::Int(0))
        }
    };
    nodes.normalised(&framed, &preprocess.normalisation)
}

/// An axis along which photos are resized.
struct Axis<'a> {
    /// What the names of its nodes begin with.
    name: &'static str,
    /// The name of its length before.
    old: &'a str,
    /// The name of its length afterwards.
    new: &'a str,
    /// How many pixels in the middle are kept; without it, all.
    crop: Option<u32>,
}

impl Axis<'_> {
    fn named(&self, what: &str) -> String {
        format!("{}_{what}", self.name)
    }
}

/// Where a crop may begin on an axis: the names of lists of one 64-bit integer.
struct Margin {
    /// The length of a crop.
    crop: String,
    /// At the beginning: 0.
    zero: String,
    /// Half of the room, rounded down.
    half: String,
    /// In the middle: an odd room is split by rounding half of it to the even number.
    middle: String,
    /// At the end: what the axis is longer than the crop.
    room: String,
}

/// Adds nodes and constants, all called `preprocess/` and what they are; each function gives back the name of its result.
struct Preprocessing<'a> {
    nodes: &'a mut Nodes,
}

/// The name of a value of preprocessing: no tensor of a network has a slash in its name.
fn scoped(name: &str) -> String {
    format!("preprocess/{name}")
}

impl Preprocessing<'_> {
    fn node(&mut self, op: &str, inputs: &[&str], output: &str) -> String {
        self.nodes.add(op, inputs, &scoped(output), &[])
    }

    /// A node with an attribute.
    fn node_with(&mut self, op: &str, inputs: &[&str], output: &str, name: &str, value: Attribute) -> String {
        self.nodes.add(op, inputs, &scoped(output), &[(name, value)])
    }

    fn cast(&mut self, input: &str, element: Element, output: &str) -> String {
        self.node_with("Cast", &[input], output, "to", Attribute::Int(element as i64))
    }

    /// A single 64-bit integer.
    fn whole(&mut self, name: &str, value: i64) -> String {
        self.nodes.ints(&scoped(name), &[], &[value])
    }

    /// A list of one 64-bit integer.
    fn whole_list(&mut self, name: &str, value: i64) -> String {
        self.nodes.ints(&scoped(name), &[1], &[value])
    }

    /// A single f32 number.
    fn number(&mut self, name: &str, value: f32) -> String {
        self.nodes.floats(&scoped(name), &[], &[value])
    }

    /// The photo's length along `axis`.
    fn side(&mut self, shape: &str, name: &str, axis: i64) -> String {
        let index = self.whole(&format!("{name}_axis"), axis);
        self.node("Gather", &[shape, &index], name)
    }

    /// The photo as levels from 0 to 255, in f32.
    fn levels(&mut self, photo: PhotoElement) -> String {
        match photo {
            PhotoElement::Uint8 => self.cast(PHOTO, Element::Float, "levels"),
            PhotoElement::Float => {
                let white = self.number("photo_white", 255.0);
                let scaled = self.node("Mul", &[PHOTO, &white], "photo_levels");
                self.rounded(&scaled, "levels")
            }
        }
    }

    /// To the nearest whole number, a half upwards, as cairn's resize rounds. ONNX's own `Round` takes a half to the
    /// even number.
    fn rounded(&mut self, input: &str, output: &str) -> String {
        let half = self.number(&format!("{output}_half"), 0.5);
        let raised = self.node("Add", &[input, &half], &format!("{output}_raised"));
        self.node("Floor", &[&raised], output)
    }

    /// Height and width once the shorter is `short_side` pixels: the longer in proportion, rounded down.
    fn short_side_size(&mut self, short_side: u32, height: &str, width: &str) -> [String; 2] {
        let short_side = self.whole("short_side", i64::from(short_side));
        let shorter = self.node("Min", &[height, width], "shorter_side");
        [(height, "height"), (width, "width")].map(|(side, name)| {
            let scaled = self.node("Mul", &[side, &short_side], &format!("{name}_times_short_side"));
            self.node("Div", &[&scaled, &shorter], &format!("new_{name}"))
        })
    }

    /// The photo with its last axis resized, rounded to levels.
    fn resized(&mut self, levels: &str, axis: &Axis) -> String {
        let exact = self.axis_weights(axis);
        let scale = self.scale(&exact, axis);
        let scaled = self.node("Mul", &[&exact, &scale], &axis.named("scaled_weights"));
        let mut weights = self.rounded(&scaled, &axis.named("weights"));
        if let Some(crop) = axis.crop {
            weights = self.centre_rows(&weights, axis, crop);
        }
        let byte = self.number(&axis.named("byte"), BYTE);
        let coarse = self.node("Div", &[&weights, &byte], &axis.named("weights_by_byte"));
        let coarse = self.node("Floor", &[&coarse], &axis.named("coarse_weights"));
        let counted = self.node("Mul", &[&coarse, &byte], &axis.named("coarse_times_byte"));
        let fine = self.node("Sub", &[&weights, &counted], &axis.named("fine_weights"));
        let [coarse, fine] = [(coarse, "coarse"), (fine, "fine")].map(|(weights, which)| {
            let columns = self.node("Transpose", &[&weights], &axis.named(&format!("{which}_columns")));
            self.node("MatMul", &[levels, &columns], &axis.named(&format!("{which}_sums")))
        });
        self.rounded_quotient(&coarse, &fine, &scale, &byte, axis)
    }

    /// `floor((coarse + floor((fine + scale / 2) / 256)) / (scale / 256))`.
    fn rounded_quotient(&mut self, coarse: &str, fine: &str, scale: &str, byte: &str, axis: &Axis) -> String {
        let two = self.number(&axis.named("two"), 2.0);
        let half = self.node("Div", &[scale, &two], &axis.named("half_scale"));
        let raised = self.node("Add", &[fine, &half], &axis.named("fine_raised"));
        let carried = self.node("Div", &[&raised, byte], &axis.named("fine_by_byte"));
        let carried = self.node("Floor", &[&carried], &axis.named("carried"));
        let sum = self.node("Add", &[coarse, &carried], &axis.named("sum"));
        let coarse_scale = self.node("Div", &[scale, byte], &axis.named("coarse_scale"));
        let levels = self.node("Div", &[&sum, &coarse_scale], &axis.named("exact_levels"));
        self.node("Floor", &[&levels], &axis.named("levels"))
    }

    /// The weight of each old pixel along an axis in each of the new ones: `[new, old]`.
    fn axis_weights(&mut self, axis: &Axis) -> String {
        let last = self.whole_list(&axis.named("last"), -1);
        let [zero, two] = [0, 2].map(|value| self.whole(&axis.named(&format!("whole_{value}")), value));

        // The distance of each new pixel's centre from each old one's, and where the triangle ends.
        let new_centres = self.centres(&axis.named("new"), axis.new, axis.old);
        let new_centres = self.node("Unsqueeze", &[&new_centres, &last], &axis.named("new_column"));
        let old_centres = self.centres(&axis.named("old"), axis.old, axis.new);
        let offset = self.node("Sub", &[&new_centres, &old_centres], &axis.named("offset"));
        let distance = self.node("Abs", &[&offset], &axis.named("distance"));
        let longer = self.node("Max", &[axis.old, axis.new], &axis.named("longer"));
        let reach = self.node("Mul", &[&longer, &two], &axis.named("reach"));
        let inside = self.node("Sub", &[&reach, &distance], &axis.named("inside"));
        let triangle = self.node("Max", &[&inside, &zero], &axis.named("triangle"));

        let triangle = self.cast(&triangle, Element::Float, &axis.named("triangle_float"));
        let sum = self.node("ReduceSum", &[&triangle, &last], &axis.named("triangle_sum"));
        self.node("Div", &[&triangle, &sum], &axis.named("exact_weights"))
    }

    /// `(2 i + 1) * unit` for each `i` below `count`.
    fn centres(&mut self, name: &str, count: &str, unit: &str) -> String {
        let [zero, one, two] = [0, 1, 2].map(|value| self.whole(&format!("{name}_{value}"), value));
        let index = self.node("Range", &[&zero, count, &one], &format!("{name}_index"));
        let doubled = self.node("Mul", &[&index, &two], &format!("{name}_doubled"));
        let odd = self.node("Add", &[&doubled, &one], &format!("{name}_odd"));
        self.node("Mul", &[&odd, unit], &format!("{name}_centres"))
    }

    /// The finest scale at which all weights are 16-bit integers.
    fn scale(&mut self, weights: &str, axis: &Axis) -> String {
        let scales: Vec<f32> = weight_scales().collect();
        let scales = self.nodes.floats(&scoped(&axis.named("scales")), &[scales.len()], &scales);
        let limit = self.number(&axis.named("limit"), WEIGHT_LIMIT);
        let none = self.number(&axis.named("none"), 0.0);
        let greatest = self.reduce_max(weights, &axis.named("greatest"));
        let scaled = self.node("Mul", &[&scales, &greatest], &axis.named("greatest_scaled"));
        let fits = self.node("Less", &[&scaled, &limit], &axis.named("fits"));
        let fitting = self.node("Where", &[&fits, &scales, &none], &axis.named("fitting_scales"));
        self.reduce_max(&fitting, &axis.named("scale"))
    }

    fn reduce_max(&mut self, input: &str, output: &str) -> String {
        self.node_with("ReduceMax", &[input], output, "keepdims", Attribute::Int(0))
    }

    /// The weights of the middle `crop` pixels: an odd margin is split by rounding half of it to the even number.
    fn centre_rows(&mut self, weights: &str, axis: &Axis, crop: u32) -> String {
        let Margin { middle: start, crop, .. } = self.margin((axis.name, axis.new), crop);
        let first = self.whole_list(&axis.named("crop_axis"), 0);
        let end = self.node("Add", &[&start, &crop], &axis.named("crop_end"));
        self.node("Slice", &[weights, &start, &end, &first], &axis.named("crop_weights"))
    }

    /// The positions of crops of this size on an axis of this name and length.
    fn margin(&mut self, (axis, length): (&str, &str), crop: u32) -> Margin {
        let named = |what: &str| format!("{axis}_{what}");
        let crop = self.whole_list(&named("crop"), i64::from(crop));
        let [zero, two, three, four] =
            [0, 2, 3, 4].map(|value| self.whole_list(&named(&format!("crop_{value}")), value));
        let room = self.node("Sub", &[length, &crop], &named("margin"));
        let half = self.node("Div", &[&room, &two], &named("half_margin"));
        let rest = self.node("Mod", &[&room, &four], &named("margin_rest"));
        let upwards = self.node("Equal", &[&rest, &three], &named("margin_upwards"));
        let upwards = self.cast(&upwards, Element::Int64, &named("margin_step"));
        let middle = self.node("Add", &[&half, &upwards], &named("crop_start"));
        Margin { crop, zero, half, middle, room }
    }

    /// Both ends and the middle of the longer side, at the middle of the shorter one.
    fn three_crops(&mut self, photo: &str, [down, across]: [(&str, &str); 2], crop: u32) -> Vec<String> {
        let wide = self.node("GreaterOrEqual", &[across.1, down.1], "is_wide");
        let (down, across) = (self.margin(down, crop), self.margin(across, crop));
        let mut ends = |name: &str, of_longer: fn(&Margin) -> &str| {
            let row = self.node("Where", &[&wide, &down.half, of_longer(&down)], &format!("{name}_row"));
            let column =
                self.node("Where", &[&wide, of_longer(&across), &across.half], &format!("{name}_column"));
            [row, column]
        };
        let first = ends("first", |margin| &margin.zero);
        let last = ends("last", |margin| &margin.room);
        let corners = [first, [down.middle.clone(), across.middle.clone()], last];
        self.crops(photo, &corners, crop)
    }

    /// The corners, row by row, and the middle.
    fn five_crops(&mut self, photo: &str, [down, across]: [(&str, &str); 2], crop: u32) -> Vec<String> {
        let (down, across) = (self.margin(down, crop), self.margin(across, crop));
        let at = |row: &String, column: &String| [row.clone(), column.clone()];
        let corners = [
            at(&down.zero, &across.zero),
            at(&down.zero, &across.room),
            at(&down.room, &across.zero),
            at(&down.room, &across.room),
            at(&down.middle, &across.middle),
        ];
        self.crops(photo, &corners, crop)
    }

    /// The squares whose first rows and columns are these.
    fn crops(&mut self, photo: &str, corners: &[[String; 2]], crop: u32) -> Vec<String> {
        let size = self.nodes.ints(&scoped("view_size"), &[2], &[i64::from(crop); 2]);
        let axes = self.nodes.ints(&scoped("view_axes"), &[2], &[2, 3]);
        let mut cut = |(view, [row, column]): (usize, &[String; 2])| {
            let named = |what: &str| format!("view_{view}{what}");
            let start = self.node_with("Concat", &[row, column], &named("_start"), "axis", Attribute::Int(0));
            let end = self.node("Add", &[&start, &size], &named("_end"));
            self.node("Slice", &[photo, &start, &end, &axes], &named(""))
        };
        corners.iter().enumerate().map(&mut cut).collect()
    }

    /// Left and right exchanged, for this number of columns.
    fn mirrored(&mut self, photo: &str, columns: u32, output: &str) -> String {
        let backwards: Vec<i64> = (0..i64::from(columns)).rev().collect();
        let backwards =
            self.nodes.ints(&scoped(&format!("{output}_columns")), &[backwards.len()], &backwards);
        self.node_with("Gather", &[photo, &backwards], output, "axis", Attribute::Int(3))
    }

    /// Rows and columns with their places exchanged.
    fn turned(&mut self, photo: &str, output: &str) -> String {
        let order = Attribute::Ints(vec![0, 1, 3, 2]);
        self.node_with("Transpose", &[photo], output, "perm", order)
    }

    /// `(level / 255 - mean) / std`.
    fn normalised(&mut self, levels: &str, normalisation: &Normalisation) -> String {
        let white = self.number("white", 255.0);
        let mean = self.nodes.floats(&scoped("mean"), &[3, 1, 1], &normalisation.mean);
        let std = self.nodes.floats(&scoped("std"), &[3, 1, 1], &normalisation.std);
        let unit = self.node("Div", &[levels, &white], "framed_unit");
        let centred = self.node("Sub", &[&unit, &mean], "framed_centred");
        self.node("Div", &[&centred, &std], "network_input")
    }
}
