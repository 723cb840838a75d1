//! How to misbehave, as data: the list of faults and what may be said with each.
//!
//! Which part of an answer a fault changes is decided where that part is made; here are only the
//! names, their meaning and their parameters.

/// Declares the faults once: variant, name in kebab case, explanation.
macro_rules! faults {
    ($($variant:ident $name:literal $explanation:literal)*) => {
        /// One way to misbehave.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum FaultKind {
            $(#[doc = $explanation] $variant,)*
        }

        impl FaultKind {
            /// Every fault, in the order in which they are listed.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name by which directives and the control endpoint call it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What goes over the wire, in a line.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation,)* }
            }
        }
    };
}

faults! {
    InsufficientCredits "insufficient-credits" "406 with `INSUFFICIENT_CREDITS`"
    CreditsInResult "credits-in-result" "200 whose resultObject is {code,message}: no credits; a stream sends only result and done"
    CreditsInStream "credits-in-stream" "a stream answers 200 with one error event: no credits; without streaming as insufficient-credits"
    ModerationInResult "moderation-in-result" "200 whose resultObject is {code,message}: blocked by moderation"
    StatusFailure "status-failure" "200 with status FAILURE and an empty resultObject; in a stream after `after` deltas (0)"
    StatusFailed "status-failed" "the same with status FAILED"
    SuccessFalse "success-false" "200 with {success:false,error:{code,message}} instead of a record (a stream: not SSE)"
    EmptyText "empty-text" "SUCCESS with an empty text; a stream has no content but one empty delta"
    StringResult "string-result" "resultObject is a bare string instead of a list"
    ZeroUsage "zero-usage" "all counts of metadata are 0"
    NoMetadata "no-metadata" "the record has no field metadata"
    NullMetadata "null-metadata" "metadata is null"
    NoFinishReason "no-finish-reason" "metadata has no finishReason"
    ForeignFinishReason "foreign-finish-reason" "finishReason is the provider's own word: `complete`, or `finish_reason`"
    RepeatedFinal "repeated-final" "a last content event repeats the whole text"
    CrawlLines "crawl-lines" "lines `🌐 Crawling site <url>` stand before the text, in the deltas and in the result"
    UnknownEvents "unknown-events" "events named `reasoning`, `llm_chunk` and `ping` between the known ones"
    CommentLines "comment-lines" "a comment `: keep-alive` before every event"
    Crlf "crlf" "lines of the stream end with CR LF"
    ByteOrderMark "byte-order-mark" "a byte order mark stands before the stream or the JSON"
    NoSpace "no-space" "no space after the colon of event and data"
    MultiLineData "multi-line-data" "the JSON of every event is spread over two data lines"
    ErrorMidway "error-midway" "an error event after `after` deltas (2), in the `shape` string, nested, message or text; without streaming a 400 of the provider"
    ErrorFirst "error-first" "an error event before any delta, in the `shape` given"
    Cut "cut" "the connection is torn after `after` deltas (2), without the end of the body; without streaming in the middle of the JSON"
    CutMidFrame "cut-mid-frame" "the same, but in the middle of the next frame"
    Reset "reset" "as cut, but with a TCP reset"
    CleanCut "clean-cut" "the body ends properly after `after` deltas (2), without result and done; without streaming in the middle of the JSON"
    CleanCutMidFrame "clean-cut-mid-frame" "the same, but in the middle of the next frame"
    MissingDone "missing-done" "result comes, done does not, the body ends properly"
    MissingResult "missing-result" "done comes without result"
    Stall "stall" "silence after `after` deltas (2) until the client leaves; without streaming in the middle of the JSON"
    Silent "silent" "no answer at all until the client leaves, not even a head"
    HangUp "hang-up" "the connection is closed without an answer"
    MalformedEvent "malformed-event" "a content event with broken JSON after `after` deltas (2), then the stream goes on"
    NonSseText "non-sse-text" "the answer is the bare text as text/plain, also when streaming was asked for"
    NonSseJson "non-sse-json" "streaming was asked for, but the answer is the JSON of a call without streaming"
    HugeEvent "huge-event" "one more delta of `bytes` bytes (2 MiB) after `after` deltas (2)"
    NoUrl "no-url" "a record with files has no temporaryUrl"
    UrlOutside "url-outside" "temporaryUrl stands beside aiRecord instead of within"
    UrlForbidden "url-forbidden" "a signed link is refused by 403 with XML; the key still works"
    CdnForbidden "cdn-forbidden" "a file's key is refused by 403 with XML; the signed link still works"
    HugeFile "huge-file" "`bytes` zeros (512 MiB) follow a file that is fetched"
    BinaryAnswer "binary-answer" "a feature that makes a file answers with its bytes instead of a record"
    RateLimited "rate-limited" "429 `RATE_LIMITED`, nested; with Retry-After when `retry_after` is given"
    Cloudflare1010 "cloudflare-1010" "403, text `error code: 1010`"
    Cloudflare1015 "cloudflare-1015" "429, text `error code: 1015`; with Retry-After when `retry_after` is given"
    Http500 "http-500" "500 `UNKNOWN_ERROR`, flat"
    Http500Once "http-500-once" "500 for the first request with this prompt (or the first at all, when set globally), then success"
    Http502 "http-502" "502 with a page of HTML"
    Http503 "http-503" "503 with a page of HTML"
    Http504 "http-504" "504 with a page of HTML"
    Http522 "http-522" "522 with a page of HTML"
    HttpError "http-error" "a flat error with `status` (500), `code` and `message`"
    MessageOnly "message-only" "an error with nothing but message; `status` (400)"
    Unauthorized "unauthorized" "401 `UNAUTHORIZED` in the documented, nested style"
    NestedErrors "nested-errors" "errors that would be flat are nested: {success:false,error:{code,message}}"
    FlatErrors "flat-errors" "a wrong promptObject is refused by a flat 400 instead of the nested 422"
    SlowFirstByte "slow-first-byte" "`ms` (2000) pass before the head"
    SlowStream "slow-stream" "`ms` (250) pass before every event; without streaming the JSON comes in eight slow pieces"
}

impl FaultKind {
    /// The list of faults as a Markdown table, as it stands in `docs/simulator.md`.
    #[must_use]
    pub fn markdown() -> String {
        let rows = Self::ALL
            .iter()
            .map(|kind| format!("| `{}` | {} |\n", kind.name(), kind.explanation()));
        let head = "| Fault | What goes over the wire |\n|---|---|\n".to_owned();
        head + &rows.collect::<String>()
    }

    /// The fault of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// In which of the four shapes the data of an `error` event comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorShape {
    /// `{"error":"…"}`, the only one captured.
    #[default]
    String,
    /// `{"error":{"code":"…","message":"…"}}`
    Nested,
    /// `{"message":"…"}`
    Message,
    /// The bare text, no JSON.
    Text,
}

/// A fault with its parameters; those that it does not use are without effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which fault.
    pub kind: FaultKind,
    /// Number of deltas that go out before it.
    pub after: Option<usize>,
    /// HTTP status of `http-error` and `message-only`.
    pub status: Option<u16>,
    /// Seconds of a `Retry-After` header.
    pub retry_after: Option<u64>,
    /// Text of the error.
    pub message: Option<String>,
    /// Code of the error.
    pub code: Option<String>,
    /// Shape of an error event.
    pub shape: Option<ErrorShape>,
    /// Milliseconds of the slow faults.
    pub ms: Option<u64>,
    /// Size of `huge-event` and `huge-file`.
    pub bytes: Option<usize>,
}

impl Fault {
    /// The fault with nothing said about it.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            after: None,
            status: None,
            retry_after: None,
            message: None,
            code: None,
            shape: None,
            ms: None,
            bytes: None,
        }
    }
}

/// The faults that one request suffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    /// These faults and more.
    pub(crate) fn and(mut self, more: Vec<Fault>) -> Self {
        self.0.extend(more);
        self
    }

    pub(crate) fn find(&self, kind: FaultKind) -> Option<&Fault> {
        self.0.iter().find(|fault| fault.kind == kind)
    }

    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.find(kind).is_some()
    }

    /// The first fault that is one of these.
    pub(crate) fn first_of(&self, kinds: &[FaultKind]) -> Option<&Fault> {
        self.0.iter().find(|fault| kinds.contains(&fault.kind))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::FaultKind;

    #[test]
    fn names_are_unique_kebab_case_and_lead_back_to_their_fault() {
        for &kind in FaultKind::ALL {
            assert!(
                kind.name()
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            );
            assert_eq!(FaultKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(FaultKind::from_name("no-such-fault"), None);
    }
}
