//! Which names are read from a file.

/// How long the name of a tensor or class may be, in bytes.
pub(super) const LONGEST_NAME: usize = 512;

/// Whether a character may be in a name. Control characters and those that change the direction of text (bidi controls)
/// may not: names are printed.
pub(super) fn is_visible(c: char) -> bool {
    let bidi =
        matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !c.is_control() && !bidi
}
