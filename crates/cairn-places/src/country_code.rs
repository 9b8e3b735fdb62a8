//! Codes of countries.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A country's code of two capital letters by ISO 3166-1 (alpha-2), such as `FR`. That a country has this code is
/// not checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode(String);

impl CountryCode {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CountryCode {
    type Error = String;

    fn try_from(code: String) -> Result<Self, String> {
        if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(code))
        } else {
            Err(format!("a country code is two capital letters (ISO 3166-1), such as \"FR\", not {code:?}"))
        }
    }
}

impl From<CountryCode> for String {
    fn from(code: CountryCode) -> String {
        code.0
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_two_capital_letters() {
        assert_eq!(CountryCode::try_from("FR".to_owned()).unwrap().as_str(), "FR");
        for wrong in ["", "F", "fr", "FRA", "F1", "É"] {
            assert!(CountryCode::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }
}
