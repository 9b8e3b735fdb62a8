//! Identifiers of Wikidata items.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The identifier of an item on [Wikidata](https://www.wikidata.org), such as `Q243`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WikidataId(String);

impl WikidataId {
    /// The identifier: `Q` and a number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the item's page.
    pub fn url(&self) -> String {
        format!("https://www.wikidata.org/wiki/{self}")
    }
}

impl TryFrom<String> for WikidataId {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        let digits = id.strip_prefix('Q').unwrap_or_default();
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !digits.is_empty() && !digits.starts_with('0') {
            Ok(Self(id))
        } else {
            Err(format!("a Wikidata identifier is Q and a number, such as \"Q243\", not {id:?}"))
        }
    }
}

impl From<WikidataId> for String {
    fn from(id: WikidataId) -> String {
        id.0
    }
}

impl fmt::Display for WikidataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_q_and_a_number() {
        let id = WikidataId::try_from("Q243".to_owned()).unwrap();
        assert_eq!(id.url(), "https://www.wikidata.org/wiki/Q243");
        for wrong in ["", "Q", "243", "q243", "Q0243", "Q24a", "P625", "https://www.wikidata.org/wiki/Q243"] {
            assert!(WikidataId::try_from(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }
}
