//! How fast each convolution of a network is, beside what the machine can do at most.

use cairn_kernels::conv::{self, Direction, Epilogue, PackedWeights};
use cairn_kernels::roofline::{Bound, Roofline};
use cairn_kernels::{Conv2dShape, Element, Isa};
use cairn_nets::graph::GraphError;
use cairn_nets::{Architecture, Precision};
use half::bf16;

use super::best_seconds;

/// What is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerBenchmark {
    /// The network whose convolutions are timed, each shape once.
    pub architecture: Architecture,
    /// Side of the square photos, in pixels.
    pub side: usize,
    /// Photos in a batch.
    pub batch: usize,
    /// Number type of activations.
    pub precision: Precision,
    /// Timed runs after a warm-up run; the best counts.
    pub repeats: usize,
}

/// One of the three products of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// The output.
    Forward,
    /// The gradient to the input.
    InputGradient,
    /// The gradient to the weights.
    WeightGradient,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Forward, Self::InputGradient, Self::WeightGradient];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::InputGradient => "input gradient",
            Self::WeightGradient => "weight gradient",
        }
    }

    /// Bytes that it reads and writes at least, each once. Weights are multiplied in the maps' number type; their gradient
    /// is f32.
    fn bytes<T>(self, shape: &Conv2dShape) -> usize {
        let weights = match self {
            Self::WeightGradient => size_of::<f32>(),
            Self::Forward | Self::InputGradient => size_of::<T>(),
        };
        (shape.input_len() + shape.output_len()) * size_of::<T>() + shape.weight_len() * weights
    }
}

/// How fast a product of a convolution is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerSpeed {
    /// The convolution.
    pub shape: Conv2dShape,
    /// How often the network has it.
    pub times: usize,
    /// What of it is computed.
    pub product: Product,
    /// What it takes once.
    pub seconds: f64,
    /// The least that it could take by the machine's limits. Minimal filtering (Winograd) multiplies less than a
    /// convolution's definition, so it may take less.
    pub bound: Bound,
}

impl LayerBenchmark {
    /// Times every convolution, and measures the machine's limits first.
    ///
    /// # Errors
    /// When the network does not fit photos of this side.
    pub fn run(&self) -> Result<(Roofline, Vec<LayerSpeed>), GraphError> {
        match self.precision {
            Precision::F32 => self.run_in::<f32>(),
            Precision::Bf16 => self.run_in::<bf16>(),
        }
    }

    fn run_in<T: Element>(&self) -> Result<(Roofline, Vec<LayerSpeed>), GraphError> {
        let isa = Isa::best();
        let convolutions = self.architecture.convolutions(self.side, self.batch)?;
        let roofline = Roofline::measure::<T>(isa);
        let speeds = convolutions.into_iter().flat_map(|(shape, times)| {
            let seconds = self.seconds::<T>(isa, &shape);
            let speed = |(product, seconds): (Product, f64)| {
                let bound = roofline.bound(shape.multiply_adds(), product.bytes::<T>(&shape));
                LayerSpeed { shape, times, product, seconds, bound }
            };
            Product::ALL.into_iter().zip(seconds).map(speed).collect::<Vec<_>>()
        });
        let speeds = speeds.collect();
        Ok((roofline, speeds))
    }

    /// What each product takes, in the order of [`Product::ALL`].
    fn seconds<T: Element>(&self, isa: Isa, shape: &Conv2dShape) -> [f64; 3] {
        let ramp = |len: usize| -> Vec<T> { (0..len).map(|i| T::from_f32((i % 17) as f32 - 8.0)).collect() };
        let (input, output_gradient) = (ramp(shape.input_len()), ramp(shape.output_len()));
        let weights: Vec<f32> = (0..shape.weight_len()).map(|i| (i % 13) as f32 - 6.0).collect();
        let forward = PackedWeights::<T>::new(isa, shape, Direction::Forward, &weights);
        let backward = PackedWeights::<T>::new(isa, shape, Direction::InputGradient, &weights);
        let (mut output, mut input_gradient) = (output_gradient.clone(), input.clone());
        let mut weight_gradient = vec![0.0; shape.weight_len()];
        [
            best_seconds(self.repeats, || {
                conv::forward(shape, &input, &forward, Epilogue::default(), &mut output);
            }),
            best_seconds(self.repeats, || {
                conv::input_gradient(shape, &output_gradient, &backward, &mut input_gradient);
            }),
            best_seconds(self.repeats, || {
                conv::weight_gradient(isa, shape, &input, &output_gradient, &mut weight_gradient);
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shape_of_a_network_is_timed_in_its_three_products() {
        let benchmark = LayerBenchmark {
            architecture: Architecture::ThreeConv,
            side: 32,
            batch: 2,
            precision: Precision::F32,
            repeats: 1,
        };
        let (roofline, speeds) = benchmark.run().unwrap();
        assert_eq!(speeds.len(), 9);
        let products = speeds.iter().map(|speed| speed.product);
        assert!(products.eq([Product::ALL; 3].into_iter().flatten()));
        for speed in &speeds {
            assert!(speed.seconds > 0.0 && speed.bound.seconds > 0.0, "{speed:?}");
            assert_eq!(
                speed.bound,
                roofline.bound(speed.shape.multiply_adds(), speed.product.bytes::<f32>(&speed.shape))
            );
        }
    }
}
