//! Every network held to the same network in PyTorch, first weights to their distributions, state dicts to their
//! promises. One binary, so that the tests link once.

// Everything here is a test, the helpers too, which clippy.toml's leave for tests does not reach.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod computed;
mod features;
mod first_weights;
mod graph;
mod published;
mod pytorch;
mod state_dict;
mod summary;

use cairn_nets::{Architecture, Init, Network, NetworkSpec};

/// A network on the CPU with first weights of seed 1, without dropout.
fn network(architecture: Architecture, classes: usize, side: usize) -> Network {
    drawn(architecture, classes, side, Init::Default, 1)
}

/// The same with these first weights.
fn drawn(architecture: Architecture, classes: usize, side: usize, init: Init, seed: u64) -> Network {
    let spec = NetworkSpec { architecture, classes, side, dropout: 0.0 };
    spec.build(init, seed, &burn::tensor::Device::flex()).unwrap()
}
