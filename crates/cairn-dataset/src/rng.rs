//! Where chance comes from: everything random is a function of the seed, the epoch and the photo's name, so that
//! any epoch can be replayed, by any number of workers.

use chacha20::ChaCha8Rng;
use rand::SeedableRng;

/// The random numbers for augmenting one photo in one epoch.
pub(crate) fn photo_rng(seed: u64, epoch: usize, relative_path: &str) -> ChaCha8Rng {
    rng("cairn-dataset 2026 augmentation", seed, epoch, relative_path)
}

/// The random numbers for the order of an epoch.
pub(crate) fn order_rng(seed: u64, epoch: usize) -> ChaCha8Rng {
    rng("cairn-dataset 2026 epoch order", seed, epoch, "")
}

/// The random numbers for mixing the photos of one batch in one epoch.
pub(crate) fn mixing_rng(seed: u64, epoch: usize, batch: usize) -> ChaCha8Rng {
    rng("cairn-dataset 2026 batch mixing", seed, epoch, &batch.to_string())
}

fn rng(purpose: &str, seed: u64, epoch: usize, name: &str) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    hasher.update(&seed.to_le_bytes());
    hasher.update(&(epoch as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn each_photo_has_its_own_numbers_in_each_epoch() {
        let draw = |seed, epoch, name| photo_rng(seed, epoch, name).random::<u64>();
        let first = draw(1, 2, "a/1.jpg");
        assert_eq!(first, draw(1, 2, "a/1.jpg"));
        for other in [draw(1, 2, "a/2.jpg"), draw(1, 3, "a/1.jpg"), draw(2, 2, "a/1.jpg")] {
            assert_ne!(first, other);
        }
    }
}
