//! Chance.

use chacha20::ChaCha8Rng;

/// What every choice in a photo is made with.
pub(crate) type Dice = ChaCha8Rng;
