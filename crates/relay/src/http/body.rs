//! Bodies of requests that are read whole: bounded in size, and unfolded where they are compressed.

use std::io::Read;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use ruzstd::decoding::StreamingDecoder;
use translate::failure::{Failure, Kind};
use translate::quote::quote;

/// Bytes that are unfolded at once, between two chances for other requests.
const CHUNK_BYTES: usize = 256 * 1024;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContentCoding {
    Gzip,
    Zstd,
}

/// Reads a request's body, at most `max` bytes of it, compressed or not.
///
/// # Errors
/// Too large, in an unknown or damaged content coding, or broken off.
pub async fn read(body: Body, headers: &HeaderMap, max: usize) -> Result<Bytes, Failure> {
    let coding = content_coding(headers)?;
    let bytes = read_plain(body, max).await?;
    match coding {
        None => Ok(bytes),
        Some(coding) => decompress(coding, bytes, max).await,
    }
}

async fn read_plain(mut body: Body, max: usize) -> Result<Bytes, Failure> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max {
        return Err(too_large(max));
    }
    let mut first = match body.frame().await {
        None => return Ok(Bytes::new()),
        Some(frame) => data(frame)?,
    };
    if first.len() == announced {
        return Ok(first);
    }
    let mut bytes = BytesMut::with_capacity(announced.max(first.len()));
    loop {
        if bytes.len() + first.len() > max {
            return Err(too_large(max));
        }
        bytes.extend_from_slice(&first);
        first = match body.frame().await {
            None => return Ok(bytes.freeze()),
            Some(frame) => data(frame)?,
        };
    }
}

fn data(frame: Result<http_body::Frame<Bytes>, axum::Error>) -> Result<Bytes, Failure> {
    let frame = frame.map_err(|_| Failure::new(Kind::Invalid, "The request body broke off."))?;
    Ok(frame.into_data().unwrap_or_default())
}

fn too_large(max: usize) -> Failure {
    let message = match max / (1024 * 1024) {
        // Less than any setting permits: a limit of the endpoint's own.
        0 => format!("The request body is larger than {} KiB.", max / 1024),
        megabytes => format!("The request body is larger than {megabytes} MiB (MAX_BODY_MB)."),
    };
    Failure::new(Kind::TooLarge, message)
}

/// The content coding that a request names; none if its body is as it is.
fn content_coding(headers: &HeaderMap) -> Result<Option<ContentCoding>, Failure> {
    let mut named = headers.get_all(header::CONTENT_ENCODING).iter();
    let Some(value) = named.next() else {
        return Ok(None);
    };
    if named.next().is_some() {
        return Err(unknown_coding("more than one"));
    }
    let name = value
        .to_str()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match name.as_str() {
        "" | "identity" => Ok(None),
        "gzip" | "x-gzip" => Ok(Some(ContentCoding::Gzip)),
        "zstd" => Ok(Some(ContentCoding::Zstd)),
        _ => Err(unknown_coding(&name)),
    }
}

fn unknown_coding(name: &str) -> Failure {
    let name = quote(name);
    let message = format!(
        "Unsupported Content-Encoding `{name}`: send the request body as gzip, as zstd, or uncompressed."
    );
    Failure::new(Kind::UnsupportedMediaType, message).with_retry(false)
}

/// Unfolds a body piece by piece: no piece is asked for beyond `max`, and other requests have their
/// turn between two.
async fn decompress(coding: ContentCoding, bytes: Bytes, max: usize) -> Result<Bytes, Failure> {
    let mut decoder: Box<dyn Read + Send> = match coding {
        ContentCoding::Gzip => Box::new(MultiGzDecoder::new(std::io::Cursor::new(bytes))),
        ContentCoding::Zstd => {
            let decoder = StreamingDecoder::new(std::io::Cursor::new(bytes));
            Box::new(decoder.map_err(|_| damaged(coding))?)
        }
    };
    let mut unfolded = BytesMut::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = decoder.read(&mut chunk).map_err(|_| damaged(coding))?;
        let Some(piece) = chunk.get(..count).filter(|piece| !piece.is_empty()) else {
            return Ok(unfolded.freeze());
        };
        if unfolded.len() + count > max {
            return Err(too_large(max));
        }
        unfolded.extend_from_slice(piece);
        tokio::task::yield_now().await;
    }
}

fn damaged(coding: ContentCoding) -> Failure {
    let name = match coding {
        ContentCoding::Gzip => "gzip",
        ContentCoding::Zstd => "zstd",
    };
    let message =
        format!("The request body is not valid {name}, which its Content-Encoding names.");
    Failure::new(Kind::Invalid, message).with_retry(false)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use http::HeaderValue;

    use super::*;

    const TEXT: &[u8] = br#"{"model":"gpt-4o-mini"}"#;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    async fn given(coding: &'static str, bytes: Vec<u8>, max: usize) -> Result<Bytes, Kind> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        let read = read(Body::from(bytes), &headers, max).await;
        read.map_err(|failure| failure.kind)
    }

    #[tokio::test]
    async fn a_body_is_read_in_every_coding_that_is_known() {
        let mut two_members = gzip(&TEXT[..9]);
        two_members.extend(gzip(&TEXT[9..]));
        for (coding, bytes) in [
            ("identity", TEXT.to_vec()),
            ("gzip", gzip(TEXT)),
            ("GZIP", gzip(TEXT)),
            ("x-gzip", two_members),
            ("zstd", zstd(TEXT)),
        ] {
            let read = given(coding, bytes, 1000).await;
            assert_eq!(read.as_deref(), Ok(TEXT), "{coding}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_unfolded_is_told_apart() {
        let half = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
        let bomb = vec![b' '; 4_000_000];
        for (coding, bytes, kind) in [
            ("br", TEXT.to_vec(), Kind::UnsupportedMediaType),
            ("gzip, zstd", TEXT.to_vec(), Kind::UnsupportedMediaType),
            ("gzip", TEXT.to_vec(), Kind::Invalid),
            ("zstd", TEXT.to_vec(), Kind::Invalid),
            ("gzip", half(gzip(TEXT)), Kind::Invalid),
            ("zstd", half(zstd(TEXT)), Kind::Invalid),
            ("gzip", gzip(&bomb), Kind::TooLarge),
            ("zstd", zstd(&bomb), Kind::TooLarge),
            ("identity", bomb.clone(), Kind::TooLarge),
        ] {
            let read = given(coding, bytes, 1_000_000).await;
            assert_eq!(read, Err(kind), "{coding}");
        }
    }
}
