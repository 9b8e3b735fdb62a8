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
    pub(super) fn get_or_make<T: Send + Sync + 'static>(
        &self,
        sources: &[&FlexTensor],
        make: impl FnOnce() -> Folded<T>,
    ) -> Arc<Folded<T>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = kept.as_ref().filter(|made| made.is_of(sources))
            && let Ok(folded) = Arc::clone(&made.folded).downcast::<Folded<T>>()
        {
            return folded;
        }
        let folded = Arc::new(make());
        let sources = sources.iter().map(|&source| source.clone()).collect();
        *kept = Some(Made { sources, folded: Arc::<Folded<T>>::clone(&folded) });
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
