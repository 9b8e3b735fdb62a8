//! A share as people write it.

/// A share as people write it: `1/200`, `0.5%` or `0.005`.
pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match (text.split_once('/'), text.strip_suffix('%')) {
        (Some((one, of)), _) => number(one).zip(number(of)).map(|(one, of)| one / of),
        (None, Some(percent)) => number(percent).map(|percent| percent / 100.0),
        (None, None) => number(text),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "a share between 0 and 1, such as 1/200, 0.5% or 0.005".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_in_three_ways() {
        for text in ["1/200", "0.5%", "0.005"] {
            assert_eq!(parse_share(text), Ok(0.005), "{text}");
        }
        for text in ["", "2", "-1", "1/0", "x", "101%"] {
            assert!(parse_share(text).is_err(), "{text}");
        }
    }
}
