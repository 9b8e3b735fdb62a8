//! In which format an answer is wanted: the `Accept` header (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

use crate::error::{ApiError, ErrorType};

/// The one of `offered` (media types, the preferred first) that a request accepts most; the first where it does not say.
///
/// # Errors
/// When it accepts none of them.
pub(crate) fn accepted<'a, T: Copy>(headers: &HeaderMap, offered: &'a [(&'a str, T)]) -> Result<T, ApiError> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range<'_>> = values.flat_map(|value| value.split(',')).filter_map(Range::of).collect();
    let (_, first) = offered.first().ok_or_else(|| ApiError::internal("nothing is offered"))?;
    if ranges.is_empty() {
        return Ok(*first);
    }
    let mut best: Option<(f32, T)> = None;
    for &(media_type, format) in offered {
        let quality = quality(&ranges, media_type);
        // The first of equals stays.
        if quality > best.map_or(0.0, |(best, _)| best) {
            best = Some((quality, format));
        }
    }
    best.map(|(_, format)| format).ok_or_else(|| {
        let offered: Vec<&str> = offered.iter().map(|(media_type, _)| *media_type).collect();
        ApiError::new(ErrorType::NotAcceptable, format!("answers are in {}", offered.join(", ")))
    })
}

/// One of the ranges that a header names: `image/*;q=0.5`.
struct Range<'a> {
    media_type: &'a str,
    quality: f32,
}

impl<'a> Range<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().filter(|media_type| media_type.contains('/'))?;
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
        Some(Self { media_type, quality: quality.clamp(0.0, 1.0) })
    }

    /// How exactly the range names a media type, if at all.
    fn precision(&self, media_type: &str) -> Option<u8> {
        if self.media_type.eq_ignore_ascii_case(media_type) {
            return Some(2);
        }
        let kind = media_type.split('/').next().unwrap_or_default();
        match self.media_type.split_once('/') {
            Some(("*", "*")) => Some(0),
            Some((of, "*")) if of.eq_ignore_ascii_case(kind) => Some(1),
            _ => None,
        }
    }
}

/// The quality of the range that names the media type most exactly.
fn quality(ranges: &[Range<'_>], media_type: &str) -> f32 {
    let matching = ranges.iter().filter_map(|range| Some((range.precision(media_type)?, range.quality)));
    matching.max_by_key(|(precision, _)| *precision).map_or(0.0, |(_, quality)| quality)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn choose(accept: &str) -> Result<char, ErrorType> {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        let offered = [("application/json", 'j'), ("text/csv", 'c'), ("text/html", 'h')];
        accepted(&headers, &offered).map_err(|error| error.error_type)
    }

    #[test]
    fn the_format_is_the_one_that_is_wanted_most() {
        for (accept, format) in [
            ("", 'j'),
            ("*/*", 'j'),
            ("text/csv", 'c'),
            ("TEXT/CSV", 'c'),
            ("text/*", 'c'),
            ("text/csv;q=0.5, text/html", 'h'),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 'h'),
            ("*/*, application/json;q=0.1", 'c'),
            ("application/json;q=0, */*", 'c'),
            ("nonsense", 'j'),
        ] {
            assert_eq!(choose(accept), Ok(format), "{accept}");
        }
        assert_eq!(choose("image/png"), Err(ErrorType::NotAcceptable));
        assert_eq!(choose("text/csv;q=0"), Err(ErrorType::NotAcceptable));
    }
}
