//! Panics of decoders become errors and leave no words on the terminal.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use crate::panic_message::panic_message;

thread_local! {
    /// Whether this thread is within [`caught`].
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives, or what it said when it panicked.
///
/// Nothing that `work` has borrowed must be used after a panic but to be dropped.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                others(panic);
            }
        }));
    });
    let before = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(before);
    outcome.map_err(|panic| panic_message(panic.as_ref()).unwrap_or("no message").to_owned())
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_what_it_said() {
        let row = 7;
        assert_eq!(caught(|| row), Ok(7));
        assert_eq!(caught(|| -> u32 { panic!("row {row} is missing") }), Err("row 7 is missing".to_owned()));
        assert_eq!(caught(|| -> u32 { panic!("static") }), Err("static".to_owned()));
    }
}
