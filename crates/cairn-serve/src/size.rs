//! Sizes in bytes as people write them.

use std::fmt;
use std::str::FromStr;

/// Units of a size, from the largest.
const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// So many bytes, such as `32MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteSize(pub u64);

/// Not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size; write a whole number and B, KiB, MiB or GiB, such as 32MiB")]
pub struct NotASize(String);

impl FromStr for ByteSize {
    type Err = NotASize;

    fn from_str(text: &str) -> Result<Self, NotASize> {
        let wrong = || NotASize(text.to_owned());
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit = unit.trim().to_ascii_lowercase();
        let times = match unit.as_str() {
            "" | "b" => 1,
            "k" | "kib" => 1 << 10,
            "m" | "mib" => 1 << 20,
            "g" | "gib" => 1 << 30,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            _ => return Err(wrong()),
        };
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(times)).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown_size(self.0))
    }
}

/// `32MiB` of a whole number of units, else `1.5 MiB`.
pub(crate) fn shown_size(bytes: u64) -> String {
    let (unit, of) = UNITS.into_iter().find(|(_, of)| bytes >= *of).unwrap_or(("B", 1));
    if bytes.is_multiple_of(of) {
        format!("{}{unit}", bytes / of)
    } else {
        format!("{:.1} {unit}", bytes as f64 / of as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them_and_shown_so_that_they_can_be_read_again() {
        for (text, bytes) in [
            ("32MiB", 32 << 20),
            ("512 MiB", 512 << 20),
            ("1gib", 1 << 30),
            ("4096", 4096),
            ("10kB", 10_000),
            ("5 MB", 5_000_000),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for wrong in ["", "MiB", "1.5MiB", "-1", "1 TiB", "99999999999GiB"] {
            assert!(wrong.parse::<ByteSize>().is_err(), "{wrong}");
        }
        for (bytes, text) in [(32 << 20, "32MiB"), (1 << 30, "1GiB"), (1536, "1.5 KiB"), (0, "0B")] {
            assert_eq!(shown_size(bytes), text);
        }
        assert_eq!(ByteSize(7 << 20).to_string().parse(), Ok(ByteSize(7 << 20)));
    }
}
