//! By what a row says which model it is of.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A model's name and digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelIdentity {
    /// `shipped`, or the name of its file or run folder.
    pub name: String,
    /// The beginning of the SHA-256 digest of its file: `sha256:` and 16 hexadecimal digits. Equal digests are of equal
    /// models, whatever their names.
    pub digest: String,
}

impl ModelIdentity {
    /// That of the model whose file holds `bytes`.
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        // Half of a digest tells models apart well enough, and `sha256sum` begins with the same digits.
        let digest: String = Sha256::digest(bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name: name.into(), digest: format!("sha256:{digest}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_begins_as_that_of_sha256sum() {
        let identity = ModelIdentity::new("empty", b"");
        assert_eq!(identity.digest, "sha256:e3b0c44298fc1c14");
    }
}
