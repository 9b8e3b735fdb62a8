//! Text for people, without characters that act instead of being seen.

use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;

use cairn_photo::path_text;

/// Whether a character acts on a terminal or a page instead of being seen there.
///
/// These are the control characters (an escape sequence moves the cursor, a line end forges a row), the separators of
/// lines and paragraphs, those that turn the direction of writing (Unicode Standard Annex 9, section 2), and the two
/// that XML does not allow.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{fffe}'
                | '\u{ffff}'
        )
}

/// The text on one line, with each [hidden](is_hidden) character as Rust writes it: `\n`, `\t`, `\u{1b}`.
///
/// A backslash stays as it is, since it is part of Windows paths; programs that need the exact text read JSON.
pub fn shown(text: &str) -> Cow<'_, str> {
    replaced(text, is_hidden)
}

/// The same for text of several lines, whose line ends stay.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    replaced(text, |character| character != '\n' && is_hidden(character))
}

/// A path as people read it.
pub fn shown_path(path: &Path) -> String {
    shown(&path_text(path)).into_owned()
}

fn replaced(text: &str, wanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&wanted) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if wanted(character) {
            // Writing to a string cannot fail.
            let _ = write!(safe, "{}", escaped(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// `\n`, `\r` and `\t`, else `\u{1b}`.
fn escaped(character: char) -> String {
    match character {
        '\n' | '\r' | '\t' => character.escape_default().to_string(),
        _ => character.escape_unicode().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_and_direction_characters_are_written_out_and_all_others_stay() {
        for (text, expected) in [
            ("Eiffel Tower.jpg", "Eiffel Tower.jpg"),
            ("C:\\photos\\a.jpg", "C:\\photos\\a.jpg"),
            ("Ōura 天主堂 👩\u{200d}🚀", "Ōura 天主堂 👩\u{200d}🚀"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{202e}gpj.exe", "\\u{202e}gpj.exe"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("one\u{2028}two", "one\\u{2028}two"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(shown_lines("a\n\u{1b}b"), "a\n\\u{1b}b");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_one_line_without_hidden_characters(text in any::<String>()) {
            let shown = shown(&text);
            prop_assert!(!shown.contains(is_hidden), "{shown:?}");
            prop_assert!(shown.lines().count() <= 1);
        }

        #[test]
        fn text_without_hidden_characters_is_shown_as_it_is(text in "\\PC{0,40}") {
            prop_assume!(!text.contains(is_hidden));
            prop_assert_eq!(shown(&text), text.as_str());
        }
    }
}
