//! What a panic said.

use std::any::Any;

/// The text of a panic: `panic!` carries a `&str` or a `String`. `None` where it carried something else.
pub fn panic_message(panic: &(dyn Any + Send)) -> Option<&str> {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
}
