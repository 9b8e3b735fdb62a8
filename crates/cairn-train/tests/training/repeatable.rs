//! The same recipe, photos and seed give the same model.

use crate::tiny::{TinySet, bytes_of, recipe};

#[test]
fn two_equal_trainings_end_with_the_same_model_and_another_seed_with_another() {
    let set = TinySet::new();
    let model = |seed, name| {
        let (run, outcome) = set.train_anew(&recipe(|r| r.training.seed = seed), name);
        outcome.unwrap();
        bytes_of(&run, "best.safetensors")
    };
    let first = model(5, "first");
    assert!(first == model(5, "second"), "the same seed must give the same bytes");
    // The recipe's text, seed included, stands in the file too: what must differ is the weights.
    let weights = |bytes: &[u8]| bytes[bytes.len() - 1_000_000..].to_vec();
    assert!(weights(&first) != weights(&model(6, "third")), "another seed must give other weights");
}
