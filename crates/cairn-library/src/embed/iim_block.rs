//! IPTC-IIM, read only: keywords (IIM 4.2, data sets 2:25 and 1:90).

use super::EmbedError;

/// The keywords of a block of data sets.
pub(super) fn keywords(block: &[u8]) -> Result<Vec<String>, EmbedError> {
    let mut keywords = Vec::new();
    let mut is_utf8 = false;
    let mut rest = block;
    // Photoshop pads the block with zeros.
    while let [0x1c, record, number, high, low, content @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // The highest bit says that the length itself has a length: for pictures, never for text.
        if length & 0x8000 != 0 || content.len() < length {
            return Err(EmbedError::DamagedIim);
        }
        let (value, after) = content.split_at(length);
        match (record, number) {
            (1, 90) => is_utf8 = value == b"\x1b%G",
            (2, 25) => keywords.push(value),
            _ => {}
        }
        rest = after;
    }
    if rest.iter().any(|&byte| byte != 0) {
        return Err(EmbedError::DamagedIim);
    }
    let text = |value: &&[u8]| match std::str::from_utf8(value) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) if is_utf8 => Err(EmbedError::DamagedIim),
        // Without a declared character set, what is not UTF-8 is Latin 1 in practice.
        Err(_) => Ok(value.iter().map(|&byte| char::from(byte)).collect()),
    };
    keywords.iter().map(text).map(|text| Ok(text?.trim_end_matches('\0').to_owned())).collect()
}

/// The IIM block among Photoshop's resources (`8BIM`, number 0x0404).
pub(super) fn in_photoshop_resources(mut resources: &[u8]) -> Result<Option<Vec<u8>>, EmbedError> {
    let mut found: Option<Vec<u8>> = None;
    while let Some(rest) = resources.strip_prefix(b"8BIM") {
        let number =
            rest.first_chunk().map(|bytes| u16::from_be_bytes(*bytes)).ok_or(EmbedError::DamagedIim)?;
        let name_length = usize::from(*rest.get(2).ok_or(EmbedError::DamagedIim)?);
        // Name and content are padded to an even length.
        let name_end = 2 + (1 + name_length).next_multiple_of(2);
        let length =
            rest.get(name_end..).and_then(<[u8]>::first_chunk).map(|bytes| u32::from_be_bytes(*bytes));
        let length = length.ok_or(EmbedError::DamagedIim)? as usize;
        let start = name_end + 4;
        let content =
            start.checked_add(length).and_then(|end| rest.get(start..end)).ok_or(EmbedError::DamagedIim)?;
        if number == 0x0404 {
            found.get_or_insert_default().extend_from_slice(content);
        }
        let next = start + length.next_multiple_of(2);
        resources = rest.get(next..).unwrap_or_default();
    }
    Ok(found)
}
