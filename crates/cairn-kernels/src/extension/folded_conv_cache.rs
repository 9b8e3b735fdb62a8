//! Convolutions with their batch norm folded in, kept from photo to photo.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use burn_flex::FlexTensor;

use crate::conv::PackedWeights;

/// What a layer keeps of its weights for evaluation: batch norm folded into them, packed for the machine. Made when first
/// used, and again when the weights are others.
#[derive(Default)]
pub struct FoldedConvCache(Mutex<Option<Made>>);

/// The tensors that it was made of, and what was made.
struct Made {
    sources: Vec<FlexTensor>,
    folded: Arc<dyn Any + Send + Sync>,
}

/// Packed weights and the bias that goes with them.
pub(super) struct Folded<T> {
    pub(super) weights: PackedWeights<T>,
    pub(super) bias: Vec<f32>,
}

impl FoldedConvCache {
    /// What was made of these very tensors before, or else `make` makes now.
    ///
    /// Nothing is locked while it makes: it works on many threads, and one that waits for the others may run another photo
    /// meanwhile, which comes here for the same layer. What two make at once is the same, and one of them is kept.
    pub(super) fn get_or_make<T: Send + Sync + 'static>(
        &self,
        sources: &[&FlexTensor],
        make: impl FnOnce() -> Folded<T>,
    ) -> Arc<Folded<T>> {
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept().as_ref().filter(|made| made.is_of(sources)).map(|made| Arc::clone(&made.folded));
        if let Some(folded) = found.and_then(|folded| folded.downcast::<Folded<T>>().ok()) {
            return folded;
        }
        let folded = Arc::new(make());
        let sources = sources.iter().map(|&source| source.clone()).collect();
        let made = Made { sources, folded: Arc::<Folded<T>>::clone(&folded) };
        // What was kept before is dropped after the lock is open again.
        let before = kept().replace(made);
        drop(before);
        folded
    }
}

impl Made {
    /// Whether it was made of these tensors: of the same memory, which cannot have been written to as long as it is held
    /// here, since Burn copies what is shared before it writes.
    fn is_of(&self, sources: &[&FlexTensor]) -> bool {
        self.sources.len() == sources.len()
            && self.sources.iter().zip(sources).all(|(kept, given)| {
                Arc::ptr_eq(&kept.data_arc(), &given.data_arc()) && kept.layout() == given.layout()
            })
    }
}

impl Clone for FoldedConvCache {
    /// Empty: a clone of a layer makes its own, since its weights may go another way.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for FoldedConvCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FoldedConvCache")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::conv::Direction;
    use crate::isa::Isa;
    use crate::shape::{Conv2dOptions, Conv2dShape, Extent, Padding};

    fn folded(bias: f32) -> Folded<f32> {
        let one = Extent { height: 1, width: 1 };
        let (batch, inputs, outputs, stride, padding, groups) = (1, 1, 1, 1, Padding::Each(0), 1);
        let options =
            Conv2dOptions { batch, map: one, inputs, outputs, kernel: one, stride, padding, groups };
        let shape = Conv2dShape::new(options).unwrap();
        Folded {
            weights: PackedWeights::new(Isa::best(), &shape, Direction::Forward, &[1.0]),
            bias: vec![bias],
        }
    }

    /// A thread that waits for others of its pool runs another of their photos meanwhile, on the same layer.
    #[test]
    fn a_photo_that_comes_while_weights_are_folded_does_not_wait_for_them() {
        let (done, outcome) = mpsc::channel();
        thread::spawn(move || {
            let kept = FoldedConvCache::default();
            let mut inner = None;
            let outer = kept.get_or_make(&[], || {
                inner = Some(kept.get_or_make(&[], || folded(1.0)));
                folded(2.0)
            });
            let again = kept.get_or_make::<f32>(&[], || panic!("it was made before"));
            let biases = [&inner.unwrap(), &outer, &again].map(|folded| folded.bias[0]);
            let _ = done.send(biases);
        });
        let biases =
            outcome.recv_timeout(Duration::from_secs(900)).expect("a thread waits for itself for ever");
        assert_eq!(biases[0], 1.0);
        // Whichever is kept, both are of the same weights.
        assert!([1.0, 2.0].contains(&biases[1]) && [1.0, 2.0].contains(&biases[2]));
    }
}
