//! Text in Markdown that says what it is, whatever is in it (CommonMark 0.31 and GitHub's tables).

use std::borrow::Cow;

use cairn_dataset::escape::{shown, shown_lines};

/// Characters that mean something anywhere in a line: backslash, code, emphasis, links, HTML, entities, cells, formulas,
/// headings.
const SPECIAL: [char; 15] = ['\\', '`', '*', '_', '[', ']', '<', '>', '&', '|', '~', '$', '#', '!', '@'];

/// Text on one line, without markup of its own.
pub(super) fn text(text: &str) -> String {
    let text = shown(text);
    let text = text.trim();
    let mut escaped = String::with_capacity(text.len());
    for (place, character) in text.char_indices() {
        if SPECIAL.contains(&character) || begins_block(&text[..place], character) || links(&text[place..]) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Whether the character makes a list or a heading of the line that begins with `before`.
fn begins_block(before: &str, character: char) -> bool {
    match character {
        '-' | '+' | '=' => before.is_empty(),
        '.' | ')' => !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// Whether the rest of a line begins with what GitHub makes a link of without markup.
fn links(rest: &str) -> bool {
    rest.starts_with("://") || (rest.starts_with(".") && rest.len() > 1 && !rest.starts_with(". "))
}

/// Text as code in a line.
pub(super) fn code(text: &str) -> String {
    let text = shown(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A space goes to each side of a backtick, and is not shown.
    let space = if text.contains('`') || text.trim().is_empty() { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Lines of code.
pub(super) fn code_block(language: &str, lines: &str) -> String {
    let lines: Cow<'_, str> = shown_lines(lines.trim_end());
    let fence = "`".repeat(longest_run(&lines).max(2) + 1);
    format!("{fence}{language}\n{lines}\n{fence}\n")
}

/// How many backticks stand together at most.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_whatever_they_hold() {
        for (name, expected) in [
            ("Eiffel Tower", "Eiffel Tower"),
            ("St. Peter's", "St. Peter's"),
            ("Mont-Saint-Michel", "Mont-Saint-Michel"),
            ("<img src=x onerror=alert(1)>", r"\<img src=x onerror=alert(1)\>"),
            ("[a](javascript:x)", r"\[a\](javascript:x)"),
            ("http://x.org", r"http\://x\.org"),
            ("a\n# b | c", r"a\\n\# b \| c"),
            ("- x", r"\- x"),
            ("9. x", r"9\. x"),
            ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ] {
            assert_eq!(text(name), expected);
        }
    }

    #[test]
    fn code_is_fenced_by_more_backticks_than_it_holds() {
        assert_eq!(code("landmarks"), "`landmarks`");
        assert_eq!(code("a``b"), "``` a``b ```");
        assert_eq!(code_block("toml", "a = 1\n"), "```toml\na = 1\n```\n");
        assert_eq!(code_block("toml", "x\n````\n# b"), "`````toml\nx\n````\n# b\n`````\n");
    }
}
