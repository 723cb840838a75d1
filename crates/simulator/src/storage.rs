//! Where files are fetched: by a signed link that expires, as from S3, or by the bare key, as from
//! the CDN.

use http::request::Parts;
use http::{HeaderMap, Method};

use crate::answer::Answer;
use crate::answer::refused;
use crate::assets::store::Asset;
use crate::clock::{compact, from_compact, now_ms};
use crate::digest::sha256;
use crate::fault::{FaultKind, Faults};
use crate::playback::Step;
use crate::refusal::Refusal;
use crate::script::Script;
use crate::state::State;

/// Seconds for which a link is good: seven days, as in the one that was seen.
const LINK_LIFETIME_SECONDS: u64 = 604_800;

/// Bytes of `huge-file`, unless it says otherwise, and the most it takes.
const HUGE_BYTES: usize = 512 * 1024 * 1024;
const HUGE_BYTES_MAX: usize = 16 * 1024 * 1024 * 1024;

/// The link to a file, at the host that the client itself has called.
pub(crate) fn signed_url(headers: &HeaderMap, key: &str, expires: Option<u64>) -> String {
    let host = headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host.unwrap_or("localhost");
    let (date, lifetime) = (compact(now_ms()), expires.unwrap_or(LINK_LIFETIME_SECONDS));
    let day = date.get(..8).unwrap_or_default();
    let signature = signature(key, &date, lifetime);
    format!(
        "http://{host}/asset.1min.ai/{key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=SIMULATED%2F{day}%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires={lifetime}&X-Amz-Signature={signature}&X-Amz-SignedHeaders=host&x-amz-checksum-mode=ENABLED&x-id=GetObject"
    )
}

/// Not Amazon's, but as hard to guess wrong: it changes with all that it signs.
fn signature(key: &str, date: &str, expires: u64) -> String {
    sha256(format!("simulator {key} {date} {expires}").as_bytes())
}

/// Answers a signed link.
pub(crate) fn signed(state: &State, head: &Parts, key: &str, standing: Faults) -> Answer {
    let asset = state.assets().by_key(key).cloned();
    let faults = with_own(asset.as_ref(), standing);
    if faults.has(FaultKind::UrlForbidden) {
        return refused(
            Refusal::storage(403, "AccessDenied", "Access Denied"),
            &faults,
        );
    }
    if let Err(message) = verified(key, head.uri.query().unwrap_or_default()) {
        return refused(message, &faults);
    }
    let Some(asset) = asset else {
        let missing = Refusal::storage(404, "NoSuchKey", "The specified key does not exist.");
        return refused(missing, &faults);
    };
    deliver(asset, &head.headers, &faults).unwrap_or_else(|| {
        refused(
            Refusal::storage(404, "NoSuchKey", "The specified key does not exist."),
            &faults,
        )
    })
}

/// Answers the bare key.
pub(crate) fn public(state: &State, headers: &HeaderMap, path: &str, standing: Faults) -> Answer {
    let asset = state.assets().by_key(path.trim_start_matches('/')).cloned();
    let faults = with_own(asset.as_ref(), standing);
    if faults.has(FaultKind::CdnForbidden) {
        return refused(
            Refusal::storage(403, "AccessDenied", "Access Denied"),
            &faults,
        );
    }
    asset
        .and_then(|asset| deliver(asset, headers, &faults))
        .unwrap_or_else(|| refused(Refusal::not_found(&Method::GET, path), &faults))
}

/// The standing faults and those that were ordered for this file when it was made.
fn with_own(asset: Option<&Asset>, standing: Faults) -> Faults {
    let own = asset.map(|asset| asset.faults.clone()).unwrap_or_default();
    standing.and(own)
}

fn verified(key: &str, query: &str) -> Result<(), Refusal> {
    let value = |name: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    let denied = |message| Refusal::storage(403, "AccessDenied", message);
    let (Some(date), Some(expires), Some(signed)) = (
        value("X-Amz-Date"),
        value("X-Amz-Expires"),
        value("X-Amz-Signature"),
    ) else {
        return Err(denied("Access Denied"));
    };
    let expires: u64 = expires.parse().map_err(|_| denied("Access Denied"))?;
    if signature(key, date, expires) != signed {
        let message =
            "The request signature we calculated does not match the signature you provided.";
        return Err(Refusal::storage(403, "SignatureDoesNotMatch", message));
    }
    let since = from_compact(date).ok_or_else(|| denied("Access Denied"))?;
    if now_ms() >= since.saturating_add(expires.saturating_mul(1000)) {
        return Err(denied("Request has expired"));
    }
    Ok(())
}

/// The file's bytes, or a part of them, if they are still kept.
fn deliver(asset: Asset, headers: &HeaderMap, faults: &Faults) -> Option<Answer> {
    if let Some(refusal) = faults.iter().find_map(Refusal::of_fault) {
        return Some(refused(refusal, faults));
    }
    let content = asset.content?;
    let (length, part) = (content.len(), part(headers, content.len()));
    let bytes = match part {
        Part::Whole => content,
        Part::Of(first, last) => content.slice(first..=last),
        Part::Outside => {
            let message = "The requested range is not satisfiable";
            let refusal = Refusal::storage(416, "InvalidRange", message);
            return Some(refused(refusal, faults));
        }
    };
    let mut answer = Answer::whole(
        "application/octet-stream",
        bytes,
        &Script::default(),
        faults,
    );
    if let Part::Of(first, last) = part {
        answer.status = 206;
        if let Ok(range) = format!("bytes {first}-{last}/{length}").parse() {
            answer.headers.insert(http::header::CONTENT_RANGE, range);
        }
    }
    if let Ok(mime) = asset.mime.parse() {
        answer.headers.insert(http::header::CONTENT_TYPE, mime);
    }
    if let Some(fault) = faults.find(FaultKind::HugeFile) {
        grow(
            &mut answer,
            fault.bytes.unwrap_or(HUGE_BYTES).min(HUGE_BYTES_MAX),
        );
    }
    Some(answer)
}

/// Which part of a file a request wants.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    /// From the first to the last byte, counted from 0.
    Of(usize, usize),
    Outside,
}

/// Reads `Range: bytes=…` with one range, as S3 does: what it cannot read is passed over.
fn part(headers: &HeaderMap, length: usize) -> Part {
    let range = headers.get(http::header::RANGE);
    let range = range.and_then(|value| value.to_str().ok()?.strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Part::Whole;
    };
    match (first.trim().parse::<usize>(), last.trim()) {
        (Ok(first), _) if first >= length => Part::Outside,
        (Ok(first), "") => Part::Of(first, length - 1),
        (Ok(first), last) => match last.parse::<usize>() {
            Ok(last) if last >= first => Part::Of(first, last.min(length - 1)),
            _ => Part::Whole,
        },
        (Err(_), last) => match last.parse::<usize>() {
            Ok(0) => Part::Outside,
            Ok(count) if first.is_empty() && length > 0 => {
                Part::Of(length.saturating_sub(count), length - 1)
            }
            _ => Part::Whole,
        },
    }
}

/// Puts so many zeros behind the file. All pieces are the same memory.
fn grow(answer: &mut Answer, bytes: usize) {
    const PIECE: usize = 1024 * 1024;
    let zeros = bytes::Bytes::from(vec![0; PIECE]);
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(PIECE);
        answer.steps.push(Step::Send {
            bytes: zeros.slice(..piece),
            deltas: 0,
        });
        left -= piece;
    }
    let length = answer.headers.remove(http::header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if let Some(length) = length {
        answer
            .headers
            .insert(http::header::CONTENT_LENGTH, (length + bytes).into());
    }
}
