//! `data:` URIs (RFC 2397) and bare base64, as clients put bytes into JSON.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

/// What a data URI holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// The type it claims, without parameters.
    pub mime: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Padding is optional and stray bits are let pass: clients differ, and the bytes are checked later.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Whether the text is a data URI at all.
#[must_use]
pub fn is_data_uri(text: &str) -> bool {
    text.get(..5)
        .is_some_and(|head| head.eq_ignore_ascii_case("data:"))
}

/// Reads a data URI; none if it is none or its data cannot be decoded.
#[must_use]
pub fn parse(uri: &str) -> Option<Data> {
    if !is_data_uri(uri) {
        return None;
    }
    let (head, data) = uri.get(5..)?.split_once(',')?;
    let mut parameters = head.split(';');
    let mime = parameters.next().map(str::trim).filter(|m| !m.is_empty());
    let encoded = parameters.any(|p| p.trim().eq_ignore_ascii_case("base64"));
    let bytes = match (encoded, data.contains('%')) {
        (false, _) => percent_decoded(data),
        (true, false) => base64(data)?,
        // A URI may spell `+`, `/` and `=` as `%2B`, `%2F` and `%3D`.
        (true, true) => base64(std::str::from_utf8(&percent_decoded(data)).ok()?)?,
    };
    Some(Data {
        mime: mime.map(str::to_ascii_lowercase),
        bytes,
    })
}

/// Decodes base64 in either alphabet, padded or not, with line breaks or not.
#[must_use]
pub fn base64(text: &str) -> Option<Bytes> {
    let broken = memchr::memchr3(b'\n', b'\r', b' ', text.as_bytes()).is_some();
    let compact: String;
    let text = if broken {
        compact = text.split_ascii_whitespace().collect();
        &compact
    } else {
        text
    };
    let url_safe = memchr::memchr2(b'-', b'_', text.as_bytes()).is_some();
    let engine = if url_safe { &URL_SAFE } else { &STANDARD };
    engine.decode(text).ok().map(Bytes::from)
}

fn percent_decoded(text: &str) -> Bytes {
    percent_encoding::percent_decode_str(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A URI, and the type and bytes it holds if it is one.
    type Row = (&'static str, Option<(Option<&'static str>, &'static [u8])>);

    #[test]
    fn data_uris_are_read_as_clients_write_them() {
        let table: &[Row] = &[
            (
                "data:image/png;base64,aGk=",
                Some((Some("image/png"), b"hi")),
            ),
            (
                "DATA:Image/PNG;charset=utf-8;BASE64,aGk",
                Some((Some("image/png"), b"hi")),
            ),
            ("data:;base64,a G\nk=", Some((None, b"hi"))),
            (
                "data:image/webp;base64,_-8=",
                Some((Some("image/webp"), b"\xff\xef")),
            ),
            (
                "data:image/webp;base64,%2F%2b8%3D",
                Some((Some("image/webp"), b"\xff\xef")),
            ),
            ("data:;base64,%ff", None),
            (
                "data:text/plain,a%20b%zz",
                Some((Some("text/plain"), b"a b%zz")),
            ),
            ("data:image/png;base64,a*k=", None),
            ("data:image/png;base64", None),
            ("https://example.org/a.png", None),
            ("dat", None),
        ];
        for (uri, expected) in table {
            let expected = expected.map(|(mime, bytes)| Data {
                mime: mime.map(str::to_owned),
                bytes: Bytes::from_static(bytes),
            });
            assert_eq!(parse(uri), expected, "{uri}");
        }
    }
}
