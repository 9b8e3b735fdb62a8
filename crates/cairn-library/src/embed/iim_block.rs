//! IPTC-IIM, read only: keywords (IIM 4.2, data sets 2:25 and 1:90).

use super::EmbedError;

/// A data set: record, number, content.
type DataSet<'a> = ((u8, u8), &'a [u8]);

fn data_sets(block: &[u8]) -> Result<Vec<DataSet<'_>>, EmbedError> {
    let mut found = Vec::new();
    let mut rest = block;
    while let [0x1c, record, number, high, low, content @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // The highest bit says that the length itself has a length: for pictures, never for text.
        if length & 0x8000 != 0 || content.len() < length {
            return Err(EmbedError::DamagedIim);
        }
        let (value, after) = content.split_at(length);
        found.push(((*record, *number), value));
        rest = after;
    }
    // Photoshop pads the block with zeros.
    if rest.iter().any(|&byte| byte != 0) { Err(EmbedError::DamagedIim) } else { Ok(found) }
}

/// The keywords of a block of data sets.
pub(super) fn keywords(block: &[u8]) -> Result<Vec<String>, EmbedError> {
    let sets = data_sets(block)?;
    let is_utf8 = sets.contains(&((1, 90), b"\x1b%G"));
    let text = |value: &[u8]| match std::str::from_utf8(value) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) if is_utf8 => Err(EmbedError::DamagedIim),
        // Without a declared character set, what is not UTF-8 is Latin 1 in practice.
        Err(_) => Ok(value.iter().map(|&byte| char::from(byte)).collect()),
    };
    let keywords = sets.iter().filter(|(number, _)| *number == (2, 25));
    keywords.map(|(_, value)| Ok(text(value)?.trim_end_matches('\0').to_owned())).collect()
}

/// Whether it holds a city, state, country or its code.
pub(super) fn has_place(block: &[u8]) -> Result<bool, EmbedError> {
    const PLACE: [(u8, u8); 4] = [(2, 90), (2, 95), (2, 100), (2, 101)];
    Ok(data_sets(block)?.iter().any(|(number, value)| PLACE.contains(number) && !value.is_empty()))
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
