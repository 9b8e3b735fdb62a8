//! Buffers that a thread keeps from task to task.

use std::any::Any;
use std::cell::RefCell;

thread_local! {
    /// One of each type, while it is not in use.
    static KEPT: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Runs a task with this thread's scratch buffers of type `S`, which hold what the last task left in them.
///
/// They are taken out while in use: a thread that waits within its task may begin another, which then gets new ones.
pub(crate) fn with_scratch<S: Default + 'static, R>(task: impl FnOnce(&mut S) -> R) -> R {
    let kept = KEPT.with_borrow_mut(|kept| {
        let at = kept.iter().position(|kept| kept.is::<S>())?;
        kept.swap_remove(at).downcast::<S>().ok()
    });
    let mut scratch = kept.unwrap_or_default();
    let result = task(&mut scratch);
    KEPT.with_borrow_mut(|kept| {
        // A task within the task may have left its own.
        kept.retain(|kept| !kept.is::<S>());
        kept.push(scratch);
    });
    result
}

/// Frees what this thread keeps and does not use just now.
pub(super) fn trim() {
    KEPT.take();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Mine(Vec<u8>);

    #[derive(Default)]
    struct Other(Vec<u8>);

    #[test]
    fn scratch_is_kept_by_type_until_it_is_trimmed() {
        with_scratch(|Mine(bytes)| bytes.push(1));
        with_scratch(|Other(bytes)| assert_eq!(bytes.len(), 0));
        with_scratch(|Mine(bytes)| assert_eq!(*bytes, [1]));
        trim();
        with_scratch(|Mine(bytes)| assert_eq!(bytes.len(), 0));
    }

    #[test]
    fn a_task_within_a_task_has_scratch_of_its_own() {
        with_scratch(|Mine(outer)| {
            outer.push(1);
            with_scratch(|Mine(inner)| inner.push(2));
            trim();
            outer.push(3);
        });
        with_scratch(|Mine(bytes)| assert_eq!(*bytes, [1, 3]));
    }
}
