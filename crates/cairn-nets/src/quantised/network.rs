//! A network in 8 bits, ready to run.

use std::collections::BTreeMap;
use std::rc::Rc;

use burn::tensor::{Device, Tensor, TensorData};
use cairn_kernels::extension::kernels_enabled;
use cairn_kernels::int8::{self, Addition, Quantisation};
use cairn_kernels::layers::PoolGeometry;
use cairn_kernels::pool::{MaxPoolOptions, MaxPoolShape};
use cairn_kernels::{Extent, Isa};

use super::buffers::{Buffers, Shelf};
use super::layer::{Around, Kernel, ReadyLayer, bounds};
use super::map::{Map, Meaning, Values};
use super::plan::{Kind, Plan, Step};
use super::settings::{Int8Settings, QuantiseError};
use super::tensor::QuantisedTensor;
use crate::batch_parts::side_by_side;
use crate::graph::{NodeProblem, Op, TensorShapes};
use crate::{Network, StateDict};

/// Photos that go through the network together on one thread, at most: weights are read once for all of them, and maps stay in
/// the cache.
const PHOTOS_TOGETHER: usize = 4;

/// A network in 8 bits: what [`Network::features_and_logits`] computes, from the pixels of photos on.
///
/// It gives the same bits for a photo whatever others are in the batch and on any number of threads; on every machine, too,
/// where all of its layers are in 8 bits.
#[derive(Debug)]
pub struct QuantisedNetwork {
    steps: Vec<ReadyStep>,
    /// The step whose output the last layer takes.
    features: usize,
    shelf: Shelf,
}

/// What a network says of photos.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantisedOutput {
    /// Of each photo, what the last layer takes: as [`Network::features`].
    pub features: Vec<Vec<f32>>,
    /// Of each photo, the logits.
    pub logits: Vec<Vec<f32>>,
}

/// The normalisation that a network expects: `(pixel / 255 - mean) / std` of each colour channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhotoLevels {
    /// Mean, on a scale of 0 to 1.
    pub mean: [f32; 3],
    /// Standard deviation, on the same scale.
    pub std: [f32; 3],
}

impl PhotoLevels {
    /// What one level more adds to the normalised value.
    pub(super) fn unit(self, channel: usize) -> f64 {
        1.0 / (255.0 * f64::from(self.std[channel % 3]))
    }

    /// The level, of any fraction, whose normalised value is zero.
    pub(super) fn zero(self, channel: usize) -> f64 {
        255.0 * f64::from(self.mean[channel % 3])
    }

    /// Whether zero is between levels, so that padding can be one.
    fn has_zeros(self) -> bool {
        (0..3).all(|channel| (0.0..=255.0).contains(&self.zero(channel)))
    }

    /// The normalised values of pixels.
    pub(super) fn normalised(self, pixels: &[u8]) -> Vec<f32> {
        let value =
            |(at, level): (usize, &u8)| ((f64::from(*level) - self.zero(at % 3)) * self.unit(at % 3)) as f32;
        pixels.iter().enumerate().map(value).collect()
    }
}

/// A step that is ready to run.
#[derive(Debug)]
struct ReadyStep {
    work: Work,
    inputs: Vec<usize>,
    /// What the levels of its output mean.
    meaning: Meaning,
    /// Steps whose outputs nobody needs after it.
    ends: Vec<usize>,
}

/// What a step does.
#[derive(Debug)]
enum Work {
    Photo,
    Layer(Box<ReadyLayer>),
    Logits(Logits),
    MaxPool(PoolGeometry),
    Average,
    Add(Addition),
    /// A table for each input.
    Concat(Vec<[u8; 256]>),
    Table(Box<[u8; 256]>),
    Flatten,
    AdaptiveAverage([usize; 2], Computed),
    Same,
    Computed(Computed),
}

/// The last linear layer, in floats.
#[derive(Debug)]
struct Logits {
    /// `[classes, features]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// An operation that is computed in floats as in [`Graph::compute`](crate::graph::Graph::compute), and its tensors.
#[derive(Debug)]
struct Computed {
    op: Op,
    weights: StateDict,
}

impl QuantisedNetwork {
    /// `network`, for photos of about `side` pixels and of this normalisation, whose weights were `rounded` before or are
    /// rounded now.
    ///
    /// # Errors
    /// When the settings do not fit the network: a map without a range, scales that levels cannot have, rounded weights of
    /// other shapes.
    pub fn new(
        network: &Network,
        side: usize,
        photo: PhotoLevels,
        rounded: &BTreeMap<String, QuantisedTensor>,
        settings: &Int8Settings,
    ) -> Result<Self, QuantiseError> {
        let (graph, weights) = (network.graph(side), network.state_dict());
        let plan = Plan::of(&graph);
        if let Some(path) =
            settings.float.iter().find(|path| !plan.layers().any(|(_, layer)| layer.path == **path))
        {
            return Err(QuantiseError::Layer(path.clone()));
        }
        let shapes: TensorShapes = weights.shapes().collect();
        let inferred = graph.infer(&shapes)?;
        let size = |step: usize| match *inferred[plan.steps[step].output.index()].shape {
            [channels, height, width] => [channels, height, width],
            [channels] => [channels, 1, 1],
            _ => [1, 1, 1],
        };
        let mut steps: Vec<ReadyStep> = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            let meanings: Vec<Meaning> = step.inputs.iter().map(|&input| steps[input].meaning).collect();
            let meaning = meaning(step, &meanings, photo, settings)?;
            let sizes = step.inputs.iter().map(|&input| size(input)).collect();
            let made = Making { step, meanings, meaning, sizes, weights: &weights, rounded, settings };
            let work = made.work()?;
            steps.push(ReadyStep { work, inputs: step.inputs.clone(), meaning, ends: Vec::new() });
        }
        let features = plan.features(&network.head_prefix()).unwrap_or_default();
        let last = steps.len() - 1;
        let mut last_use: Vec<usize> = (0..steps.len()).collect();
        for (index, step) in steps.iter().enumerate() {
            step.inputs.iter().for_each(|&input| last_use[input] = index);
        }
        for (step, used) in last_use.into_iter().enumerate() {
            if step != features && step != last {
                steps[used].ends.push(step);
            }
        }
        Ok(Self { steps, features, shelf: Shelf::default() })
    }

    /// Whether networks in 8 bits run on a device: on the processor, unless its kernels are off.
    pub fn is_offered(device: &Device) -> bool {
        *device == Device::flex() && kernels_enabled()
    }

    /// How many layers compute in bytes, and how many there are beside the one that gives the logits.
    pub fn byte_layers(&self) -> (usize, usize) {
        let layers = || {
            self.steps.iter().filter_map(|step| match &step.work {
                Work::Layer(layer) => Some(layer),
                _ => None,
            })
        };
        (layers().filter(|layer| layer.is_of_bytes()).count(), layers().count())
    }

    /// Features and logits of photos: `pixels` is `[count, height, width, 3]`.
    ///
    /// # Panics
    /// When `pixels` are no whole photos, or photos of this size are too small for the network.
    pub fn forward(&self, pixels: &[u8], height: usize, width: usize) -> QuantisedOutput {
        let photo_len = 3 * height * width;
        assert!(pixels.len().is_multiple_of(photo_len), "{} bytes are no whole photos", pixels.len());
        let count = pixels.len() / photo_len;
        if count == 0 {
            return QuantisedOutput { features: Vec::new(), logits: Vec::new() };
        }
        // Each thread has about as many photos as another.
        let passes =
            count.div_ceil(PHOTOS_TOGETHER).next_multiple_of(rayon::current_num_threads()).min(count);
        let outputs = side_by_side(passes, |pass| {
            let [first, end] = [pass, pass + 1].map(|pass| pass * count / passes * photo_len);
            self.shelf.with(|buffers| self.run(&pixels[first..end], [height, width], buffers))
        });
        let (mut features, mut logits) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for output in outputs {
            features.extend(output.features);
            logits.extend(output.logits);
        }
        QuantisedOutput { features, logits }
    }

    /// One pass.
    fn run(&self, pixels: &[u8], [height, width]: [usize; 2], buffers: &mut Buffers) -> QuantisedOutput {
        let shape = [pixels.len() / (3 * height * width), height, width, 3];
        let mut maps: Vec<Option<Rc<Map<'_>>>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            // A step's inputs end with it or later.
            let inputs: Vec<Rc<Map<'_>>> =
                step.inputs.iter().filter_map(|&input| maps[input].clone()).collect();
            let meanings: Vec<Meaning> = step.inputs.iter().map(|&input| self.steps[input].meaning).collect();
            let output = match &step.work {
                Work::Photo => Rc::new(Map { shape, values: Values::Photo(pixels) }),
                work => work.run(&inputs, &meanings, buffers),
            };
            drop(inputs);
            maps.push(Some(output));
            for &ended in &step.ends {
                let map = maps[ended].take().and_then(|map| Rc::try_unwrap(map).ok());
                if let Some(Map { values: Values::Levels(levels), .. }) = map {
                    buffers.give(levels);
                }
            }
        }
        let rows = |step: usize| {
            maps[step].as_ref().map_or_else(Vec::new, |map| mean_pixels(map, self.steps[step].meaning))
        };
        QuantisedOutput { features: rows(self.features), logits: rows(self.steps.len() - 1) }
    }
}

/// The values of each photo's vector; of a map, the mean of its pixels.
fn mean_pixels(map: &Map<'_>, meaning: Meaning) -> Vec<Vec<f32>> {
    let [_, height, width, channels] = map.shape;
    let area = height * width;
    let values = map.floats(meaning);
    let mean = |photo: &[f32], channel: usize| {
        let sum: f64 = photo.iter().skip(channel).step_by(channels).map(|&value| f64::from(value)).sum();
        (sum / area as f64) as f32
    };
    let rows = values.chunks_exact(area * channels);
    rows.map(|photo| (0..channels).map(|channel| mean(photo, channel)).collect()).collect()
}

/// What the levels of a step's output mean.
fn meaning(
    step: &Step,
    inputs: &[Meaning],
    photo: PhotoLevels,
    settings: &Int8Settings,
) -> Result<Meaning, QuantiseError> {
    let no_range = || QuantiseError::Range(step.name.clone());
    match &step.kind {
        Kind::Photo => Ok(Meaning::Photo(photo)),
        // Logits are never levels.
        Kind::Logits { .. } => Ok(Meaning::Levels(Quantisation { scale: 1.0, zero_point: 0 })),
        kind if kind.has_range() => {
            let scale = settings.ranges.get(&step.name).ok_or_else(no_range)?;
            let quantisation = scale.quantisation().ok_or_else(|| QuantiseError::Scale(step.name.clone()))?;
            Ok(Meaning::Levels(quantisation))
        }
        _ => match inputs.first() {
            Some(Meaning::Levels(quantisation)) => Ok(Meaning::Levels(*quantisation)),
            _ => Err(no_range()),
        },
    }
}

/// A step in the making.
struct Making<'a> {
    step: &'a Step,
    meanings: Vec<Meaning>,
    meaning: Meaning,
    /// Channels, height and width of each input.
    sizes: Vec<[usize; 3]>,
    weights: &'a StateDict,
    rounded: &'a BTreeMap<String, QuantisedTensor>,
    settings: &'a Int8Settings,
}

impl Making<'_> {
    fn work(&self) -> Result<Work, QuantiseError> {
        Ok(match &self.step.kind {
            Kind::Photo => Work::Photo,
            Kind::Layer(layer) => {
                let input = self.meanings[0];
                let cannot_pad = matches!(input, Meaning::Photo(photo) if !photo.has_zeros());
                let in_floats = cannot_pad || self.settings.float.contains(&layer.path);
                let residual = self.meanings.get(1).map(|&meaning| self.levels_of(meaning)).transpose()?;
                let around = Around { input, residual, output: self.levels_of(self.meaning)? };
                let rounded = self.rounded.get(&layer.weight);
                let ready = ReadyLayer::new(layer, self.sizes[0], self.weights, rounded, in_floats, around)?;
                Work::Layer(Box::new(ready))
            }
            Kind::Logits { weight, bias } => Work::Logits(self.logits(weight, bias.as_deref())?),
            Kind::MaxPool(geometry) => Work::MaxPool(*geometry),
            Kind::Average => Work::Average,
            Kind::Add(activation) => {
                let output = self.levels_of(self.meaning)?;
                let [a, b] = [self.levels_of(self.meanings[0])?, self.levels_of(self.meanings[1])?];
                let scales = [a, b].map(|input| input.scale / output.scale);
                let offset = f32::from(output.zero_point)
                    - f32::from(a.zero_point) * scales[0]
                    - f32::from(b.zero_point) * scales[1];
                if !(offset.is_finite() && scales.iter().all(|scale| scale.is_finite())) {
                    return Err(QuantiseError::Scale(self.step.name.clone()));
                }
                let (low, high) = bounds(*activation, output);
                Work::Add(Addition { scales, offset, bounds: [low, high] })
            }
            Kind::Concat => {
                let output = self.levels_of(self.meaning)?;
                let inputs = self.meanings.iter().map(|&meaning| self.levels_of(meaning));
                let table =
                    |input: Quantisation| std::array::from_fn(|level| output.level(input.value(level as u8)));
                Work::Concat(inputs.map(|input| Ok(table(input?))).collect::<Result<_, QuantiseError>>()?)
            }
            Kind::Function(op) => Work::Table(self.table(op)?),
            Kind::Flatten => Work::Flatten,
            Kind::AdaptiveAverage { output, op } => Work::AdaptiveAverage(*output, self.computed(op)),
            Kind::Same => Work::Same,
            Kind::Other(op) => Work::Computed(self.computed(op)),
        })
    }

    /// The quantisation of a map that is no photo.
    fn levels_of(&self, meaning: Meaning) -> Result<Quantisation, QuantiseError> {
        match meaning {
            Meaning::Levels(quantisation) => Ok(quantisation),
            Meaning::Photo(_) => Err(QuantiseError::Range(self.step.name.clone())),
        }
    }

    fn logits(&self, weight: &str, bias: Option<&str>) -> Result<Logits, QuantiseError> {
        let fault = |name: &str| {
            let problem = NodeProblem::MissingTensor(name.to_owned());
            let node = self.step.name.clone();
            QuantiseError::Graph(crate::graph::GraphError { node, op: "linear", problem })
        };
        let values = |name: &str| self.weights.values(name).ok_or_else(|| fault(name));
        let classes = self.weights.shape(weight).and_then(|shape| shape.first()).copied();
        let classes = classes.filter(|&classes| classes > 0).ok_or_else(|| fault(weight))?;
        let bias = bias.map_or_else(|| Ok(vec![0.0; classes]), |name| values(name).map(<[f32]>::to_vec))?;
        Ok(Logits { weight: values(weight)?.to_vec(), bias })
    }

    /// The levels that a function of one value gives for all levels.
    fn table(&self, op: &Op) -> Result<Box<[u8; 256]>, QuantiseError> {
        let (input, output) = (self.levels_of(self.meanings[0])?, self.levels_of(self.meaning)?);
        let values: Vec<f32> = (0..=255).map(|level| input.value(level)).collect();
        let values = self.computed(op).run(vec![(values, [1, 1, 1, 256])]).1;
        let mut table = Box::new([0; 256]);
        for (to, value) in table.iter_mut().zip(values) {
            *to = output.level(value);
        }
        Ok(table)
    }

    fn computed(&self, op: &Op) -> Computed {
        let mut weights = StateDict::default();
        for name in op.tensors() {
            if let (Some(shape), Some(values)) = (self.weights.shape(name), self.weights.values(name)) {
                weights.insert(name, shape, values.to_vec());
            }
        }
        Computed { op: op.clone(), weights }
    }
}

impl Computed {
    /// The shape and the values of the output, for those of the inputs.
    fn run(&self, inputs: Vec<(Vec<f32>, [usize; 4])>) -> ([usize; 4], Vec<f32>) {
        let device = Device::flex();
        let inputs = inputs.into_iter();
        let inputs = inputs.map(|(values, shape)| Tensor::from_data(TensorData::new(values, shape), &device));
        // The graph was inferred with these tensors before.
        let output = self.op.compute(inputs.collect(), &self.weights);
        let output: Tensor<4> = output.unwrap_or_else(|problem| panic!("{}: {problem}", self.op.name()));
        (output.dims(), output.into_data().iter::<f32>().collect())
    }

    fn of_maps<'a>(&self, inputs: &[Rc<Map<'a>>], meanings: &[Meaning]) -> Rc<Map<'a>> {
        let inputs = inputs.iter().zip(meanings);
        let values = inputs.map(|(map, &meaning)| (map.floats(meaning).into_owned(), map.shape));
        let (shape, values) = self.run(values.collect());
        Rc::new(Map { shape, values: Values::Floats(values) })
    }
}

impl Work {
    /// The step's output.
    fn run<'a>(&self, inputs: &[Rc<Map<'a>>], meanings: &[Meaning], buffers: &mut Buffers) -> Rc<Map<'a>> {
        let isa = Isa::best();
        let (map, input_meaning) = (&inputs[0], meanings[0]);
        let [batch, height, width, channels] = map.shape;
        let levels_of = |at: usize| inputs[at].levels(meanings[at]);
        let (shape, values) = match self {
            Self::Photo | Self::Same => return Rc::clone(map),
            Self::Computed(computed) => return computed.of_maps(inputs, meanings),
            Self::AdaptiveAverage(output, computed) => {
                return if [height, width] == *output {
                    Rc::clone(map)
                } else {
                    computed.of_maps(inputs, meanings)
                };
            }
            Self::Layer(layer) => {
                let shape = layer.shape(map.shape);
                let (output, outputs) = (shape.output_map(), shape.options().outputs);
                let values = match &layer.kernel {
                    Kernel::Bytes(conv) => {
                        let mut levels = buffers.take(shape.output_len());
                        let residual = inputs.get(1).map(|map| map.levels(meanings[1]));
                        conv.forward(&shape, &levels_of(0), residual.as_deref(), &mut levels);
                        Values::Levels(levels)
                    }
                    kernel => {
                        let residual = inputs.get(1).map(|map| map.floats(meanings[1]));
                        let input = map.floats(input_meaning);
                        Values::Floats(kernel.floats(&shape, &input, residual.as_deref()))
                    }
                };
                ([batch, output.height, output.width, outputs], values)
            }
            Self::Logits(logits) => {
                let values = logits.run(&map.floats(input_meaning));
                ([batch, 1, 1, logits.bias.len()], Values::Floats(values))
            }
            Self::MaxPool(geometry) => {
                let PoolGeometry { window, stride, padding, ceil_mode } = *geometry;
                let map = Extent { height, width };
                let options = MaxPoolOptions { batch, map, channels, window, stride, padding, ceil_mode };
                let shape = MaxPoolShape::new(options).unwrap_or_else(|error| panic!("{error}"));
                let mut levels = buffers.take(shape.output_len());
                int8::max_pool(isa, &shape, &levels_of(0), &mut levels);
                let output = shape.output_map();
                ([batch, output.height, output.width, channels], Values::Levels(levels))
            }
            Self::Average => {
                let mut means = vec![0.0; batch * channels];
                match (&map.values, input_meaning) {
                    (Values::Levels(levels), Meaning::Levels(quantisation)) => {
                        int8::average(isa, channels, height * width, quantisation, levels, &mut means);
                    }
                    _ => means = mean_pixels(map, input_meaning).concat(),
                }
                ([batch, 1, 1, channels], Values::Floats(means))
            }
            Self::Add(addition) => {
                let (a, b) = (levels_of(0), levels_of(1));
                let mut levels = buffers.take(a.len());
                int8::add(isa, *addition, [&a, &b], &mut levels);
                (map.shape, Values::Levels(levels))
            }
            Self::Concat(tables) => {
                let all: usize = inputs.iter().map(|map| map.shape[3]).sum();
                let mut levels = buffers.take(batch * height * width * all);
                let mut first = 0;
                for (at, table) in tables.iter().enumerate() {
                    let (from, own) = (levels_of(at), inputs[at].shape[3]);
                    for (to, from) in levels.chunks_exact_mut(all).zip(from.chunks_exact(own)) {
                        int8::look_up(table, from, &mut to[first..first + own]);
                    }
                    first += own;
                }
                ([batch, height, width, all], Values::Levels(levels))
            }
            Self::Table(table) => {
                let from = levels_of(0);
                let mut levels = buffers.take(from.len());
                int8::look_up(table, &from, &mut levels);
                (map.shape, Values::Levels(levels))
            }
            Self::Flatten if height * width == 1 => return Rc::clone(map),
            Self::Flatten => {
                let from = levels_of(0);
                let (area, mut levels) = (height * width, buffers.take(from.len()));
                let photos = levels.chunks_exact_mut(area * channels).zip(from.chunks_exact(area * channels));
                for (to, from) in photos {
                    for (channel, plane) in to.chunks_exact_mut(area).enumerate() {
                        for (to, pixel) in plane.iter_mut().zip(from.chunks_exact(channels)) {
                            *to = pixel[channel];
                        }
                    }
                }
                ([batch, 1, 1, area * channels], Values::Levels(levels))
            }
        };
        Rc::new(Map { shape, values })
    }
}

impl Logits {
    /// `[batch, classes]` of `[batch, features]`.
    fn run(&self, features: &[f32]) -> Vec<f32> {
        let photos = features.len() * self.bias.len() / self.weight.len();
        let mut logits = vec![0.0; photos * self.bias.len()];
        int8::linear(Isa::best(), &self.weight, &self.bias, features, &mut logits);
        logits
    }
}
