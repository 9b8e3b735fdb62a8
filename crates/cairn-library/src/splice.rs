//! Ranges of bytes that are replaced: what the journal keeps, so that undo is exact.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A range of bytes and what takes its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Splice {
    /// Where it begins in the file as it was before.
    pub at: usize,
    /// What was there.
    #[serde(with = "bytes")]
    pub old: Vec<u8>,
    /// What takes its place.
    #[serde(with = "bytes")]
    pub new: Vec<u8>,
}

impl Splice {
    /// The one range in which two files differ; `None` if they do not.
    pub fn between(before: &[u8], after: &[u8]) -> Option<Splice> {
        if before == after {
            return None;
        }
        let shorter = before.len().min(after.len());
        let same = |(one, other): &(&u8, &u8)| one == other;
        let start = before.iter().zip(after).take_while(same).count();
        let end = before.iter().rev().zip(after.iter().rev()).take(shorter - start).take_while(same).count();
        let [old, new] = [before, after].map(|bytes| bytes[start..bytes.len() - end].to_vec());
        Some(Splice { at: start, old, new })
    }

    /// The file after these replacements, which are in order and do not overlap. `None` if it is not the file that they are for.
    pub fn apply(file: &[u8], splices: &[Splice]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(file.len());
        let mut at = 0;
        for splice in splices {
            let end = splice.at.checked_add(splice.old.len())?;
            out.extend_from_slice(file.get(at..splice.at)?);
            if file.get(splice.at..end)? != splice.old {
                return None;
            }
            out.extend_from_slice(&splice.new);
            at = end;
        }
        out.extend_from_slice(file.get(at..)?);
        Some(out)
    }

    /// The replacements that take these back.
    pub fn inverse(splices: &[Splice]) -> Vec<Splice> {
        let mut grown: isize = 0;
        let back = |splice: &Splice| {
            let at = splice.at.wrapping_add_signed(grown);
            // No file has more bytes than isize holds.
            grown += splice.new.len() as isize - splice.old.len() as isize;
            Splice { at, old: splice.new.clone(), new: splice.old.clone() }
        };
        splices.iter().map(back).collect()
    }
}

/// Bytes in JSON: as text where they are text, else in base64.
mod bytes {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Shown {
        Text(String),
        Base64(String),
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        let shown = match std::str::from_utf8(bytes) {
            Ok(text) => Shown::Text(text.to_owned()),
            Err(_) => Shown::Base64(BASE64.encode(bytes)),
        };
        shown.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        match Shown::deserialize(deserializer)? {
            Shown::Text(text) => Ok(text.into_bytes()),
            Shown::Base64(text) => BASE64.decode(text).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_and_their_inverse_lead_there_and_back() {
        let before = b"0123456789";
        let splices = [
            Splice { at: 1, old: b"12".to_vec(), new: b"long".to_vec() },
            Splice { at: 5, old: vec![], new: b"\xff".to_vec() },
            Splice { at: 8, old: b"89".to_vec(), new: vec![] },
        ];
        let after = Splice::apply(before, &splices).unwrap();
        assert_eq!(after, b"0long34\xff567");
        assert_eq!(Splice::apply(&after, &Splice::inverse(&splices)).unwrap(), before);
        assert_eq!(Splice::apply(b"9999999999", &splices), None, "another file");
        let kept = serde_json::to_string(&splices).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Splice>>(&kept).unwrap(), splices);
    }

    #[test]
    fn the_range_between_two_files_is_as_short_as_can_be() {
        let between = |before: &str, after: &str| {
            let splice = Splice::between(before.as_bytes(), after.as_bytes()).unwrap();
            assert_eq!(
                Splice::apply(before.as_bytes(), std::slice::from_ref(&splice)).unwrap(),
                after.as_bytes()
            );
            (splice.at, splice.old.len(), splice.new.len())
        };
        assert_eq!(between("abc", "abXc"), (2, 0, 1));
        assert_eq!(between("aaa", "aa"), (2, 1, 0));
        assert_eq!(between("", "x"), (0, 0, 1));
        assert_eq!(Splice::between(b"a", b"a"), None);
    }
}
