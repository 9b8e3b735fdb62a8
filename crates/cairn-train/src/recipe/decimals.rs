//! Numbers of a recipe as people write them.

use std::borrow::Cow;

/// The TOML document with short decimals: TOML has only 64-bit numbers, in which the 32-bit 0.35 is 0.3499999940395355.
/// A 64-bit number that equals a 32-bit number is written with the digits of the 32-bit one. Numbers within strings change,
/// too: the caller checks that the document still means the same.
pub(super) fn shortened(toml: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
    let mut short = String::with_capacity(toml.len());
    let mut rest = toml;
    while let Some(start) = rest.find(in_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !in_word(c)).unwrap_or(from.len()));
        short.push_str(before);
        short.push_str(&shortened_word(word));
        rest = after;
    }
    short + rest
}

fn shortened_word(word: &str) -> Cow<'_, str> {
    match word.parse::<f64>() {
        Ok(number) if word.contains('.') && f64::from(number as f32) == number => {
            format!("{:?}", number as f32).into()
        }
        _ => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_32_bits_lose_the_digits_that_64_bits_gave_them_and_others_stay() {
        let toml = "a = [0.3499999940395355, 1.0]\nb = 1e-3\nc = 0.001\nd = 64\nversion = \"1.2.3\"\n";
        assert_eq!(shortened(toml), "a = [0.35, 1.0]\nb = 1e-3\nc = 0.001\nd = 64\nversion = \"1.2.3\"\n");
    }
}
