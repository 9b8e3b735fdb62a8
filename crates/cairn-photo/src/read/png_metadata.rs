//! A PNG without the metadata that would take more memory than its pixels.

use std::borrow::Cow;

/// Most bytes of text, as it is in the file, that the decoder is shown. It decompresses text only when it is asked for
/// it, and then no more than 2 MiB.
const MOST_TEXT: usize = 4 << 20;

/// The longest colour profile, compressed, that the decoder is shown. It decompresses profiles at once; this becomes
/// 16 MiB at most.
const LONGEST_PROFILE: usize = 16 << 10;

const SIGNATURE: usize = 8;
/// Length, type and checksum of a chunk.
const AROUND_DATA: usize = 12;

/// The PNG in `bytes` without long colour profiles and without the text after the first 4 MiB of it. No pixel depends on
/// them.
pub(super) fn without_much_metadata(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    let mut text = 0_usize;
    let mut left_out = Vec::new();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *head;
        let length = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_add(AROUND_DATA).min(rest.len());
        let is_too_much = match &kind {
            b"iCCP" => length > LONGEST_PROFILE,
            b"tEXt" | b"zTXt" | b"iTXt" => {
                text = text.saturating_add(length);
                text > MOST_TEXT
            }
            _ => false,
        };
        if is_too_much {
            let start = bytes.len() - rest.len();
            left_out.push(start..start + length);
        }
        rest = &rest[length..];
    }
    if left_out.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for chunk in left_out {
        kept.extend_from_slice(&bytes[from..chunk.start]);
        from = chunk.end;
    }
    kept.extend_from_slice(&bytes[from..]);
    Cow::Owned(kept)
}
