//! From a photo of any size to the network's input, as nodes. `resampling.rs` says how and why.

use cairn_photo::{Framing, Normalisation, Preprocess};

use super::PhotoElement;
use super::proto::{Attribute, Element, Nodes};
use crate::export::resampling::{WEIGHT_LIMIT, weight_scales};

/// The name of the model's input.
pub(super) const PHOTO: &str = "photo";

/// Adds the nodes from the input `photo` to the network's input, `[batch, 3, height, width]`, whose name is given back.
pub(super) fn add(nodes: &mut Nodes, preprocess: &Preprocess, photo: PhotoElement) -> String {
    let mut nodes = Preprocessing { nodes };
    nodes.nodes.add("Shape", &[PHOTO], "photo_shape", &[]);
    let (height, width) = (nodes.side("height", 2), nodes.side("width", 3));
    let (down, across) = match preprocess.framing {
        Framing::ShortSideCrop { short_side, crop } => {
            let [new_height, new_width] = nodes.short_side_size(short_side, &height, &width);
            let down = nodes.axis_weights("down", &height, &new_height);
            let across = nodes.axis_weights("across", &width, &new_width);
            (
                nodes.centre_rows("down", &down, &new_height, crop),
                nodes.centre_rows("across", &across, &new_width, crop),
            )
        }
        Framing::Squash { width: new_width, height: new_height } => {
            let new_height = nodes.whole("new_height", i64::from(new_height));
            let new_width = nodes.whole("new_width", i64::from(new_width));
            (
                nodes.axis_weights("down", &height, &new_height),
                nodes.axis_weights("across", &width, &new_width),
            )
        }
    };
    let levels = nodes.levels(photo);
    let framed = nodes.resized(&levels, &down, &across);
    nodes.normalised(&framed, &preprocess.normalisation)
}

/// Adds nodes; each function gives back the name of its result.
struct Preprocessing<'a> {
    nodes: &'a mut Nodes,
}

impl Preprocessing<'_> {
    fn node(&mut self, op: &str, inputs: &[&str], output: &str) -> String {
        self.nodes.add(op, inputs, output, &[])
    }

    /// A single 64-bit integer.
    fn whole(&mut self, name: &str, value: i64) -> String {
        self.nodes.ints(name, &[], &[value])
    }

    /// A single f32 number.
    fn number(&mut self, name: &str, value: f32) -> String {
        self.nodes.floats(name, &[], &[value])
    }

    fn cast(&mut self, input: &str, element: Element, output: &str) -> String {
        self.nodes.add("Cast", &[input], output, &[("to", Attribute::Int(element as i64))])
    }

    /// The photo's length along `axis`.
    fn side(&mut self, name: &str, axis: i64) -> String {
        let index = self.whole(&format!("{name}_axis"), axis);
        self.node("Gather", &["photo_shape", &index], name)
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

    /// To the nearest whole number, a half upwards, as cairn's resize rounds. ONNX's own `Round` takes a half to the even
    /// number.
    fn rounded(&mut self, input: &str, output: &str) -> String {
        let half = self.number(&format!("{output}_half"), 0.5);
        let raised = self.node("Add", &[input, &half], &format!("{output}_raised"));
        self.node("Floor", &[&raised], output)
    }

    /// Height and width once the shorter is `short_side` pixels: the longer in proportion, rounded down.
    fn short_side_size(&mut self, short_side: u32, height: &str, width: &str) -> [String; 2] {
        let short_side = self.whole("short_side", i64::from(short_side));
        let shorter = self.node("Min", &[height, width], "shorter_side");
        [height, width].map(|side| {
            let scaled = self.node("Mul", &[side, &short_side], &format!("{side}_times_short_side"));
            self.node("Div", &[&scaled, &shorter], &format!("new_{side}"))
        })
    }

    /// The weight of each of the `old` pixels along an axis in each of the `new`: `[new, old]`.
    fn axis_weights(&mut self, axis: &str, old: &str, new: &str) -> String {
        let named = |what: &str| format!("{axis}_{what}");
        let (last, zero) = (self.nodes.ints(&named("last"), &[1], &[-1]), self.whole(&named("zero"), 0));
        let two = self.whole(&named("two"), 2);

        // The distance of each new pixel's centre from each old one's, and where the triangle ends.
        let new_centres = self.centres(&named("new"), new, old);
        let new_centres = self.node("Unsqueeze", &[&new_centres, &last], &named("new_column"));
        let old_centres = self.centres(&named("old"), old, new);
        let offset = self.node("Sub", &[&new_centres, &old_centres], &named("offset"));
        let distance = self.node("Abs", &[&offset], &named("distance"));
        let longer = self.node("Max", &[old, new], &named("longer"));
        let reach = self.node("Mul", &[&longer, &two], &named("reach"));
        let inside = self.node("Sub", &[&reach, &distance], &named("inside"));
        let triangle = self.node("Max", &[&inside, &zero], &named("triangle"));

        let triangle = self.cast(&triangle, Element::Float, &named("triangle_float"));
        let sum = self.node("ReduceSum", &[&triangle, &last], &named("sum"));
        let weights = self.node("Div", &[&triangle, &sum], &named("exact_weights"));
        self.sixteen_bit(&weights, axis)
    }

    /// `(2 i + 1) * unit` for each `i` below `count`.
    fn centres(&mut self, name: &str, count: &str, unit: &str) -> String {
        let [zero, one, two] = [0, 1, 2].map(|value| self.whole(&format!("{name}_{value}"), value));
        let index = self.node("Range", &[&zero, count, &one], &format!("{name}_index"));
        let doubled = self.node("Mul", &[&index, &two], &format!("{name}_doubled"));
        let odd = self.node("Add", &[&doubled, &one], &format!("{name}_odd"));
        self.node("Mul", &[&odd, unit], &format!("{name}_centres"))
    }

    /// The weights rounded as 16-bit integers of the finest scale that holds them all.
    fn sixteen_bit(&mut self, weights: &str, axis: &str) -> String {
        let named = |what: &str| format!("{axis}_{what}");
        let scales: Vec<f32> = weight_scales().collect();
        let scales = self.nodes.floats(&named("scales"), &[scales.len()], &scales);
        let (limit, none) = (self.number(&named("limit"), WEIGHT_LIMIT), self.number(&named("none"), 0.0));
        let greatest = self.reduce_max(weights, &named("greatest"));
        let scaled = self.node("Mul", &[&scales, &greatest], &named("greatest_scaled"));
        let fits = self.node("Less", &[&scaled, &limit], &named("fits"));
        let fitting = self.node("Where", &[&fits, &scales, &none], &named("fitting_scales"));
        let scale = self.reduce_max(&fitting, &named("scale"));
        let scaled = self.node("Mul", &[weights, &scale], &named("scaled_weights"));
        let rounded = self.rounded(&scaled, &named("whole_weights"));
        self.node("Div", &[&rounded, &scale], &named("weights"))
    }

    fn reduce_max(&mut self, input: &str, output: &str) -> String {
        self.nodes.add("ReduceMax", &[input], output, &[("keepdims", Attribute::Int(0))])
    }

    /// The middle `crop` of `new` rows: an odd margin is split by rounding half of it to the even number.
    fn centre_rows(&mut self, axis: &str, weights: &str, new: &str, crop: u32) -> String {
        let named = |what: &str| format!("{axis}_{what}");
        let crop = self.nodes.ints(&named("crop"), &[1], &[i64::from(crop)]);
        let [first, two, three, four] =
            [0, 2, 3, 4].map(|value| self.nodes.ints(&named(&format!("crop_{value}")), &[1], &[value]));
        let margin = self.node("Sub", &[new, &crop], &named("margin"));
        let half = self.node("Div", &[&margin, &two], &named("half_margin"));
        let rest = self.node("Mod", &[&margin, &four], &named("margin_rest"));
        let upwards = self.node("Equal", &[&rest, &three], &named("margin_upwards"));
        let upwards = self.cast(&upwards, Element::Int64, &named("margin_step"));
        let start = self.node("Add", &[&half, &upwards], &named("crop_start"));
        let end = self.node("Add", &[&start, &crop], &named("crop_end"));
        self.node("Slice", &[weights, &start, &end, &first], &named("crop_weights"))
    }

    /// `down * levels * acrossᵀ`, rounded to levels after each product: across first, as cairn resizes.
    fn resized(&mut self, levels: &str, down: &str, across: &str) -> String {
        let across = self.node("Transpose", &[across], "across_transposed");
        let narrowed = self.node("MatMul", &[levels, &across], "narrowed_exact");
        let narrowed = self.rounded(&narrowed, "narrowed");
        let framed = self.node("MatMul", &[down, &narrowed], "framed_exact");
        self.rounded(&framed, "framed")
    }

    /// `(level / 255 - mean) / std`.
    fn normalised(&mut self, levels: &str, normalisation: &Normalisation) -> String {
        let white = self.number("white", 255.0);
        let mean = self.nodes.floats("mean", &[3, 1, 1], &normalisation.mean);
        let std = self.nodes.floats("std", &[3, 1, 1], &normalisation.std);
        let unit = self.node("Div", &[levels, &white], "framed_unit");
        let centred = self.node("Sub", &[&unit, &mean], "framed_centred");
        self.node("Div", &[&centred, &std], "network_input")
    }
}
