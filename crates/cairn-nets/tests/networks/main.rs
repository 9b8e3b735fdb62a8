//! Every network held to the same network in PyTorch, first weights to their distributions, state dicts to their
//! promises. One binary, so that the tests link once.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod computed;
mod features;
mod first_weights;
mod graph;
mod pooling;
mod published;
mod pytorch;
mod quantised;
mod state_dict;
mod summary;

use cairn_nets::{Architecture, Init, Network, NetworkSpec, Pooling};

/// A network on the CPU with first weights of seed 1, without dropout.
fn network(architecture: Architecture, classes: usize, side: usize) -> Network {
    pooled(architecture, classes, side, Pooling::Average)
}

/// The same with this pool.
fn pooled(architecture: Architecture, classes: usize, side: usize, pooling: Pooling) -> Network {
    let spec = NetworkSpec { architecture, classes, side, dropout: 0.0, pooling };
    spec.build(Init::Default, 1, &burn::tensor::Device::flex()).unwrap()
}

/// The network with an average pool and these first weights.
fn drawn(architecture: Architecture, classes: usize, side: usize, init: Init, seed: u64) -> Network {
    let spec = NetworkSpec { architecture, classes, side, dropout: 0.0, pooling: Pooling::Average };
    spec.build(init, seed, &burn::tensor::Device::flex()).unwrap()
}
