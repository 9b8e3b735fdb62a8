//! JSON that a terminal shows as it is.

use std::borrow::Cow;
use std::fmt::Write;

use super::is_hidden;

/// The JSON document with each [hidden](is_hidden) character of its strings written as `\u009b`, which is the same value.
///
/// JSON itself wants that of the first 32 characters alone, which serde_json does: a line end is one between values.
pub fn json_text(json: &str) -> Cow<'_, str> {
    let wanted = |character| character != '\n' && is_hidden(character);
    if !json.contains(wanted) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 8);
    for character in json.chars() {
        if wanted(character) {
            // Hidden characters are all of one UTF-16 unit; writing to a string cannot fail.
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_document_has_no_hidden_characters_and_the_same_value(text in any::<String>(), hidden in "[\u{7f}-\u{9f}\u{2028}-\u{202e}\u{1b}\u{ffff}]{0,3}") {
            let value = serde_json::json!({ format!("{hidden}{text}"): [text, hidden] });
            for json in [serde_json::to_string(&value).unwrap(), serde_json::to_string_pretty(&value).unwrap()] {
                let safe = json_text(&json);
                prop_assert!(!safe.contains(|c| c != '\n' && is_hidden(c)), "{safe:?}");
                prop_assert_eq!(&serde_json::from_str::<serde_json::Value>(&safe).unwrap(), &value);
            }
        }
    }
}
