//! Lines that fit the window.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text in lines of at most `columns` cells, broken between words, or within a word that is longer than a line; all
/// lines but the first begin with `indent` spaces, or as many as half a line has.
pub(crate) fn wrapped(text: &str, columns: usize, indent: usize) -> String {
    if text.width() <= columns || columns == 0 {
        return text.to_owned();
    }
    let indent = indent.min(columns / 2);
    let start = text.len() - text.trim_start().len();
    // The first line keeps its own indentation.
    let mut lines = vec![" ".repeat(text[..start].width().min(columns / 2))];
    let mut is_begun = false;
    // Several spaces within the text are columns of a table, and stay.
    let mut spaces = 0;
    for word in text[start..].split(' ') {
        if word.is_empty() {
            spaces += 1;
            continue;
        }
        let gap = if is_begun { 1 + spaces } else { spaces };
        spaces = 0;
        let last = lines.last_mut().expect("there is a first line");
        if last.width() + gap + word.width() <= columns {
            last.push_str(&" ".repeat(gap));
        } else if is_begun {
            lines.push(" ".repeat(indent));
        }
        is_begun = true;
        for character in word.chars() {
            let last = lines.last_mut().expect("there is a first line");
            if last.width() + character.width().unwrap_or(0) > columns {
                lines.push(format!("{}{character}", " ".repeat(indent)));
            } else {
                last.push(character);
            }
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_between_words_and_go_on_indented() {
        let line = "   99.5%  Eiffel Tower, Paris, France (48.8584 N, 2.2945 E)";
        assert_eq!(wrapped(line, 80, 10), line);
        assert_eq!(
            wrapped(line, 40, 10),
            "   99.5%  Eiffel Tower, Paris, France\n          (48.8584 N, 2.2945 E)"
        );
        assert_eq!(wrapped("ab abcdefghij", 5, 2), "ab\n  abc\n  def\n  ghi\n  j");
        assert_eq!(wrapped("東京タワー 東京", 10, 0), "東京タワー\n東京");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_window_and_no_word_is_lost(
            words in prop::collection::vec("[a-zé東]{1,12}", 1..12),
            columns in 4..60_usize,
            indent in 0..20_usize,
        ) {
            let text = words.join(" ");
            let lines = wrapped(&text, columns, indent);
            prop_assert!(lines.lines().all(|line| line.width() <= columns), "{lines}");
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&lines), letters(&text));
        }
    }
}
